"""Help that teaches: every command has a sentence, every option its help, and at least one example that the command line accepts."""

import shlex
from typing import Any

import pytest

from lab.cli.help import HEADING, commands, told_examples
from lab.cli.main import app

ALL = dict(commands(app))


@pytest.mark.parametrize("path", sorted(ALL))
def test_every_command_says_what_it_does_and_shows_an_example(path: str) -> None:
    command: Any = ALL[path]
    assert command.help
    assert HEADING in (command.epilog or "")
    own = [example for place, example in told_examples(app) if place == path]
    assert own
    assert all(example.startswith("lab ") for example in own)


@pytest.mark.parametrize("path", sorted(ALL))
def test_every_option_and_argument_is_explained(path: str) -> None:
    assert [parameter.name for parameter in ALL[path].params if not getattr(parameter, "help", None)] == []


@pytest.mark.parametrize("example", sorted({example for _, example in told_examples(app)}))
def test_every_example_is_understood_by_the_command_line(example: str) -> None:
    words = shlex.split(example.split(" > ", maxsplit=1)[0])[1:]
    command: Any = ALL["lab"]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)
