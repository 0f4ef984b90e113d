"""What the fit finds: the parameters that a run was made with, and no more certainty than the runs give."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from lab.cli.simulated_job import write_history
from lab.core.errors import Refused
from lab.core.history import Event, History
from lab.runner.load import load_experiment
from lab.sim.chain.parameters import Costs
from lab.sim.chain.world import Model, simulate
from lab.sim.fit import by_simulation, equations, kept
from lab.sim.fit.equations import Estimate, fit
from lab.sim.fit.observed import Observed, observe

TRUE = Costs(line_shipped_s=240e-6, pod_cores=0.0066, starved_pod_cores=0.0105, system_share=0.045, call_spread=0.6, starved_read_ms=900.0)
"""Unlike the chosen ones, so that a fit that stays where it began is found out."""


@cache
def made(seed: int) -> tuple[list[Event], list[str]]:
    outcome = simulate(load_experiment("cascade", [f"seed={seed}"]), Model(costs=TRUE))
    return outcome.events, outcome.requests


def as_real(folder: Path, seed: int) -> Observed:
    """A simulated run whose history says that it is real."""
    events, requests = made(seed)
    opening = events[0]
    folder.mkdir()
    fields = {**opening.fields, "world": None}
    write_history(folder / "history.jsonl", [Event(0, opening.at_s, opening.kind, None, fields), *events[1:]])
    (folder / "locust.csv").write_text("\n".join(requests))
    return observe(folder, str(seed))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[Observed]:
    folder = tmp_path_factory.mktemp("runs")
    return [as_real(folder / str(seed), seed) for seed in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("line_shipped_s", 0.05),
        ("pod_cores", 0.15),
        ("starved_pod_cores", 0.15),
        ("system_share", 0.30),
        ("call_spread", 0.35),
        ("starved_read_ms", 0.25),
        ("page_ms", 0.05),
    ],
)
def test_the_fit_finds_what_the_runs_were_made_with(seen: list[Observed], name: str, within: float) -> None:
    found = fit(seen)[name]
    assert found.value == pytest.approx(getattr(TRUE, name), rel=within)
    assert found.low < found.value < found.high
    assert found.seen


def test_a_parameter_that_no_equation_holds_stays_as_chosen_and_says_so(seen: list[Observed]) -> None:
    found = fit(seen)["message_s"]
    assert found.value == pytest.approx(Costs().message_s, rel=0.01)
    assert not found.seen
    assert found.n == 0


def test_more_runs_make_more_observations(seen: list[Observed]) -> None:
    one, three = fit(seen[:1])["line_shipped_s"], fit(seen)["line_shipped_s"]
    assert one.n < three.n


def test_a_simulated_run_is_no_observation(tmp_path: Path) -> None:
    write_history(tmp_path / "history.jsonl", made(1)[0])
    with pytest.raises(Refused):
        observe(tmp_path, "")


def test_the_measures_of_two_runs_add_up_and_know_who_waited() -> None:
    first, second = (by_simulation.measure(History(made(seed)[0])) for seed in (1, 2))
    assert (first + second).member_s == pytest.approx(first.member_s + second.member_s)
    assert first.member_s > 30 * 170


def test_a_calibration_survives_being_kept(tmp_path: Path) -> None:
    calibration = kept.Calibration({"create_s": Estimate(0.5, 0.4, 0.6, True, 3)}, [kept.Source("a", "b")], {"numpy": "2"})
    (tmp_path / "kept.json").write_text(calibration.to_json())
    again = kept.load(tmp_path / "kept.json")
    assert again == calibration
    assert again.costs() == replace(Costs(), create_s=0.5)
    assert (again.used("b"), again.used("x")) == (True, False)


def test_a_parameter_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    raw = json.loads(kept.COMMITTED.read_text()) | {"parameters": {"speed": {"value": 1, "low": 1, "high": 1, "seen": True, "n": 1}}}
    (tmp_path / "kept.json").write_text(json.dumps(raw))
    with pytest.raises(Refused):
        kept.load(tmp_path / "kept.json")


def test_ones_own_calibration_goes_before_the_one_that_comes_with_the_lab(tmp_path: Path) -> None:
    assert kept.newest(tmp_path)[1] == kept.COMMITTED
    own = tmp_path / "simulator-calibration.json"
    own.write_text(kept.Calibration({}, [], {}).to_json())
    assert kept.newest(tmp_path)[1] == own


def test_quantiles_of_calls_that_are_made_again_are_those_of_many_drawn() -> None:
    chance, took_s = np.random.default_rng(1), []
    for _ in range(20_000):
        waited_s = 0.0
        while (call_s := 2.5 * chance.lognormal(0, 1.0)) > 4.0:
            waited_s += 4.0
        took_s.append(waited_s + call_s)
    assert equations.call_quantiles(2.5, 1.0, 4.0) == pytest.approx(np.quantile(took_s, equations.QUANTILES), rel=0.05)


def test_a_robust_scatter_is_not_moved_by_one_odd_value() -> None:
    calm = np.array([0.0, 0.1, -0.1, 0.05, -0.05])
    assert equations._scatter(np.append(calm, 100.0)) < 0.3
