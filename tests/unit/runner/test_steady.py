"""The gate in front of the fault."""

import pytest

from lab.core.history import Event
from lab.runner.steady import Gate, Readings, not_steady

GOOD: Readings = {
    ("nodes_not_ready", "cluster"): [(95.0, 0.0), (99.0, 0.0)],
    ("pods_running", "lab"): [(80.0, 7.0), (95.0, 50.0), (99.0, None)],
    ("consul_read_ms", "servers"): [(95.0, None), (99.0, 2.0)],
}


def test_it_opens_when_all_is_as_it_must_be_within_the_window() -> None:
    assert not_steady(GOOD, 50, 100.0) == []


@pytest.mark.parametrize(
    ("series", "target", "values", "said"),
    [
        ("nodes_not_ready", "cluster", [(95.0, 1.0), (99.0, 0.0)], "nodes_not_ready[cluster] was 1, must be 0"),
        ("pods_running", "lab", [(99.0, 49.0)], "pods_running[lab] was 49, must be 50"),
        ("pods_running", "lab", [(99.0, 51.0)], "pods_running[lab] was 51, must be 50"),
        ("pods_running", "lab", [(89.0, 50.0)], "pods_running[lab] was not measured"),
        ("nodes_not_ready", "cluster", [(99.0, None)], "nodes_not_ready[cluster] was not measured"),
        ("consul_read_ms", "servers", [(99.0, None)], "Consul's servers did not answer a read"),
    ],
)
def test_it_stays_shut_and_says_why(series: str, target: str, values: list[tuple[float, float | None]], said: str) -> None:
    assert not_steady({**GOOD, (series, target): values}, 50, 100.0) == [said]


def test_what_was_not_measured_at_all_is_not_steady() -> None:
    assert len(not_steady({}, 50, 100.0)) == 3


def test_the_gate_learns_from_the_events_of_the_history() -> None:
    gate = Gate(pods=50)
    for (series, target), values in GOOD.items():
        for at_s, value in values:
            gate.see(Event(0, at_s, "sample", None, {"series": series, "target": target, "value": value}))
    gate.see(Event(0, 99.0, "sample", None, {"series": "other", "target": "x", "value": 1.0}))
    assert gate.wrong(100.0) == []
    assert gate.wrong(100.0, windows=2) == ["pods_running[lab] was 7, must be 50"]
