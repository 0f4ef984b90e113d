"""`lab sweep`: every run once, in a folder of its own, gone on with after an interruption; a run that fails is left for the next time."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.checkers.judge import judge
from lab.checkers.verdict import Verdict
from lab.cli import sweep_commands
from lab.core.errors import Aborted, LabError, NotHealed
from lab.runner.interrupts import Interrupted
from tests import histories
from tests.command_line import Lab
from tests.pools import pool

WORDS = ("sweep", "gossip-poison", "--vary", "consul.version=1.2.2,1.2.3", "--repeat", "2", "--set", "workload.agents_per_pod=5")


def verdict(calm_after_s: float) -> Verdict:
    found = judge(histories.baseline().history(), histories.requests())
    return found.model_copy(update={"evidence": found.evidence.model_copy(update={"pool": pool(calm_after_s)})})


class Runs:
    """Runs that take no time; the `fails_at`-th raises."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str, int]] = []
        self.commands: list[str] = []
        self.fails_at = 0
        self.caps = [0.1] * 100
        self.error: LabError = Aborted("finish the run", "a node is gone", "run it again")

    def __call__(self, experiment: Any, out: Path, command: str) -> tuple[Path, Verdict]:
        self.made.append((out.name, experiment.consul.version, experiment.workload.agents_per_pod))
        self.commands.append(command)
        out.mkdir(parents=True)
        if len(self.made) == self.fails_at:
            (out / "history.jsonl").touch()
            raise self.error
        found = verdict(20.0 if experiment.consul.version == "1.2.2" else 10.0)
        (out / "verdict.json").write_text(found.to_json(), encoding="utf-8")
        caps = {"settings": {"caps": {"app_cap_cores": self.caps[len(self.made) - 1]}}}
        events = [{"kind": "run"}, {"kind": "phase", "phase": "prepare", "state": "end", **caps}, {"kind": "sample"}]
        (out / "history.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
        return out, found


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runs:
    found = Runs()
    monkeypatch.setattr(sweep_commands, "run_and_judge", found)
    monkeypatch.chdir(tmp_path)
    return found


def test_every_combination_is_run_in_every_round_and_the_table_tells_them_apart(runs: Runs, lab: Lab) -> None:
    answer = lab(*WORDS, "--out", "here")
    assert answer.code == 0
    assert sorted(runs.made) == [("01-1.2.2", "1.2.2", 5), ("01-1.2.3", "1.2.3", 5), ("02-1.2.2", "1.2.2", 5), ("02-1.2.3", "1.2.3", 5)]
    assert "| 1.2.2 | 2 | 50% | 20 (20 to 20) |" in answer.text
    assert "run 4 of 4: consul.version=" in answer.text
    assert Path("here/runs.csv").read_text(encoding="utf-8").count("\n") == 5
    assert "lab run gossip-poison --set workload.agents_per_pod=5 --set consul.version=1.2.3" in runs.commands


def test_arms_are_rows_and_each_sets_its_own(runs: Runs, lab: Lab) -> None:
    arms = ("--arm", "old: consul.version=1.2.2 workload.agents_per_pod=4", "--arm", "new: consul.version=1.2.3")
    answer = lab("sweep", "gossip-poison", "--repeat", "1", *arms, "--out", "here")
    assert (answer.code, sorted(runs.made)) == (0, [("01-new", "1.2.3", 10), ("01-old", "1.2.2", 4)])
    assert "| arm | runs |" in answer.text
    assert "| old | 1 | 0% | 20 (20 to 20) |" in answer.text
    assert 'href="01-old/report.html"' in Path("here/sweep.html").read_text(encoding="utf-8")
    assert "lab run gossip-poison --set consul.version=1.2.2 --set workload.agents_per_pod=4" in runs.commands
    assert lab("sweep", "gossip-poison", "--repeat", "1", *arms[:2], "--out", "here").code == 2  # another sweep


def test_the_table_says_whether_all_runs_had_the_same_caps(runs: Runs, lab: Lab) -> None:
    assert "Each app node had 0.1 core in all runs." in lab(*WORDS, "--out", "here").text
    runs.caps[4:] = [0.12] * 100
    assert "App nodes had 0.1 to 0.12 core, not the same in all runs." in lab(*WORDS, "--repeat", "3", "--out", "here").text


def test_a_run_that_failed_is_told_put_aside_and_made_the_next_time(runs: Runs, lab: Lab) -> None:
    runs.fails_at = 2
    answer = lab(*WORDS, "--out", "here")
    assert (answer.code, len(runs.made)) == (Aborted.exit_code, 4)
    assert "a node is gone" in answer.text
    again = lab(*WORDS, "--out", "here")
    assert (again.code, len(runs.made)) == (0, 5)
    assert runs.made[4] == runs.made[1]
    assert Path(f"here/broken-1-{runs.made[1][0]}/history.jsonl").exists()
    assert lab(*WORDS, "--out", "here").code == 0
    assert len(runs.made) == 5


def test_a_verdict_that_was_cut_short_is_no_run(runs: Runs, lab: Lab) -> None:
    lab(*WORDS, "--out", "here")
    torn = Path("here") / runs.made[0][0] / "verdict.json"
    torn.write_text(torn.read_text(encoding="utf-8")[:100], encoding="utf-8")
    assert lab(*WORDS, "--out", "here").code == 0
    assert runs.made[4:] == runs.made[:1]


@pytest.mark.parametrize("stops", ["interrupted", "not healed"])
def test_an_interrupt_and_a_fault_that_stays_end_the_sweep(runs: Runs, lab: Lab, stops: str) -> None:
    runs.fails_at = 1
    if stops == "interrupted":
        runs.error.__cause__ = Interrupted("SIGINT")
    else:
        runs.error = NotHealed("heal kill-agents", "it acts", "lab heal")
    assert lab(*WORDS, "--out", "here").code == runs.error.exit_code
    assert len(runs.made) == 1


def test_rounds_can_be_added_and_another_sweep_is_kept_out(runs: Runs, lab: Lab) -> None:
    lab(*WORDS, "--out", "here")
    assert lab(*WORDS, "--repeat", "3", "--out", "here").code == 0
    assert len(runs.made) == 6
    other = lab(*WORDS, "--seed", "7", "--out", "here")
    assert (other.code, "another one is there" in other.text) == (2, True)


@pytest.mark.parametrize("words", [["--vary", "consul.version=1.2.9"], ["--vary", "consul.version"]])
def test_what_cannot_run_is_refused_before_the_first_run(runs: Runs, lab: Lab, words: list[str]) -> None:
    assert lab("sweep", "gossip-poison", *words, "--out", "here").code == 2
    assert (runs.made, Path("here").exists()) == ([], False)
