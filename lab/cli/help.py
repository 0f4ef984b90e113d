"""How every command's help ends: with examples that can be pasted."""

from collections.abc import Iterator
from typing import Any

import typer

HEADING = "Examples:"


def examples(*commands: str) -> str:
    r"""The epilog of a command. `\b` keeps each on its own line."""
    return "\n\n".join([HEADING, "\b\n" + "\n".join(f"  {command}" for command in commands)])


def told_examples(app: typer.Typer) -> Iterator[tuple[str, str]]:
    """`(command, example)` for every example in every help, so that tests can run them and the documentation print them."""
    for path, command in commands(app):
        for line in (command.epilog or "").splitlines():
            if line.startswith("  "):
                yield path, line.strip()


def commands(app: typer.Typer) -> Iterator[tuple[str, Any]]:
    """`(words, command)` for every command and group, `lab` first."""
    yield from _walk("lab", typer.main.get_command(app))


def _walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(f"{path} {name}", below)
