"""Geometry of the pictures that need no script: the causal timeline, the nodes' strips, the shaded stretches. All in percent of the time axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.checkers.nodes import stretches
from lab.checkers.verdict import Verdict
from lab.checkers.watch import Watch
from lab.core.history import History
from lab.report.panels import tone_of
from lab.report.words import number, seconds, short_node

FAULTS = {
    "pause-broker": "Kafka away",
    "flap-broker": "Kafka comes and goes",
    "partition-broker": "Kafka cut off",
    "kill-agents": "Agents killed",
    "pause-agents": "Agents frozen",
    "churn-pods": "Pods come and go",
    "stress-node": "CPU burnt",
    "redeploy-agents": "Agents redeployed",
}
"""What a reader is told of each fault; one that is not here goes by its name."""

ROW = 38
"""Pixels from one link to the next. Chosen: a line of text and a bar."""
STRIPS_MAX = 24
"""Nodes that get a strip of their own. Chosen: a screen's height; the lab has seven, a simulated cluster thousands."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From seconds on the run clock to percent of the width."""

    begin_s: float
    end_s: float

    def at(self, at_s: float) -> float:
        """Percent, within 0 and 100."""
        share = (at_s - self.begin_s) / max(self.end_s - self.begin_s, 1e-9)
        return round(100 * min(max(share, 0.0), 1.0), 3)

    def width(self, begin_s: float, end_s: float) -> float:
        """Percent between two moments."""
        return round(self.at(end_s) - self.at(begin_s), 3)

    def ticks(self) -> list[tuple[float, str]]:
        """Round moments, at most twelve, with their labels."""
        step = next((step for step in (5, 10, 20, 30, 60, 120, 300, 600, 1800) if (self.end_s - self.begin_s) / step <= 12), 3600)
        first = int(-(-self.begin_s // step) * step)
        return [(self.at(at_s), f"{at_s} s") for at_s in range(first, int(self.end_s) + 1, step)]


@dataclass(frozen=True, slots=True)
class Mark:
    """One fired link in the timeline: from when to when, what led to it, and what to write beside it."""

    link: int
    title: str
    status: str
    row: int
    x: float
    width: float
    open_end: bool
    from_row: int | None
    from_x: float
    text: str
    left_of_mark: bool


def axis(history: History, watch: Watch | None) -> Axis:
    """The steady phase, if there was one, up to the end of the watch."""
    return Axis(watch.begin_s, watch.end_s) if watch else Axis(0.0, max(history.end_s, 1.0))


def marks(verdict: Verdict, time: Axis) -> list[Mark]:
    """One row per link, in order of cause."""
    rows = {result.link: row for row, result in enumerate(verdict.links)}
    fired = {result.link: result.fired_at_s for result in verdict.links if result.fired_at_s is not None}
    found = []
    for result in verdict.links:
        begin_s = result.fired_at_s
        end_s = time.end_s if result.recovered_at_s is None else max(result.recovered_at_s, begin_s or 0.0)
        after = result.after if result.link != 10 else None
        found.append(
            Mark(
                link=result.link,
                title=result.title,
                status=result.status,
                row=rows[result.link],
                x=time.at(begin_s) if begin_s is not None else 0.0,
                width=time.width(begin_s, end_s) if begin_s is not None else 0.0,
                open_end=result.recovered_at_s is None,
                from_row=None if after is None else rows[after],
                from_x=0.0 if after is None else time.at(fired[after]),
                text=_text(result.status, begin_s, result.lag_s if after is not None else None, after),
                left_of_mark=begin_s is not None and time.at(begin_s) > 62,
            )
        )
    return found


def _text(status: str, fired_at_s: float | None, lag_s: float | None, after: int | None) -> str:
    if fired_at_s is None:
        return {"unknown": "not judged", "unmeasured": "not measured"}.get(status, "did not fire")
    if lag_s is None:
        return f"{fired_at_s:.0f} s"
    return f"{fired_at_s:.0f} s, {lag_s:+.0f} s after {after}"


def shades(history: History, watch: Watch | None, time: Axis) -> list[dict[str, Any]]:
    """The shaded stretches: each fault, from its injection to its healing, and the flood."""
    found: list[dict[str, Any]] = []
    opened: dict[str, float] = {}
    for event in history.of("fault"):
        if event["change"] == "injected":
            opened[event["fault"]] = event.at_s
        if event["change"] == "healed" and event["fault"] in opened:
            found.append(_shade(FAULTS.get(event["fault"], event["fault"]), "fault", opened.pop(event["fault"]), event.at_s, time))
    found += [_shade(FAULTS.get(fault, fault), "fault", at_s, time.end_s, time) for fault, at_s in opened.items()]
    start = history.first("locust", profile="flood", change="start")
    if start is not None:
        end_s = watch.flood_end_s if watch and watch.flood_end_s is not None else time.end_s
        found.append(_shade("Log flood", "flood", start.at_s, end_s, time))
    return found


def strips(history: History, time: Axis) -> list[dict[str, Any]]:
    """One strip per node: when it was Ready, NotReady, Unknown. Of very many, the first by name, and in words what became of the others."""
    by_node = stretches(history, time.end_s)
    shown = sorted(by_node)[:STRIPS_MAX]
    rows = []
    for node in shown:
        known = by_node[node]
        bad_s = sum(s.end_s - max(s.begin_s, time.begin_s) for s in known if s.ready != "True" and s.end_s > time.begin_s)
        parts = [
            {
                "x": time.at(s.begin_s),
                "width": time.width(s.begin_s, s.end_s),
                "ready": s.ready,
                "from": seconds(s.begin_s),
                "to": seconds(s.end_s),
            }
            for s in known
            if time.width(s.begin_s, s.end_s) > 0
        ]
        words = "Ready all along" if bad_s == 0 else f"not Ready for {number(bad_s, 's')}"
        rows.append({"node": short_node(node), "tone": tone_of(node, shown), "parts": parts, "words": words})
    if others := [known for node, known in by_node.items() if node not in shown]:
        lost = sum(any(stretch.ready != "True" for stretch in known) for known in others)
        rows.append({"node": f"{len(others):,} more", "tone": "grey", "parts": [], "words": f"{lost:,} of them not Ready at some time"})
    return rows


def phases(history: History, time: Axis) -> list[dict[str, Any]]:
    """The phases that last, for the ruler on top."""
    names: Sequence[str] = ("steady", "outage", "flood", "recovery")
    found = [(name, span) for name in names if (span := history.phase(name)) is not None]
    return [
        {"name": name, "x": time.at(begin), "width": time.width(begin, end), "begin_s": round(begin, 2), "end_s": round(end, 2)}
        for name, (begin, end) in found
        if time.width(begin, end) > 0
    ]


def _shade(label: str, kind: str, begin_s: float, end_s: float, time: Axis) -> dict[str, Any]:
    return {
        "label": label,
        "kind": kind,
        "begin_s": round(begin_s, 2),
        "end_s": round(end_s, 2),
        "x": time.at(begin_s),
        "width": time.width(begin_s, end_s),
    }
