"""Watch a run from outside: as it is written, again at another speed, or as it stood at one moment. Only reads."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live

from lab.core.clock import Clock
from lab.core.history import Event
from lab.live.follow import Follower
from lab.live.keys import Keys, read_keys
from lab.live.lights import Lights
from lab.live.model import Model
from lab.live.view import REFRESH_HZ, Lines, Screen, drawable, drawn, glyphs

TICK_S = 0.5
"""Chosen: how late a line of the history may be seen; half of what the eye is shown."""
CPU_SHARE = 0.01
"""Of one core for judging a run that goes on. Chosen: a watcher is one more process, at a low priority, on a machine that is being measured."""
CPU_SHARE_REPLAY = 0.05
"""Chosen: nothing is measured then, and at 20 times the speed a link should still light up near its second."""
BEFORE_S = 1.0
"""Chosen: a replay begins so much before the steady phase; what was prepared before it took minutes of which nothing is drawn."""


class _Watching:
    """A face, and what it is shown."""

    def __init__(self, face: Screen | Lines, clock: Clock, cpu_share: float) -> None:
        self._face = face
        self._clock = clock
        self._cpu_share = cpu_share
        self._lights = Lights()
        self._next_s = clock.now_s()
        self._unjudged = False

    def show(self, events: Sequence[Event]) -> None:
        """More of the history; judged when the last judgement is paid for, and at once when the run has ended."""
        for event in events:
            self._face.see(event)
        self._lights.add(events)
        self._unjudged = self._unjudged or bool(events)
        now_s = self._clock.now_s()
        if self._unjudged and (now_s >= self._next_s or any(event.kind == "end" for event in events)):
            self._face.judged(self._lights.judge())
            self._unjudged = False
            self._next_s = now_s + (self._clock.now_s() - now_s) / self._cpu_share


def follow(run: Path, console: Console, clock: Clock, alive: Callable[[], bool]) -> str:
    """Show the run as it is written, until it ends, nobody writes it any more, or the user leaves.

    Args:
        run: its folder.
        console: where to.
        clock: of the machine.
        alive: is it being written?

    Returns:
        A sentence on how the watching ended.

    Raises:
        Refused: there is no history, or it is none.
    """
    follower, model = Follower.of(run), Model()
    with _shown(model, console) as (face, left):
        watching = _Watching(face, clock, CPU_SHARE)
        while True:
            written = alive()  # asked first: what was written before it ended is read after
            events = follower.read()
            watching.show(events)
            if model.ended:
                return f"the run has ended: {run}"
            if not written and not events:
                return f"the history ends at {model.at_s:.0f} s and nobody writes it: the run was killed; heal what it left with: lab heal"
            if left.wait(TICK_S):
                return f"no longer watching; the run goes on: lab watch {run}"


def replay(run: Path, console: Console, clock: Clock, speed: float) -> str:
    """Show a stored run again, `speed` times as fast as it was. Returns and raises as `follow` does."""
    events, model = Follower.of(run).read(), Model()
    begin_s = next((event.at_s for event in events if event.get("phase") == "steady"), 0.0) - BEFORE_S
    with _shown(model, console) as (face, left):
        watching = _Watching(face, clock, CPU_SHARE_REPLAY)
        started_s, shown = clock.now_s(), 0
        while shown < len(events):
            until_s = begin_s + (clock.now_s() - started_s) * speed
            stop = next((number for number in range(shown, len(events)) if events[number].at_s > until_s), len(events))
            watching.show(events[shown:stop])
            shown = stop
            if left.wait(TICK_S):
                return f"no longer watching {run}"
    return f"that was {run}"


def still(run: Path, console: Console, at_s: float | None) -> None:
    """Print how the run stood at `at_s` on its clock, or stands at its end.

    Raises:
        Refused: there is no history, or it is none.
    """
    events = [event for event in Follower.of(run).read() if at_s is None or event.at_s <= at_s]
    model, lights = Model(), Lights()
    for event in events:
        model.see(event)
    lights.add(events)
    model.judged(lights.judge())
    console.print(drawn(model.picture(model.at_s if at_s is None else at_s), console, glyphs(console)))
    console.line()


@contextmanager
def _shown(model: Model, console: Console) -> Iterator[tuple[Screen | Lines, threading.Event]]:
    """A face for `model` while the block lasts, and whether the user has left."""
    left = threading.Event()
    if not drawable(console):
        yield Lines(model, console), left
        return
    keys = Keys(leave=left.set)
    screen = Screen(model, console, keys)
    with Live(screen, console=console, refresh_per_second=REFRESH_HZ) as live, read_keys(keys, live.refresh):
        try:
            yield screen, left
        finally:
            keys.over()
