"""How every command's help ends, as a manual page does: exit codes, examples that can be pasted, where to read on."""

from collections.abc import Sequence

HEADING = "Examples:"
DONE = "0 done, 2 usage or refused"
GIVEN_UP = f"{DONE}, 4 given up or interrupted"
HEALED = f"{GIVEN_UP}, 5 not healed"
"""As the tree in `lab.core.errors`."""
JUDGED = "0 as expected, 1 not as expected, 2 usage or refused, 3 verdict unknown"


def examples(*commands: str, exits: str = DONE, see: Sequence[str] = ()) -> str:
    r"""The epilog of a command. `\b` keeps each example on its own line.

    Args:
        commands: the examples.
        exits: what its exit codes mean; "" where a subcommand says it.
        see: commands that a reader of this one wants to know next.
    """
    told = [HEADING, "\b\n" + "\n".join(f"  {command}" for command in commands)]
    return "\n\n".join([*([f"Exit codes: {exits}."] if exits else []), *told, *([f"See also: {', '.join(see)}."] if see else [])])
