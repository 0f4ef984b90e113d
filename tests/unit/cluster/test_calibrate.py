"""A node's steady use, measured, kept for the machine, and good for some hours only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from lab.cluster import calibrate
from lab.cluster.calibrate import GOOD_FOR, WINDOW_S, measure, recall, remember
from lab.core.experiment import Workload
from tests.fakes import FakeClock

WORKLOAD = Workload(pods=35, requests_per_s=25)


@dataclass
class Nodes:
    """Two app nodes, one of which uses 0.1 cores and the other 0.3."""

    clock: FakeClock = field(default_factory=FakeClock)
    app_nodes: Sequence[str] = ("one", "two")

    @property
    def docker(self) -> Any:
        return self

    def used_s(self, name: str) -> float:
        self.clock.sleep(1.0)  # an answer takes its time, which must not count as use
        return self.clock.now_s() * {"one": 0.1, "two": 0.3}[name]


def measured() -> calibrate.Calibration:
    return measure(cast("Any", Nodes()), WORKLOAD)


def test_the_use_is_that_of_a_node_over_the_window() -> None:
    found = measured()
    assert (found.use_cores, found.use_cores_max, found.window_s) == (pytest.approx(0.2), pytest.approx(0.3), WINDOW_S)


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
