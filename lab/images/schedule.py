"""Make parts in an order that keeps both cores busy: two at a time, the longest road to the end first."""

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any

from lab.adapters import shell
from lab.core.clock import Clock
from lab.core.errors import Aborted, Refused
from lab.core.paths import cache
from lab.core.progress import Progress
from lab.images.parts import Bench, Part, remember, remembered, write_whole

WORKERS = 2
"""Chosen: a compiler fills two cores, a download or an unpacking none; two at a time overlap them. More only fight for memory."""

Made = dict[str, dict[str, Any]]
Outcome = tuple[dict[str, Any], float | None]
"""What a part came out as, and the seconds it took; None where it was there already."""


def make_all(parts: Sequence[Part], progress: Progress, clock: Clock, tidy: Callable[[], None] = lambda: None) -> Made:
    """Make what is missing; parts that are already there cost a look.

    Args:
        parts: everything that shall be there, in any order.
        progress: one step per part that is made; two may be open at once, from two threads.
        clock: for the timings that are kept.
        tidy: called before the first part is made, alone in the cache: removes what a killed run left.

    Raises:
        LabError: of the first part that failed; what was made until then is kept.
    """
    made: Made = {}
    left = _skip_present(parts, made)
    if not left:
        return made
    with _alone():
        tidy()
        return _make(parts, left, made, progress, clock)


def _make(parts: Sequence[Part], left: list[Part], made: Made, progress: Progress, clock: Clock) -> Made:
    roads = road_s(parts)
    halted = Event()
    running: dict[Future[Outcome], Part] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            while left or running:
                for part in _ready(left, made, roads)[: WORKERS - len(running)]:
                    left.remove(part)
                    running[pool.submit(_one, part, dict(made), progress, clock, halted)] = part
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future).name
                    made[name], took_s = future.result()
                    if took_s is not None:
                        _note_time(name, took_s, clock.utc().isoformat(timespec="seconds"))
        except BaseException:
            halted.set()
            shell.end_all()
            raise
    return made


def lacking(parts: Sequence[Part]) -> list[str]:
    """The names of the parts that would have to be made now."""
    return [part.name for part in _skip_present(parts, {})]


def road_s(parts: Sequence[Part]) -> dict[str, float]:
    """Seconds from the start of each part to the end of the last one that waits for it."""
    after: dict[str, list[Part]] = {part.name: [other for other in parts if part.name in other.needs] for part in parts}
    roads: dict[str, float] = {}
    for part in reversed(in_order(parts)):
        roads[part.name] = part.expect_s + max((roads[other.name] for other in after[part.name]), default=0.0)
    return roads


def in_order(parts: Sequence[Part]) -> list[Part]:
    """The parts, each after all that it needs; an unknown need or a circle is our own mistake."""
    order: list[Part] = []
    left = list(parts)
    while left:
        names = {part.name for part in order}
        ready = [part for part in left if set(part.needs) <= names]
        assert ready, f"parts wait for each other or for nothing: {[part.name for part in left]}"
        order += ready
        left = [part for part in left if part not in ready]
    return order


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the cache's lock; the kernel lets go of it when we end, however we end."""
    place = cache() / "images.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise Refused(
                "make images", f"another process does so (it holds {place})", "wait for it to end, then run the same command again"
            ) from held
        yield


def _skip_present(parts: Sequence[Part], made: Made) -> list[Part]:
    left = []
    for part in in_order(parts):
        before = remembered(part, made) if set(part.needs) <= made.keys() else None
        if before is None:
            left.append(part)
        else:
            made[part.name] = before
    return left


def _ready(left: Sequence[Part], made: Made, roads: Mapping[str, float]) -> list[Part]:
    ready = [part for part in left if set(part.needs) <= made.keys()]
    return sorted(ready, key=lambda part: -roads[part.name])


def _one(part: Part, made: Made, progress: Progress, clock: Clock, halted: Event) -> Outcome:
    before = remembered(part, made)  # a need was made again and came out the same
    if before is not None:
        return before, None
    if halted.is_set():
        raise Aborted(f"make {part.name}", "stopped before it began")
    log = cache() / "logs" / f"{part.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    start = clock.now_s()
    with progress.step(f"Making {part.name}") as step:
        step.say(f"log {log}")
        result = part.make(Bench(step, log, made))
        remember(part, made, result)
    return result, clock.now_s() - start


def _note_time(name: str, took_s: float, ended_utc: str) -> None:
    place = cache() / "logs" / "timings.json"
    try:
        times = json.loads(place.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        times = {}
    times[name] = {"took_s": round(took_s, 1), "ended_utc": ended_utc}
    write_whole(place, json.dumps(times, indent=1))
