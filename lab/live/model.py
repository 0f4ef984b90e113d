"""What is known of a run so far, from its events; no drawing, no clock, no file.

`Model.see` takes each event once; `Model.picture` says how things stand at a moment, for whoever draws it.
"""

import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.checkers.watch import SETTLE_S_MAX, SETTLE_SHARE
from lab.core.history import Event
from lab.runner.injuries import OVERDUE_S

P99_OVER_S = 60.0
"""Chosen: p99 over the last minute: at two reads a second the slowest but one of 120."""
READS_KEPT = 4000
"""Chosen: the reads of half an hour; the minute that is shown needs 120."""
PLANNED = ("steady", "outage", "flood", "recovery")
SERIES = {
    "agent_read_ms": "p99",
    "members_alive": "members",
    "log_backlog_bytes_max": "backlog",
}
"""Series of the history that are drawn over time, and the row they make."""
LEAST = {"members"}
"""Rows of which a second shows its least value, not its greatest: what is missing matters there."""


@dataclass(frozen=True, slots=True)
class Light:
    """One link as judged so far. `status` is fired, quiet or unknown; quiet means not yet, as long as the run goes on."""

    link: int
    title: str
    status: str
    fired_at_s: float | None
    recovered_at_s: float | None


@dataclass(frozen=True, slots=True)
class OpenFault:
    """A fault that is not closed yet.

    Args:
        name: of the fault.
        target: what it hits.
        change: the last that was heard of it: open, injected, witnessed, healed.
        heal_at_s: when the timeline heals it; None where the experiment does not say.
        deadline_s: when the watchdog heals it, whatever has become of the run.
    """

    name: str
    target: str
    change: str
    heal_at_s: float | None
    deadline_s: float | None


@dataclass(frozen=True, slots=True)
class Picture:
    """How a run stands. Times are seconds on the run clock.

    Args:
        name: of the experiment; "" before the history's first line.
        simulated: no container runs.
        at_s: now.
        phase: its name, or how the run ended.
        phase_s: seconds in it.
        phase_allowed_s: its planned length; None where none is planned.
        left_s: seconds until the planned end of the watch; None before the steady phase and after the end.
        begin_s, end_s: the time that strips and sparklines show: from the steady phase to the planned end.
        phases: the phases of that time, with when each began or will begin.
        ended: how the run ended, and why; empty while it goes on.
        nodes: for each node, by name, its Ready condition from when on.
        rows: for each sparkline, a value per second of the run clock in which there was one.
        values: newest value of each `(series, target)`.
        p99_ms: of the reads through agents in the last minute, and in the steady phase.
        faults: those open.
        lights: the links as judged so far; None before the first judgement.
        expected: the links that the experiment says will fire.
    """

    name: str
    simulated: bool
    at_s: float
    phase: str
    phase_s: float
    phase_allowed_s: float | None
    left_s: float | None
    begin_s: float
    end_s: float
    phases: Sequence[tuple[str, float]]
    ended: str
    nodes: Mapping[str, Sequence[tuple[float, str]]]
    rows: Mapping[str, Mapping[int, float]]
    values: Mapping[tuple[str, str], float | None]
    p99_ms: float | None
    p99_steady_ms: float | None
    faults: Sequence[OpenFault]
    lights: Sequence[Light] | None
    expected: Sequence[int]


@dataclass(slots=True)
class _Known:
    experiment: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = False
    at_s: float = 0.0
    phase: str = "start"
    phase_from_s: float = 0.0
    begun: list[tuple[str, float]] = field(default_factory=list)
    ended: str = ""
    nodes: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    rows: dict[str, dict[int, float]] = field(default_factory=lambda: {row: {} for row in SERIES.values()})
    values: dict[tuple[str, str], float | None] = field(default_factory=dict)
    reads: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=READS_KEPT))
    p99_steady_ms: float | None = None
    faults: dict[tuple[str, str], OpenFault] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    lights: Sequence[Light] | None = None


class Model:
    """Safe from several threads; `see` is an observer of the history."""

    def __init__(self) -> None:
        self._known = _Known()
        self._lock = threading.Lock()

    def see(self, event: Event) -> str | None:
        """Note an event; a sentence if it is one worth a line."""
        with self._lock:
            known = self._known
            known.at_s = max(known.at_s, event.at_s)
            match event.kind:
                case "run":
                    known.experiment = event["experiment"] if "experiment" in event.fields else {}
                    known.simulated = event.get("world") == "simulated"
                case "sample":
                    _see_sample(known, event)
                case "node":
                    return _see_node(known, event)
                case "phase":
                    return _see_phase(known, event)
                case "fault":
                    return _see_fault(known, event)
                case "end":
                    known.phase, known.phase_from_s = event["status"], event.at_s
                    known.ended = f"{event['status']}{': ' if event['reason'] else ''}{event['reason']}"
                    return f"run {known.ended}"
            return None

    def judged(self, lights: Sequence[Light]) -> list[str]:
        """Note how the links stand; a sentence for each that has fired since."""
        with self._lock:
            before = {light.link for light in self._known.lights or () if light.fired_at_s is not None}
            self._known.lights = lights
        new = sorted((light for light in lights if light.fired_at_s is not None and light.link not in before), key=_fired)
        return [f"link {light.link} ({light.title}) fired at {light.fired_at_s:.0f} s" for light in new]

    @property
    def at_s(self) -> float:
        """Run clock of the newest event."""
        return self._known.at_s

    @property
    def ended(self) -> bool:
        """Has the run ended?"""
        return bool(self._known.ended)

    def picture(self, now_s: float) -> Picture:
        """How things stand.

        Args:
            now_s: run clock; the newest event is older when all is quiet.
        """
        with self._lock:
            known = self._known
            at_s = known.at_s if known.ended else max(known.at_s, now_s)
            phases = _phases(known)
            end_s = _planned_end(known, phases)
            values = sorted(value for read_s, value in known.reads if at_s - read_s <= P99_OVER_S)
            return Picture(
                name=str(known.experiment.get("name", "")),
                simulated=known.simulated,
                at_s=at_s,
                phase=known.phase,
                phase_s=at_s - known.phase_from_s,
                phase_allowed_s=_length(known, known.phase),
                left_s=None if known.ended or not phases else max(0.0, end_s - at_s),
                begin_s=phases[0][1] if phases else 0.0,
                end_s=max(end_s, at_s),
                phases=phases,
                ended=known.ended,
                nodes={name: list(told) for name, told in known.nodes.items()},
                rows={name: dict(row) for name, row in known.rows.items()},
                values=dict(known.values),
                p99_ms=nearest_rank(values, 0.99) if values else None,
                p99_steady_ms=known.p99_steady_ms,
                faults=list(known.faults.values()),
                lights=known.lights,
                expected=list(known.experiment.get("expected", {}).get("links", ())),
            )


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the `ordered` values do not exceed (nearest-rank percentile)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _see_sample(known: _Known, event: Event) -> None:
    series, value = event["series"], event["value"]
    known.values[series, event["target"]] = value
    if value is None or series not in SERIES:
        return
    if series == "agent_read_ms":
        known.reads.append((event.at_s, value))
    name = SERIES[series]
    row, second = known.rows[name], int(event.at_s)
    better = min if name in LEAST else max
    row[second] = value if second not in row else better(row[second], value)


def _see_node(known: _Known, event: Event) -> str | None:
    told = known.nodes.setdefault(event["node"], [])
    changed = bool(told) and told[-1][1] != event["ready"]
    told.append((event.at_s, event["ready"]))
    if not changed:
        return None
    return f"node {event['node']}: {'Ready' if event['ready'] == 'True' else 'not Ready (' + event['ready'] + ')'}"


def _see_phase(known: _Known, event: Event) -> str | None:
    if event["state"] != "begin":
        if event["phase"] == "steady":
            known.p99_steady_ms = _steady_p99(known, event.at_s)
        return None
    known.phase, known.phase_from_s = event["phase"], event.at_s
    known.begun.append((event["phase"], event.at_s))
    allowed_s = _length(known, event["phase"])
    return f"phase {event['phase']}" + ("" if allowed_s is None else f" of {allowed_s:.0f} s")


def _see_fault(known: _Known, event: Event) -> str:
    name, target, change = event["fault"], event["target"], event["change"]
    key = (name, target)
    if change == "open":
        heal_at_s = _heal_at_s(known, name)
        known.faults[key] = OpenFault(name, target, change, heal_at_s, None if heal_at_s is None else heal_at_s + OVERDUE_S)
    elif change == "closed":
        known.faults.pop(key, None)
    elif key in known.faults:
        before = known.faults[key]
        known.faults[key] = OpenFault(name, target, change, before.heal_at_s, before.deadline_s)
    return f"fault {name} on {target}: {change}"


def _heal_at_s(known: _Known, name: str) -> float | None:
    """The planned heal of the next fault or remedy of that name; several of one name open in the order of their injection."""
    faults, remedies = (known.experiment.get(kind, ()) for kind in ("faults", "remedies"))
    acts = [*((spec["fault"], spec) for spec in faults), *((spec["remedy"], spec) for spec in remedies)]
    specs = sorted((spec for act, spec in acts if act == name), key=lambda spec: float(spec["inject_at_s"]))
    number = known.opened.get(name, 0)
    known.opened[name] = number + 1
    origin_s = next((begin_s + _wait(known, begin_s) for phase, begin_s in known.begun if phase == "steady"), None)
    if origin_s is None or number >= len(specs):
        return None
    return origin_s + float(specs[number]["heal_at_s"])


def _wait(known: _Known, steady_s: float) -> float:
    """Seconds from the begin of the steady phase to the begin of the timeline: as seen, or as planned."""
    seen = next((begin_s for phase, begin_s in known.begun if phase in PLANNED[1:]), None)
    return (_length(known, "steady") or 0.0) if seen is None else seen - steady_s


def _steady_p99(known: _Known, end_s: float) -> float | None:
    """As the checkers do it: without the first part, in which the load settles."""
    begin_s = next((begin_s for phase, begin_s in known.begun if phase == "steady"), 0.0)
    settled_s = begin_s + min(SETTLE_S_MAX, SETTLE_SHARE * (end_s - begin_s))
    values = sorted(value for at_s, value in known.reads if settled_s <= at_s < end_s)
    return nearest_rank(values, 0.99) if values else None


def _length(known: _Known, phase: str) -> float | None:
    """Planned seconds of a phase; None for the ones that take what they take."""
    return float(known.experiment[f"{phase}_s"]) if phase in PLANNED and f"{phase}_s" in known.experiment else None


def _phases(known: _Known) -> list[tuple[str, float]]:
    """The phases that have a place on the time axis: as they began, then as they are planned. Empty before the steady phase."""
    found = [(phase, begin_s) for phase, begin_s in known.begun if phase in PLANNED]
    if not found:
        return []
    for phase in PLANNED[PLANNED.index(found[-1][0]) + 1 :]:
        before, begin_s = found[-1]
        if (_length(known, phase) or 0.0) > 0:
            found.append((phase, begin_s + (_length(known, before) or 0.0)))
    return found


def _planned_end(known: _Known, phases: Sequence[tuple[str, float]]) -> float:
    return phases[-1][1] + (_length(known, phases[-1][0]) or 0.0) if phases else known.at_s


def _fired(light: Light) -> float:
    return light.fired_at_s or 0.0
