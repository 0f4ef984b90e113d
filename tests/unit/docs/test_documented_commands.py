"""Every command in README and documentation is run here, or by the cluster tests, or its block says that no test runs it, and why.

A run that needs the cluster is rehearsed here: `--dry-run` takes it as it stands, so its experiment and its fields are there.
"""

import ast
import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from pages import SHELLS, Block, bare, blocks, files, spans

from lab.cli.main import main
from lab.cli.reference import commands
from lab.core.paths import project
from lab.runner.load import EXPERIMENTS
from tests import histories

HERE, CLUSTER, NOT = "", "run by make test-cluster", "not run by a test: "
RUNS = {"cascade": "20261128T223306Z-cascade", "baseline": "20261125T093136Z-baseline"}
"""Experiment -> the run of it that the pages show."""
PICTURE = re.compile(r"([\w-]+) · .* at (\d+) s")
ALL: dict[str, Any] = dict(commands())
TARGETS = set(re.findall(r"^## ([\w-]+): ", (project() / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
PAGES = {str(file.relative_to(project())): file for file in files()}


def command_blocks(file: Path) -> list[Block]:
    return [block for block in blocks(file) if block.language in SHELLS]


def known(words: list[str]) -> Any:
    """The command that `words` call, and the words that are left for it."""
    command, rest = ALL["lab"], list(words)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    return command, rest


def understood(line: str) -> None:
    """Does the command exist, with these options? Raises if not."""
    words = shlex.split(re.split(r" [|>] ", line)[0])
    if words[0] == "make":
        assert {word for word in words[1:] if "=" not in word} <= TARGETS, line
        return
    assert words[0] == "lab", f"neither lab nor make: {line}"
    command, rest = known(words[1:])
    if rest not in (["--help"], ["--install-completion"]):
        command.make_context(command.name, rest)


def ran_on_the_cluster() -> list[list[str]]:
    """The words of each `lab(...)` in the cluster tests, up to the first that is not written out."""
    nodes = (
        node for file in (project() / "tests" / "cluster").glob("*.py") for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    )
    calls = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lab"]
    return [[word.value for word in call.args if isinstance(word, ast.Constant)] for call in calls]


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_commands_says_who_runs_it_and_is_understood(page: str) -> None:
    for block in command_blocks(PAGES[page]):
        assert block.title in (HERE, CLUSTER) or (block.title.startswith(NOT) and len(block.title) > len(NOT)), block.place
        assert block.commands, block.place
        for line in block.commands:
            understood(line)


@pytest.mark.parametrize("page", PAGES)
def test_no_command_hides_in_a_block_of_another_kind(page: str) -> None:
    others = [block for block in blocks(PAGES[page]) if block.language not in SHELLS]
    assert [block.place for block in others for line in block.lines if re.match(r" *(\$ )?(lab|make) [a-z]", line)] == []
    assert [block.place for block in others if not block.language] == []
    assert bare(PAGES[page]) == []


@pytest.mark.parametrize("page", PAGES)
def test_what_is_said_to_be_run_on_the_cluster_is(page: str) -> None:
    ran = ran_on_the_cluster()
    for block in command_blocks(PAGES[page]):
        for line in block.commands if block.title == CLUSTER else ():
            words = shlex.split(line)[1:]
            assert any(words == call[: len(words)] for call in ran), f"{block.place}: {line}"


@pytest.mark.parametrize("page", PAGES)
def test_what_a_sentence_names_exists(page: str) -> None:
    for span in spans(PAGES[page]):
        words = span.replace("[", " ").replace("]", " ").split()
        if words[0].startswith("scripts/"):
            assert os.access(project() / words[0], os.X_OK), span
            continue
        if words[0] == "make":
            assert words[1] in TARGETS, span
            continue
        command, rest = known(words[1:])
        assert command is not ALL["lab"] or words[1].startswith("-") or words[1].isupper(), span
        options = {option for parameter in command.params for option in parameter.opts} | {"--help", "--install-completion"}
        assert {word.split("=")[0] for word in rest if word.startswith("--")} <= options, span


@pytest.mark.parametrize("page", PAGES)
def test_a_picture_stands_below_the_command_that_draws_it(page: str) -> None:
    before = ""
    for block in blocks(PAGES[page]):
        if drawn := PICTURE.fullmatch(block.lines[0]):
            assert before == f"lab watch runs/{RUNS[drawn[1]]} --at {drawn[2]}", block.place
            assert max(map(len, block.lines)) < 80, block.place
        before = block.lines[-1]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a checkout, with its manifests, and with hand-written runs in the place of those that the pages show."""
    (tmp_path / "manifests").symlink_to(project() / "manifests")
    for experiment, name in RUNS.items():
        run = histories.store(getattr(histories, experiment)().history(), tmp_path / "runs" / name)
        (run / "locust.csv").write_text(
            "at_s,epoch_s,profile,name,latency_ms,status,error\n" + "10.0,0,steady,page,5.0,200,\n" * 20, encoding="utf-8"
        )
    monkeypatch.setattr("lab.cluster.calibrate.KEPT", "of-no-machine.json")  # what fits one machine is refused on another
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rehearsed(line: str) -> str:
    """A run on the cluster as its rehearsal; "" for all else."""
    words = shlex.split(line)
    real = words[:2] == ["lab", "run"] and not {"--dry-run", "--world", "--help"} & set(words)
    return f"{line} --dry-run" if real else ""


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """One line as a shell would run it: `lab` in this process, into a file or through one more program."""
    left, sign, right = re.match(r"(.*?)(?: ([|>]) (.*))?$", line).groups()  # type: ignore[union-attr]
    monkeypatch.setattr(sys, "argv", shlex.split(left))
    said = io.StringIO()
    with redirect_stdout(said), pytest.raises(SystemExit) as ended:
        main()
    if sign == ">":
        Path(right).write_text(said.getvalue(), encoding="utf-8")
    if sign == "|":
        return subprocess.run(shlex.split(right), input=said.getvalue(), text=True, check=False, stdout=subprocess.DEVNULL).returncode
    return int(ended.value.code or 0)


@pytest.mark.parametrize("page", [name for name, file in PAGES.items() if command_blocks(file) or spans(file)])
def test_every_other_command_runs_or_is_rehearsed(page: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for block in command_blocks(PAGES[page]):
        for line in block.commands if block.title == HERE else filter(None, map(rehearsed, block.commands)):
            assert run(line, monkeypatch) == 0, f"{block.place}: {line}"
    for span in spans(PAGES[page]):
        if span.split()[2:3] and span.split()[2] in EXPERIMENTS and (line := rehearsed(span)):
            assert run(line, monkeypatch) == 0, f"{page}: {line}"
    assert {run.name for run in (place / "runs").glob("*")} >= set(RUNS.values())
