"""Two runs laid over each other: each with its clock set to 0 at the release, and what of them can be compared in one chart."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from lab.checkers.series import Point
from lab.checkers.verdict import Verdict
from lab.checkers.watch import Watch
from lab.core.errors import Refused
from lab.core.history import History
from lab.report.chain import Axis
from lab.report.panels import Line, Panel, figures, panels
from lab.report.sentence import is_simulated
from lab.report.words import short_node

BUCKET_S = 2.0
"""Nodes are put together over so long. Chosen: the interval at which they are sampled."""

TONES = ("n1", "n2")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs.

    Args:
        label: `A cascade`.
        name: of its folder.
        origin_s: what is 0 on the common clock.
        aligned_on: in words, what that is.
        watch: its moments on its own clock.
    """

    label: str
    name: str
    history: History
    verdict: Verdict
    watch: Watch
    origin_s: float
    aligned_on: str

    @property
    def axis(self) -> Axis:
        """Its watch on the common clock."""
        return Axis(self.watch.begin_s - self.origin_s, self.watch.end_s - self.origin_s)

    def moved(self, at_s: float | None) -> float | None:
        """From its own clock to the common one."""
        return None if at_s is None else at_s - self.origin_s

    def moved_watch(self) -> Watch:
        """Its moments on the common clock."""
        return Watch(*(self.moved(getattr(self.watch, field.name)) for field in dataclasses.fields(Watch)))  # type: ignore[arg-type]


def side(letter: str, name: str, history: History, verdict: Verdict) -> Side:
    """One run, made ready for comparison.

    Raises:
        Refused: it never had a finished steady phase, so it has no moment to be aligned on.
    """
    watch = Watch.of(history)
    if watch is None:
        raise Refused(f"compare {name}", "its steady phase never ended, so there is nothing to align it on", "name another run")
    flood = history.phase("flood")
    origin_s, on = (
        (watch.release_s, "Kafka's release")
        if watch.release_s is not None
        else (flood[0], "the beginning of the flood phase, as nothing was released")
        if flood is not None
        else (watch.steady_end_s, "the end of the steady phase, as nothing was released")
    )
    label = f"{letter} {history.header['experiment']['name']}{' (simulated)' if is_simulated(history) else ''}"
    return Side(label, name, history, verdict, watch, origin_s, on)


def common_axis(sides: Sequence[Side]) -> Axis:
    """From the earlier begin to the later end."""
    return Axis(min(each.axis.begin_s for each in sides), max(each.axis.end_s for each in sides))


def overlaid(sides: Sequence[Side]) -> list[tuple[Panel, list[dict[str, str]]]]:
    """One chart for each line of the report, with a line for each run, and their figures in words.

    Lines of the nodes become one: the highest of all nodes. Single answers are left out where a percentile of them is shown.
    """
    told = [_lines_of(each) for each in sides]
    labels: dict[str, set[str]] = {}
    for panel_id, label in (key for known in told for key in known):
        labels.setdefault(panel_id, set()).add(label)
    found: list[tuple[Panel, list[dict[str, str]]]] = []
    for panel_id, label in dict.fromkeys(key for known in told for key in known):
        shape = next(known[panel_id, label][0] for known in told if (panel_id, label) in known)
        if len(labels[panel_id]) > 1:
            place = sum(panel.title.startswith(f"{shape.title}: ") for panel, _ in found)
            shape = dataclasses.replace(shape, id=f"{panel_id}-{place}" if place else panel_id, title=f"{shape.title}: {label}")
        rows = [(each, known[panel_id, label][1]) for each, known in zip(sides, told, strict=True) if (panel_id, label) in known]
        lines = [Line(each.label, TONES[sides.index(each)], _shifted(points, each)) for each, points in rows]
        panel = dataclasses.replace(shape, lines=lines, tall=False)
        words = [
            figures(dataclasses.replace(panel, lines=[line]), each.moved_watch())[0] for line, (each, _) in zip(lines, rows, strict=True)
        ]
        found.append((panel, words))
    return found


def _lines_of(each: Side) -> dict[tuple[str, str], tuple[Panel, Sequence[Point]]]:
    """Chart and name of a line -> the frame of its chart and the points of this run on its own clock."""
    nodes = {short_node(event["node"]) for event in each.history.of("node")}
    found: dict[tuple[str, str], tuple[Panel, Sequence[Point]]] = {}
    for panel in panels(each.history):
        if all(line.label in nodes for line in panel.lines):
            frame = dataclasses.replace(panel, note=f"{panel.note} Highest of all nodes.".strip())
            found[panel.id, "nodes"] = (frame, highest([line.points for line in panel.lines]))
            continue
        for line in [line for line in panel.lines if line.style not in {"dots", "rings"}] or panel.lines:
            found[panel.id, line.label] = (panel, line.points) if line.own is None else (dataclasses.replace(panel, note=""), line.own)
    return found


def highest(many: Sequence[Sequence[Point]]) -> list[Point]:
    """The highest value of all in each `BUCKET_S`; missing where none of them has a value."""
    buckets: dict[int, list[Point]] = {}
    for points in many:
        for point in points:
            buckets.setdefault(int(point.at_s // BUCKET_S), []).append(point)
    found = []
    for bucket, points in sorted(buckets.items()):
        known = [point.value for point in points if point.value is not None]
        found.append(Point((bucket + 0.5) * BUCKET_S, max(known) if known else None, "" if known else points[0].reason))
    return found


def _shifted(points: Sequence[Point], each: Side) -> list[Point]:
    return [Point(point.at_s - each.origin_s, point.value, point.reason) for point in points]
