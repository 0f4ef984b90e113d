"""`lab sweep --world sim`: the same bytes on every engine, runs that are made once, and a table of the chain."""

import csv
import hashlib
import io
import json
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from lab.checkers.judge import judge
from lab.cli import on_all_cores, simulated_job, simulated_sweep
from lab.cli.simulated_job import Made
from lab.core.errors import Aborted, LabError, Refused
from lab.runner.load import load_experiment
from tests import histories
from tests.command_line import Lab
from tests.dask_local import local_cluster

SHORT = ("steady_s=12", "outage_s=12", "faults.0.heal_at_s=12", "flood_s=10", "recovery_s=60")
SETS = [word for setting in SHORT for word in ("--set", setting)]
WORDS = ("sweep", "cascade", "--world", "sim", "--seed", "7", "--repeat", "2", *SETS)
VARIED = ("--vary", "workload.pods=10,20")
FILES = ["01-10.json", "01-20.json", "02-10.json", "02-20.json", "runs.csv", "sweep.html", "sweep.json", "table.md"]


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "runs.csv").read_text(encoding="utf-8"))))


def test_this_process_all_cores_and_a_dask_cluster_give_the_same_bytes(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cores, dask, here = (tmp_path / name for name in ("cores", "dask", "here"))
    assert lab(*WORDS, *VARIED, "--out", str(cores)).code == 0
    monkeypatch.setattr(on_all_cores, "as_finished", None)  # from here on no process of this machine's pool
    with local_cluster() as cluster:
        told = lab(*WORDS, *VARIED, "--out", str(dask), "--scheduler", cluster.scheduler_address)
    assert told.code == 0, told.text
    assert "4 of 4" in told.text
    assert sorted(path.name for path in dask.iterdir()) == FILES
    assert {name: (dask / name).read_bytes() for name in FILES} == {name: (cores / name).read_bytes() for name in FILES}

    experiment = load_experiment("cascade", [*SHORT, "workload.pods=20", "seed=8"])
    made = simulated_job.make(simulated_job.jobs({1: experiment})[1], here)
    assert made.history_sha256 == hashlib.sha256((here / "history.jsonl").read_bytes()).hexdigest()
    known = {(row["workload.pods"], row["seed"]): row["history_sha256"] for row in rows(dask)}
    assert known["20", "8"] == made.history_sha256
    assert len(set(known.values())) == 4
    assert json.loads((dask / "02-20.json").read_text())["verdict"] == json.loads((here / "verdict.json").read_text())


def test_what_travels_is_small() -> None:
    job = simulated_job.jobs({1: load_experiment("cascade", SHORT)})[1]
    made = simulated_job.make_elsewhere(job)
    assert isinstance(made, Made)
    assert len(cloudpickle.dumps(partial(simulated_job.make_elsewhere, job))) < 5_000
    assert len(pickle.dumps(made)) < 20_000


def test_other_code_is_refused_where_the_run_would_be_made() -> None:
    job = simulated_job.jobs({1: load_experiment("cascade", SHORT)})[1]
    with pytest.raises(Refused, match="one has code 0123456789abcdef"):
        simulated_job.make_elsewhere(replace(job, code="0123456789abcdef"))


class Engine:
    """Gives answers without simulating: digests of what was asked; `breaks` after so many."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.breaks = 1000
        self.refuses = 0

    def __call__(self, jobs: Mapping[Any, partial[Any]], *_: object) -> Iterator[tuple[Any, Made | LabError]]:
        found = judge(histories.baseline().history(), histories.requests())
        for number, (key, job) in enumerate(jobs.items()):
            if number == self.breaks:
                raise KeyboardInterrupt
            experiment = job.args[0].experiment
            self.asked.append((experiment.workload.pods, experiment.seed))
            yield key, Refused("simulate it", "too much", "less") if experiment.workload.pods == self.refuses else Made("0" * 64, found)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    found = Engine()
    monkeypatch.setattr(on_all_cores, "as_finished", found)
    monkeypatch.setattr(simulated_sweep, "compile_first", lambda _: None)
    monkeypatch.chdir(tmp_path)
    return found


def test_each_round_has_a_seed_and_every_setting(engine: Engine, lab: Lab) -> None:
    answer = lab(*WORDS, *VARIED, "--out", "here")
    assert (answer.code, engine.asked) == (0, [(10, 7), (20, 7), (10, 8), (20, 8)])
    assert "SIMULATED" in answer.text
    assert "| 20 | 2 | " in answer.text


def test_without_varied_fields_it_is_many_seeds_of_one_experiment(engine: Engine, lab: Lab) -> None:
    assert lab(*WORDS, "--out", "here").code == 0
    assert [(row["seed"], row["link_0_at_s"]) for row in rows(Path("here"))] == [("7", ""), ("8", "")]
    assert sorted(path.name for path in Path("here").glob("0*")) == ["01.json", "02.json"]


def test_an_interrupt_keeps_what_was_made_and_the_same_command_makes_the_rest(engine: Engine, lab: Lab) -> None:
    engine.breaks = 3
    assert lab(*WORDS, *VARIED, "--out", "here").code == Aborted.exit_code
    assert len(rows(Path("here"))) == 3
    engine.breaks = 1000
    assert lab(*WORDS, *VARIED, "--out", "here").code == 0
    assert engine.asked == [(10, 7), (20, 7), (10, 8), (20, 8)]
    assert lab(*WORDS, *VARIED, "--repeat", "3", "--out", "here").code == 0
    assert engine.asked[4:] == [(10, 9), (20, 9)]


def test_a_run_that_cannot_be_simulated_is_told_and_the_others_are_made(engine: Engine, lab: Lab) -> None:
    engine.refuses = 20
    answer = lab(*WORDS, *VARIED, "--out", "here")
    assert answer.code == Aborted.exit_code
    assert "workload.pods=20, seed=8: could not simulate it" in answer.text
    assert [row["workload.pods"] for row in rows(Path("here"))] == ["10", "10"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sweep", "cascade", "--scheduler", "tcp://127.0.0.1:8786"), "only simulated runs go to a Dask scheduler"),
        (("sweep", "cascade", "--vary", "agents=1000,2000"), "only the simulator knows `agents`"),
        (("sweep", "cascade", "--world", "sim", "--vary", "seed=1,2"), "each round has its own"),
        (("sweep", "gossip-poison", "--world", "sim"), "simulate"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_run(engine: Engine, lab: Lab, words: tuple[str, ...], said: str) -> None:
    answer = lab(*words, "--out", "here")
    assert (answer.code, said in answer.text) == (2, True), answer.text
    assert (engine.asked, Path("here").exists()) == ([], False)
