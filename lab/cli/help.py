"""How every command's help ends: with examples that can be pasted."""

HEADING = "Examples:"


def examples(*commands: str) -> str:
    r"""The epilog of a command. `\b` keeps each on its own line."""
    return "\n\n".join([HEADING, "\b\n" + "\n".join(f"  {command}" for command in commands)])
