"""The links as they fire: the same answer as the verdict's, earlier."""

import json
import threading
from pathlib import Path

import pytest

from lab.checkers.links import TITLES
from lab.checkers.links import check_all as check_links
from lab.checkers.watch import Watch
from lab.core.history import Event, History
from lab.live.lights import CPU_SHARE, EVERY_S, Lights, LightsProcess, serve
from lab.live.model import Light
from tests import histories

CASCADE = histories.cascade().history()


def lights_until(at_s: float) -> dict[int, Light]:
    lights = Lights()
    lights.add([event for event in CASCADE.events if event.at_s <= at_s])
    return {light.link: light for light in lights.judge()}


def store(run: Path, events: list[Event]) -> None:
    lines = [json.dumps({"seq": e.seq, "at_s": e.at_s, "kind": e.kind, "cause": e.cause, **e.fields}) + "\n" for e in events]
    with (run / "history.jsonl").open("a") as file:
        file.writelines(lines)


def test_at_the_end_they_are_what_the_verdict_says() -> None:
    final = {one.link: (one.status, one.fired_at_s) for one in check_links(CASCADE, Watch.of(CASCADE))}
    assert {link: (light.status, light.fired_at_s) for link, light in lights_until(1000).items()} == final


def test_they_go_on_one_after_the_other_and_never_off() -> None:
    lit: set[int] = set()
    for at_s in (40, 60, 90, 110, 120, 140, 200, 294):
        now = {link for link, light in lights_until(at_s).items() if light.fired_at_s is not None}
        assert lit <= now
        lit = now
    assert lit == set(TITLES) - {7, 8, 9}


def test_before_the_steady_phase_has_ended_nothing_is_known() -> None:
    assert {light.status for light in lights_until(40).values()} == {"unknown"}


class Waits:
    """Stands in for the pause between two judgements: remembers it, and lets more of the history be written."""

    def __init__(self, run: Path, pieces: list[list[Event]]) -> None:
        self.run = run
        self.pieces = pieces
        self.waited_s: list[float] = []

    def __call__(self, wait_s: float) -> bool:
        self.waited_s.append(wait_s)
        if self.pieces:
            store(self.run, self.pieces.pop(0))
            return False
        return True


def test_served_they_are_told_when_one_has_changed_and_end_with_the_run(tmp_path: Path) -> None:
    events = CASCADE.events
    begin, middle, end = ([e for e in events if low <= e.at_s < high] for low, high in ((0, 60), (60, 130), (130, 1000)))
    store(tmp_path, begin)
    said: list[list[Light]] = []
    waits = Waits(tmp_path, [middle, [], end])
    serve(tmp_path, lambda lights: said.append(list(lights)), waits)
    fired = [[light.link for light in lights if light.fired_at_s is not None] for lights in said]
    assert len(said) == 3
    assert (fired[0], set(fired[-1])) == ([0, 1], set(TITLES) - {7, 8, 9})
    assert waits.waited_s[0] >= EVERY_S
    assert len(waits.waited_s) == 3


def test_a_judgement_is_paid_for_by_a_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 0.1] * 5)
    monkeypatch.setattr("time.process_time", lambda: next(ticks))
    store(tmp_path, CASCADE.events[:500])
    waits = Waits(tmp_path, [])
    serve(tmp_path, lambda _: None, waits)
    assert waits.waited_s == [pytest.approx(0.1 / CPU_SHARE)]


def test_in_a_process_of_their_own_they_see_the_last_of_the_history(tmp_path: Path) -> None:
    """Closed at once, as when a run ends: what was written until then is judged, and the process is gone."""
    store(tmp_path, [event for event in CASCADE.events if event.at_s <= 200])
    told: list[list[Light]] = []
    heard = threading.Event()
    process = LightsProcess(tmp_path, lambda lights: (told.append(lights), heard.set()))
    assert heard.wait(60)
    store(tmp_path, [event for event in CASCADE.events if event.at_s > 200 and event.kind != "end"])
    process.close()
    assert {light.link for light in told[-1] if light.fired_at_s is not None} == set(TITLES) - {7, 8, 9}
    assert process._child.returncode == 0


def test_without_a_history_they_just_end(tmp_path: Path) -> None:
    process = LightsProcess(tmp_path, lambda _: None)
    process.close()
    assert process._child.returncode == 1


def test_a_history_of_nothing_is_no_trouble() -> None:
    assert {light.status for light in Lights().judge()} == {"unknown"}
    assert History([]).end_s == 0
