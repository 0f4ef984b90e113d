"""Help that teaches: every command has a sentence, every option its help, and at least one example that the command line accepts."""

import shlex
from typing import Any

import pytest

from lab.cli.help import HEADING
from lab.cli.on_demand import MODULES
from lab.cli.reference import commands


def examples(command: Any) -> list[str]:
    return [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  ")]


ALL = dict(commands())


def test_all_commands_are_looked_at() -> None:
    assert {"lab", "lab run", "lab why", "lab validate", "lab experiments new", "lab images build"} <= set(ALL)
    assert {f"lab {name}" for name in MODULES} <= set(ALL)


@pytest.mark.parametrize("path", sorted(ALL))
def test_every_command_says_what_it_does_and_shows_an_example(path: str) -> None:
    command: Any = ALL[path]
    assert command.help
    assert HEADING in (command.epilog or "")
    assert examples(command)
    assert all(example.startswith("lab ") for example in examples(command))


@pytest.mark.parametrize("path", sorted(ALL))
def test_every_option_and_argument_is_explained(path: str) -> None:
    assert [parameter.name for parameter in ALL[path].params if not getattr(parameter, "help", None)] == []


@pytest.mark.parametrize("example", sorted({example for command in ALL.values() for example in examples(command)}))
def test_every_example_is_understood_by_the_command_line(example: str) -> None:
    words = shlex.split(example.split(" > ", maxsplit=1)[0])
    path = [words.pop(0)]
    while words and " ".join([*path, words[0]]) in ALL:
        path.append(words.pop(0))
    command: Any = ALL[" ".join(path)]
    command.make_context(command.name, words)
