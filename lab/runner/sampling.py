"""One thread per probe at a fixed cadence, so that a slow answer delays no other question; one thread per watch."""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.core.clock import Clock
from lab.core.errors import Aborted
from lab.core.protocols import Probe, Reading, Watch
from lab.runner.recorder import Recorder

LATE_RATIO = 0.2
"""A sample that starts later than this share of its interval is marked; 20 % is what the lab promises of 99 % of its samples."""

NAP_S = 0.5
"""Chosen: a sampler that waits looks this often whether it should end; longer makes the end of a run wait, shorter costs CPU."""

JOIN_S = 2.0
"""What a watch is allowed for its end (`Watch.run`), and what is added to a probe's own time-out."""


WATCH_AGAIN_S = 1.0
"""Chosen: a watch that fell over begins again after this; shorter would spin on an API server that is away."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """Tick k is due at `start_s + k * interval_s`, whatever the ticks before took."""

    start_s: float
    interval_s: float

    def due_s(self, tick: int) -> float:
        """When `tick` is due."""
        return self.start_s + tick * self.interval_s

    def late(self, tick: int, now_s: float) -> bool:
        """Is `now_s` too late for `tick` to count as on time?"""
        return now_s - self.due_s(tick) > LATE_RATIO * self.interval_s

    def after(self, tick: int, now_s: float) -> int:
        """The tick to wait for after `tick` was answered at `now_s`; the ones between are skipped.

        The tick that just fell due is still taken, late or not: under load a late sample says more than none.
        """
        return max(tick + 1, math.floor((now_s - self.start_s) / self.interval_s))


@dataclass(slots=True)
class Counts:
    """Ticks asked, and those of them that were late or had to be skipped."""

    samples: int = 0
    samples_late: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, late: bool, skipped: int) -> None:
        """One tick was asked; `skipped` before the next were not."""
        with self.lock:
            self.samples += 1 + skipped
            self.samples_late += int(late) + skipped


class Asker:
    """Asks one probe and writes down what it answers."""

    def __init__(self, probe: Probe, recorder: Recorder) -> None:
        self.probe = probe
        self._recorder = recorder
        self._known: tuple[tuple[str, str], ...] = ((probe.name, ""),)

    def ask(self, *, late: bool) -> None:
        """One question: a line of the history for each reading, at the time of the question."""
        at_s = self._recorder.now_s()
        readings = self._readings()
        took_ms = round((self._recorder.now_s() - at_s) * 1000, 1)
        marks: dict[str, Any] = {"late": True} if late else {}
        for reading in readings:
            value, reason = _checked(reading)
            missing: dict[str, Any] = {} if reason is None else {"reason": reason}
            fields: dict[str, Any] = {
                "series": reading.series,
                "target": reading.target,
                "value": value,
                "probe": self.probe.name,
                "took_ms": took_ms,
            }
            self._recorder.record("sample", at_s=at_s, **fields, **missing, **marks)

    def _readings(self) -> Sequence[Reading]:
        try:
            readings = self.probe.sample()
        except Exception as error:  # noqa: BLE001  # a probe must not raise; one that does costs its samples, not the run
            reason = f"the probe raised {type(error).__name__}: {error}"[:300]
            return [Reading(series, target, None, reason) for series, target in self._known]
        self._known = tuple((reading.series, reading.target) for reading in readings) or self._known
        return readings


def _checked(reading: Reading) -> tuple[float | None, str | None]:
    """Value and reason; a value that is no finite number is missing."""
    if reading.value is None:
        return None, reading.reason or "no value and no reason"
    if not math.isfinite(reading.value):
        return None, f"not a number: {reading.value}"
    return float(reading.value), reading.reason


class Sampling:
    """The threads of a run."""

    def __init__(self, probes: Sequence[Probe], watches: Sequence[Watch], recorder: Recorder, clock: Clock) -> None:
        self.counts = Counts()
        self._clock = clock
        self._recorder = recorder
        self._stop = threading.Event()
        self._threads = [(_thread(f"watch-{watch.name}", self._watcher(watch)), JOIN_S) for watch in watches]
        for number, probe in enumerate(probes):
            offset = probe.interval_s * number / len(probes)
            self._threads.append((_thread(f"probe-{probe.name}", self._sampler(probe, offset)), probe.timeout_s + NAP_S + JOIN_S))

    def start(self) -> None:
        """Start all; probes of one interval are spread over it, so that they do not all ask at once."""
        for thread, _ in self._threads:
            thread.start()

    def stop(self) -> list[str]:
        """End all; the names of those that did not end within their time."""
        self._stop.set()
        for thread, allowed_s in self._threads:
            if thread.ident is not None:
                thread.join(allowed_s)
        return [thread.name for thread, _ in self._threads if thread.is_alive()]

    def _watcher(self, watch: Watch) -> Callable[[], None]:
        def work() -> None:
            while not self._stop.is_set():
                try:
                    watch.run(self._recorder.emit, self._stop)
                except Exception as error:  # noqa: BLE001  # a watch must not raise; one that does is missing for a while, and begins again
                    reason = f"the watch raised {type(error).__name__}: {error}"[:300]
                    self._recorder.emit("sample", {"series": f"watch_{watch.name}", "target": "", "value": None, "reason": reason})
                self._stop.wait(WATCH_AGAIN_S)

        return work

    def _sampler(self, probe: Probe, offset_s: float) -> Callable[[], None]:
        def work() -> None:
            asker = Asker(probe, self._recorder)
            cadence = Cadence(self._clock.now_s() + offset_s, probe.interval_s)
            tick = 0
            while self._wait_until(cadence.due_s(tick)):
                late = cadence.late(tick, self._clock.now_s())
                try:
                    asker.ask(late=late)
                except Aborted:
                    return
                following = cadence.after(tick, self._clock.now_s())
                self.counts.add(late=late, skipped=following - tick - 1)
                tick = following

        return work

    def _wait_until(self, due_s: float) -> bool:
        """True when it is `due_s`; False when the run is over."""
        while not self._stop.is_set():
            left_s = due_s - self._clock.now_s()
            if left_s <= 0:
                return True
            self._clock.sleep(min(left_s, NAP_S))
        return False


def _thread(name: str, work: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=work, name=name, daemon=True)
