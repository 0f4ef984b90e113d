"""`lab calibrate --sim` and `lab compare-worlds`: what they keep, what they say of runs that the fit has seen, what they refuse."""

from pathlib import Path

import pytest

from lab.cli import compare_commands
from lab.cli.simulated_job import write_history
from lab.core.errors import Refused
from lab.core.history import Event
from lab.runner.load import load_experiment
from lab.sim.chain.world import simulate
from lab.sim.fit import kept
from tests.command_line import Lab

SHORT = ["steady_s=30", "outage_s=10", "flood_s=10", "recovery_s=60"]


def run_folder(folder: Path, seed: int, *, real: bool = True) -> Path:
    """A short simulated baseline; with `real` its history says that it ran on containers."""
    experiment = load_experiment("baseline", [*SHORT, f"seed={seed}"])
    outcome = simulate(experiment)
    opening = outcome.events[0]
    fields = {**opening.fields, "world": None} if real else opening.fields
    folder.mkdir()
    (folder / "experiment.json").write_text(load_experiment("baseline", SHORT).model_dump_json())
    write_history(folder / "history.jsonl", [Event(0, opening.at_s, opening.kind, None, fields), *outcome.events[1:]])
    (folder / "locust.csv").write_text("\n".join(outcome.requests))
    return folder


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Three runs, a cache of their own, and no other processes: those would load the simulator again for a second of work."""
    monkeypatch.setenv("CASCADE_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compare_commands, "on_all_cores", lambda jobs, *_: {seed: job() for seed, job in jobs.items()})
    return [run_folder(tmp_path / name, seed) for name, seed in (("one", 1), ("two", 2), ("held-out", 3))]


def test_a_fit_is_kept_with_its_runs_and_a_comparison_says_which_runs_it_has_seen(lab: Lab, runs: list[Path], tmp_path: Path) -> None:
    fitted = lab("calibrate", "--sim", *map(str, runs[:2]))
    assert fitted.code == 0, fitted.text
    assert "line_shipped_s | 0.00018" in fitted.text
    assert "no run with a fault" in fitted.text
    calibration = kept.load(tmp_path / "cache" / "simulator-calibration.json")
    assert [run.name for run in calibration.runs] == ["one", "two"]

    page = tmp_path / "worlds.html"
    held_out = lab("compare-worlds", str(runs[2]), "--seeds", "2", "--out", str(page))
    assert held_out.code == 0, held_out.text
    assert "Held out: the fit has seen none of these runs." in held_out.text
    assert "Held out" in page.read_text()
    assert "NOT held out: the fit has seen one." in lab("compare-worlds", str(runs[0]), str(runs[2]), "--seeds", "2").text


def test_what_cannot_be_fitted_or_compared_is_refused(lab: Lab, runs: list[Path], tmp_path: Path) -> None:
    simulated = run_folder(tmp_path / "simulated", 4, real=False)
    for words, said in (
        (("calibrate", "--sim"), "no runs were named"),
        (("calibrate", str(runs[0])), "runs and --out belong to --sim"),
        (("calibrate", "--sim", str(simulated)), "it is a simulated run"),
        (("calibrate", "--sim", str(tmp_path)), "no such file"),
        (("compare-worlds", str(simulated)), "it is a simulated run"),
    ):
        refused = lab(*words)
        assert refused.code == 2
        assert said in refused.text


def test_runs_of_two_experiments_are_not_compared(lab: Lab, runs: list[Path]) -> None:
    (runs[1] / "experiment.json").write_text(load_experiment("cascade").model_dump_json())
    assert "they ran different experiments" in lab("compare-worlds", *map(str, runs[:2])).text


def test_a_calibration_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "simulator-calibration.json").write_text("{}")
    with pytest.raises(Refused):
        kept.newest(tmp_path)
