"""A node's steady use, measured, kept for the machine, and good for some hours only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from lab.cluster import calibrate
from lab.cluster.calibrate import CALM_ALLOWED_S, CALM_SHARE, GOOD_FOR, TRUE_SHARE, WINDOW_S, await_calm, measure, recall, remember
from lab.cluster.shape import Plan
from lab.core.errors import Aborted
from lab.core.experiment import Workload
from tests.fakes import FakeClock, FakeProgress

WORKLOAD = Workload(pods=35, requests_per_s=25)


@dataclass
class Nodes:
    """Two app nodes, one of which uses 0.1 cores and the other 0.3, and a core node of 0.25."""

    clock: FakeClock = field(default_factory=FakeClock)
    app_nodes: Sequence[str] = ("one", "two")
    core: str = "core"

    @property
    def docker(self) -> Any:
        return self

    def used_s(self, name: str) -> float:
        self.clock.sleep(1.0)  # an answer takes its time, which must not count as use
        return self.clock.now_s() * {"one": 0.1, "two": 0.3, "core": 0.25}[name]


def measured() -> calibrate.Calibration:
    return measure(cast("Any", Nodes()), WORKLOAD, 0.1)


def test_the_use_is_that_of_a_node_over_the_window() -> None:
    found = measured()
    assert (found.use_cores, found.use_cores_max, found.window_s) == (pytest.approx(0.2), pytest.approx(0.3), WINDOW_S)
    assert (found.use.app_cores, found.use.core_cores) == (pytest.approx(0.2), pytest.approx(0.25))


def test_a_measurement_is_recalled_and_grows_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_LAB_CACHE", str(tmp_path))
    found = measured()
    remember(found)
    assert recall(WORKLOAD) == found
    then = FakeClock().utc()
    assert not found.stale(then + GOOD_FOR)
    assert found.stale(then + GOOD_FOR + timedelta(minutes=30))


def test_one_of_an_older_lab_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_LAB_CACHE", str(tmp_path))
    remember(measured())
    (tmp_path / "steady-use.json").rename(tmp_path / "calibration.json")  # where it kept what it read a quarter too high
    assert recall(WORKLOAD) is None


@dataclass
class Starting(Nodes):
    """One app node, of one core while its pods start and of half of that in each window after, down to 0.1."""

    app_nodes: Sequence[str] = ("one",)
    floor_cores: float = 0.1
    looks: int = 0
    total_s: float = 0.0

    def used_s(self, name: str) -> float:
        if self.looks % 2:
            self.total_s += calibrate.CALM_WINDOW_S * max(self.floor_cores, 0.5 ** (self.looks // 2))
        self.looks += 1
        return self.total_s


def calm(nodes: Nodes, plan: Plan | None = None) -> float:
    return await_calm(cast("Any", nodes), FakeProgress(), plan)


def test_nodes_are_calm_when_their_use_no_longer_falls() -> None:
    assert calm(Starting()) == pytest.approx(0.1)
    assert calm(Nodes()) == pytest.approx(0.2)


def test_a_node_that_wants_nearly_all_of_its_cap_is_not_calm() -> None:
    nodes = Nodes()
    begun_s = nodes.clock.now_s()
    with pytest.raises(Aborted, match=r"two uses 0.30 of 0.33 cores"):
        calm(nodes, Plan(0.3 / CALM_SHARE - 0.001, 0.3, 2))
    assert CALM_ALLOWED_S <= nodes.clock.now_s() - begun_s < 2 * CALM_ALLOWED_S
    assert calm(Nodes(), Plan(0.3 / CALM_SHARE + 0.01, 0.3, 2)) == pytest.approx(0.2)


def test_a_measurement_beside_other_work_is_outdone_by_a_calm_machine() -> None:
    found = measured()
    assert found.calm_cores == 0.1
    assert found.outdone(TRUE_SHARE * 0.1 - 0.001)
    assert not found.outdone(TRUE_SHARE * 0.1)
    assert not found.outdone(0.2), "a busy machine today says nothing about the day before"
