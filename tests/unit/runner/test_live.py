"""The live view: drawn from events alone, one screen on a terminal, few whole lines elsewhere."""

import io
from typing import Any

import pytest
from rich.console import Console

from lab.core.history import Event
from lab.runner.live import Picture, live_view, nearest_rank
from lab.runner.load import load_experiment

CASCADE = load_experiment("cascade")


def event(at_s: float, kind: str, **fields: Any) -> Event:
    return Event(0, at_s, kind, None, fields)


def sample(at_s: float, series: str, target: str, value: float | None) -> Event:
    return event(at_s, "sample", series=series, target=target, value=value)


STORY = [
    event(0, "run"),
    event(1, "phase", phase="steady", state="begin"),
    event(1, "node", node="w2", ready="True"),
    event(1, "node", node="w3", ready="True"),
    sample(2, "pods_running", "lab", 50),
    sample(2, "agent_read_ms", "agents", 2.0),
    sample(2, "members_alive", "pool", 53),
    event(46, "phase", phase="outage", state="begin"),
    event(46, "fault", fault="pause-broker", target="broker", change="open"),
    event(47, "fault", fault="pause-broker", target="broker", change="injected"),
    event(60, "node", node="w3", ready="Unknown"),
    sample(61, "agent_read_ms", "agents", 812.5),
    sample(61, "agent_read_ms", "agents", None),
    sample(61, "log_backlog_bytes_max", "pod-max", 12_345),
    sample(61, "pods_running", "lab", 41),
    sample(61, "evictions_total", "lab", 9),
    sample(61, "members_failed", "pool", 9),
]


def rows(story: list[Event], now_s: float) -> dict[str, str]:
    picture = Picture(CASCADE)
    for each in story:
        picture.see(each)
    return dict(picture.rows(now_s))


def test_it_shows_where_the_run_stands_and_how_the_system_is() -> None:
    assert rows(STORY, 61.0) == {
        "phase": "outage, 15 s of 40 s",
        "nodes": "1 of 2 Ready (not: w3)",
        "pods": "41 running, 9 evictions",
        "Consul read p99": "812.5 ms",
        "members": "53 alive, 9 failed",
        "log backlog": "12.3 kB in the fullest pod",
        "open faults": "pause-broker (injected)",
    }


def test_what_is_not_known_yet_is_a_question_mark_and_not_a_zero() -> None:
    assert set(rows([], 0).values()) == {"start, 0 s", "?", "none"}


def test_p99_forgets_what_is_older_than_a_minute() -> None:
    assert rows(STORY, 130.0)["Consul read p99"] == "?"


def test_a_closed_fault_is_no_longer_open() -> None:
    assert rows([*STORY, event(90, "fault", fault="pause-broker", target="broker", change="closed")], 90)["open faults"] == "none"


@pytest.mark.parametrize(
    ("values", "share", "wanted"), [([1.0], 0.99, 1.0), (list(range(1, 101)), 0.99, 99), (list(range(1, 102)), 0.99, 100), ([1, 2], 0.5, 1)]
)
def test_nearest_rank_by_its_definition(values: list[float], share: float, wanted: float) -> None:
    assert nearest_rank(values, share) == wanted


def shown(*, terminal: bool, story: list[Event]) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)
    with live_view(console, CASCADE) as observers:
        for each in story:
            for observer in observers:
                observer(each)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_without_a_terminal_there_is_a_line_for_each_change_and_one_every_10_s() -> None:
    ticks = [sample(70 + second, "pods_running", "lab", 50 - second) for second in range(21)]
    lines = shown(terminal=False, story=[*STORY, *ticks, event(99, "end", status="completed", reason="")]).splitlines()
    assert [line.strip().split("  ", 1)[1] for line in lines if "|" not in line] == [
        "phase steady of 40 s",
        "phase outage of 40 s",
        "fault pause-broker on broker: open",
        "fault pause-broker on broker: injected",
        "run completed",
    ]
    assert [line.split(" s")[0].strip() for line in lines if "|" in line] == ["60", "70", "80", "90"]


def test_on_a_terminal_there_is_one_screen_with_every_row() -> None:
    screen = shown(terminal=True, story=STORY)
    for words in ("cascade", "outage", "1 of 2 Ready", "41 running", "812.5 ms", "9 failed", "pause-broker (injected)"):
        assert words in screen
