"""Help like a manual page: a sentence, what follows, every option, exit codes, examples that the command line accepts, where to read on."""

import re
import shlex
from typing import Any

import pytest

from lab.cli.help import HEADING
from lab.cli.on_demand import MODULES
from lab.cli.reference import commands


def examples(command: Any) -> list[str]:
    return [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  ")]


ALL = dict(commands())
SUMMARY_MAX = 58
"""Characters: what 80 columns leave for a command's sentence beside the longest name."""


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


@pytest.mark.parametrize("path", sorted(set(ALL) - {"lab"}))
def test_the_sentence_of_a_command_stands_whole_in_the_list_of_commands(path: str) -> None:
    assert ALL[path].get_short_help_str(SUMMARY_MAX) in ALL[path].help


@pytest.mark.parametrize("path", sorted(path for path, command in ALL.items() if path == "lab" or not hasattr(command, "commands")))
def test_every_command_says_what_its_exit_codes_mean_and_where_to_read_on(path: str) -> None:
    codes = re.search(r"^Exit codes: (0 .*)\.$", ALL[path].epilog, re.MULTILINE)
    assert codes
    assert all(re.fullmatch(r"[0-5] \D+", each) for each in re.split(r", (?=\d)", codes[1]))
    see = re.search(r"^See also: (.*)\.$", ALL[path].epilog, re.MULTILINE)
    assert path == "lab" or see
    assert see is None or set(see[1].split(", ")) <= set(ALL) - {path}


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
