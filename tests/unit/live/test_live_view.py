"""One screen on a terminal, few whole lines elsewhere."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from stories import LIGHTS, STORY, event, sample

from lab.core.history import Event
from lab.live.model import Model
from lab.live.strips import ASCII, UNICODE
from lab.live.view import Lines, glyphs, live_view


def console(*, terminal: bool, **more: object) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, height=30, color_system=None, **more)  # type: ignore[arg-type]


def text(shown: Console) -> str:
    return shown.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def told(shown: Console, story: list[Event]) -> str:
    with live_view(shown) as view:
        for each in story:
            for observer in view.observers:
                observer(each)
    return text(shown)


@pytest.fixture(autouse=True)
def _no_keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        yield


def test_without_a_terminal_there_is_a_line_for_each_change_and_one_every_10_s() -> None:
    ticks = [sample(78 + second, "pods_running", "lab", 50 - second) for second in range(21)]
    lines = told(console(terminal=False), [*STORY, *ticks, event(99, "end", status="completed", reason="")]).splitlines()
    assert [line.strip().split("  ", 1)[1] for line in lines if "|" not in line] == [
        "phase prepare",
        "phase steady of 40 s",
        "phase outage of 40 s",
        "fault pause-broker on broker: open",
        "fault pause-broker on broker: injected",
        "node w3: not Ready (Unknown)",
        "run completed",
    ]
    assert [line.split(" s")[0].strip() for line in lines if "|" in line] == ["21", "50", "61", "77", "87", "97"]


def test_a_line_says_all_that_the_screen_says() -> None:
    last = [line for line in told(console(terminal=False), STORY).splitlines() if "|" in line][-1]
    for part in ("phase: outage, 15 s of 40 s", "nodes: 1 of 2 Ready (not: w3)", "pods: 50 running", "members: 53 alive", "left: 160 s"):
        assert f"{part}" in last
    assert "open faults: pause-broker (injected)" in last


def test_a_link_that_fires_is_a_line() -> None:
    shown = console(terminal=False)
    lines = Lines(Model(), shown)
    lines.judged(LIGHTS)
    lines.judged(LIGHTS)
    assert [line.strip() for line in text(shown).splitlines()] == [
        "0 s  link 0 (Kafka away) fired at 64 s",
        "0 s  link 1 (Logs pile up, then flood) fired at 70 s",
    ]


def test_on_a_terminal_there_is_one_screen_with_every_row() -> None:
    screen = told(console(terminal=True), STORY)
    for words in ("cascade", "outage", "not Ready", "41 running", "812 ms", "9 failed", "12.3 kB", "pause-broker injected", "left"):
        assert words in screen


@pytest.mark.parametrize("more", [{"no_color": True}, {"color_system": None}])
def test_without_colour_no_colour_is_sent(more: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Console(file=io.StringIO(), force_terminal=True, width=100, height=30, **more)  # type: ignore[arg-type]
    assert all(f"\x1b[{code}m" not in told(shown, STORY) for code in ("31", "32", "33", "36", "1;31"))


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "phase outage of 40 s" in told(console(terminal=True), STORY)


@pytest.mark.parametrize(("encoding", "wanted"), [("utf-8", UNICODE), ("ascii", ASCII), ("iso-8859-1", ASCII)])
def test_a_terminal_gets_only_signs_that_it_can_show(encoding: str, wanted: object) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert glyphs(Console(file=file)) is wanted


def test_a_view_that_does_not_understand_an_event_gives_up_once_and_the_run_goes_on() -> None:
    shown = console(terminal=False)
    nonsense = event(5, "phase")
    assert told(shown, [nonsense, nonsense, *STORY]).count("the live view gave up (KeyError: 'state'); the run goes on") == 1


def test_a_picture_that_cannot_be_drawn_says_so_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.live.view.frame", lambda *_: 1 / 0)
    assert "no picture (ZeroDivisionError: division by zero); the run goes on" in told(console(terminal=True), STORY)


class Closed(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_a_pipe_that_nobody_reads_any_more_ends_the_view_and_not_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console.Console.on_broken_pipe", lambda _: (_ for _ in ()).throw(SystemExit(1)))
    with live_view(Console(file=Closed())) as view:
        for each in STORY:
            view.see(each)
        view.judged(LIGHTS)
