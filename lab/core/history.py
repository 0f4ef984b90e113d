"""The history: an append-only record of everything that happened in a run, one JSON object per line.

Written as it happens and never rewritten, so a killed run still tells what it saw; every judgement and picture is made from it alone.
"""

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.core.clock import Clock
from lab.core.errors import Refused

HISTORY_FILE = "history.jsonl"
TOGETHER = 1000
"""Lines that are parsed at once. Chosen: it takes half the time of line by line, and a megabyte; a torn line makes this many be read twice."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history.

    Args:
        seq: 0, 1, 2 ... in the order of writing.
        at_s: run clock in seconds; 0 is the opening of the history.
        kind: `run`, `phase`, `step`, `fault`, `sample`, `node`, `pod`, `kube_event`, `member_change`, `locust`, `accounting`, `lab`, `end`.
        cause: `seq` of the event that led to this one, if one is known.
        fields: what the kind carries.
    """

    seq: int
    at_s: float
    kind: str
    cause: int | None
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The field `name`, or `default`."""
        return self.fields.get(name, default)


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer of a probe: a value, or none and the reason.

    Missing is not zero and not healthy.
    """

    at_s: float
    value: float | None
    reason: str | None = None
    late: bool = False


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""Made once: making it takes as long as a line."""

Observer = Callable[[Event], None]
"""Called for each event after it is written, in order, from the writing thread: must be quick and must not append."""


class HistoryWriter:
    """Appends events from any thread. Each line is handed to the system whole; `sync=True` also reaches the disk before the call returns.

    A line that could not be written whole is cut off again, so that a full disk never leaves a torn line in the middle.
    """

    def __init__(self, path: Path, clock: Clock, observers: Sequence[Observer] = ()) -> None:
        self._clock = clock
        self._observers = tuple(observers)
        self._start_s = clock.now_s()
        self._lock = threading.RLock()
        self._seq = 0
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def now_s(self) -> float:
        """The run clock: seconds since the history was opened."""
        return self._clock.now_s() - self._start_s

    def append(self, kind: str, *, cause: int | None = None, sync: bool = False, at_s: float | None = None, **fields: Any) -> int:
        """Write one event and return its `seq`.

        Raises:
            OSError: the disk refused (full, gone) or the history is closed; the caller must stop the run.
        """
        with self._lock:
            event = Event(self._seq, round(self.now_s() if at_s is None else at_s, 4), kind, cause, fields)
            line = {"seq": event.seq, "at_s": event.at_s, "kind": kind, "cause": cause, **fields}
            self._write((_encode(line) + "\n").encode(), sync=sync)
            self._seq += 1
            for observer in self._observers:
                observer(event)
            return event.seq

    def close(self) -> None:
        """Reach the disk and close; idempotent."""
        with self._lock:
            if self._file is None:
                return
            try:
                os.fsync(self._file)
            finally:
                os.close(self._file)
                self._file = None

    def _write(self, line: bytes, *, sync: bool) -> None:
        if self._file is None:
            raise OSError(errno.EBADF, "the history is closed")
        written = os.write(self._file, line)
        if written < len(line):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(errno.ENOSPC, f"only {written} of {len(line)} bytes of a line were written")
        if sync:
            os.fsync(self._file)


def event_of(line: str | bytes) -> Event:
    """The event of one line.

    Raises:
        ValueError: it is none.
    """
    return _event(json.loads(line))


def _event(raw: Any) -> Event:
    try:
        return Event(raw.pop("seq"), raw.pop("at_s"), raw.pop("kind"), raw.pop("cause"), raw)
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(str(error)) from error


def _together(lines: Sequence[str]) -> list[Event]:
    found = json.loads(f"[{','.join(lines)}]")
    if len(found) != len(lines):
        raise ValueError("a line holds more than an event")
    return [_event(raw) for raw in found]


def _one_by_one(path: Path, lines: Sequence[str], begin: int) -> Iterator[Event]:
    """Events of the lines that are read together from `begin` on, of which one is not an event."""
    for number, line in enumerate(lines[begin : begin + TOGETHER], begin + 1):
        try:
            yield event_of(line)
        except ValueError as error:
            if number == len(lines):
                return
            raise Refused(f"read the history {path}", f"line {number} is not an event: {error}", "restore the file") from error


class History:
    """A stored history, read whole."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self._kinds: dict[str, list[Event]] = {}
        for event in events:
            self._kinds.setdefault(event.kind, []).append(event)
        self._series: dict[str, dict[str, list[Sample]]] = {}
        for event in self.of("sample"):
            sample = Sample(event.at_s, event["value"], event.get("reason"), bool(event.get("late")))
            self._series.setdefault(event["series"], {}).setdefault(event["target"], []).append(sample)

    @classmethod
    def read(cls, path: Path) -> "History":
        """Read `path`; a last line cut short by a crash is dropped.

        Raises:
            Refused: no such file, or a line that is not an event.
        """
        if not path.is_file():
            raise Refused(f"read the history {path}", "no such file", "name the folder of a run: lab judge runs/RUN")
        events: list[Event] = []
        lines = path.read_text(encoding="utf-8").splitlines()
        for begin in range(0, len(lines), TOGETHER):
            try:
                events += _together(lines[begin : begin + TOGETHER])
            except ValueError:
                events += _one_by_one(path, lines, begin)
        return cls(events)

    def of(self, kind: str) -> Iterator[Event]:
        """Events of one kind, in order."""
        return iter(self._kinds.get(kind, ()))

    def first(self, kind: str, **fields: Any) -> Event | None:
        """The first event of `kind` whose fields equal those given."""
        return next((e for e in self.of(kind) if all(e.get(k) == v for k, v in fields.items())), None)

    def targets(self, series: str) -> list[str]:
        """Targets of a series, sorted."""
        return sorted(self._series.get(series, {}))

    def samples(self, series: str, target: str | None = None) -> list[Sample]:
        """Samples of one target, or of all targets merged in time order."""
        by_target = self._series.get(series, {})
        if target is not None:
            return by_target.get(target, [])
        return sorted((s for samples in by_target.values() for s in samples), key=lambda s: s.at_s)

    def phase(self, name: str) -> tuple[float, float] | None:
        """Begin and end of a phase on the run clock; an open phase ends with the history."""
        begin = self.first("phase", phase=name, state="begin")
        if begin is None:
            return None
        end = self.first("phase", phase=name, state="end")
        return begin.at_s, end.at_s if end else self.end_s

    @property
    def end_s(self) -> float:
        """Run clock of the last event."""
        return self.events[-1].at_s if self.events else 0.0

    @property
    def header(self) -> Event:
        """The opening `run` event.

        Raises:
            Refused: the history has none.
        """
        event = self.first("run")
        if event is None:
            raise Refused("judge this history", "it has no opening event", "run the experiment again")
        return event
