"""The lab against the simulator: when links fire, how far they go, and how a few series run, with every residual stated."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from lab.checkers.log_flood import summed
from lab.checkers.series import Point, read
from lab.checkers.verdict import Verdict
from lab.checkers.watch import Watch
from lab.core.history import History
from lab.report.words import number

TOLERANCE = 0.30
"""Fired times should agree within this share. The issue's own figure."""
GRID_S = 5.0
"""Series are compared every so many seconds. Chosen: two or three samples of each."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of either world, judged."""

    name: str
    history: History
    verdict: Verdict

    @property
    def origin_s(self) -> float:
        """Its moments are counted from the end of the steady phase, when the outage begins."""
        watch = Watch.of(self.history)
        return watch.steady_end_s if watch else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One measure in both worlds.

    Args:
        title, unit: what.
        lab, sim: a value for each run in which it is known.
        lab_n, sim_n: runs in all.
        timed: it is a moment, which should agree within `TOLERANCE`.
    """

    title: str
    unit: str
    lab: tuple[float, ...]
    sim: tuple[float, ...]
    lab_n: int
    sim_n: int
    timed: bool = False

    @property
    def residual(self) -> float | None:
        """Median of the simulator over that of the lab, less 1; None where either is missing or the lab's is 0."""
        if not self.lab or not self.sim or not median(self.lab):
            return None
        return median(self.sim) / median(self.lab) - 1


@dataclass(frozen=True, slots=True)
class Curve:
    """A series of every run on one grid.

    Args:
        title, unit: what.
        at_s: (T,) seconds after the steady phase.
        lab, sim: for each run (T,) values, None where missing.
    """

    title: str
    unit: str
    at_s: tuple[float, ...]
    lab: tuple[tuple[float | None, ...], ...]
    sim: tuple[tuple[float | None, ...], ...]

    def means(self) -> Iterator[tuple[float, float]]:
        """At each moment known in both worlds, the mean over the runs of the lab and of the simulator."""
        for place in range(len(self.at_s)):
            here, there = ([run[place] for run in runs if run[place] is not None] for runs in (self.lab, self.sim))
            if here and there:
                yield sum(map(float, here)) / len(here), sum(map(float, there)) / len(there)  # type: ignore[arg-type]

    @property
    def residual(self) -> float | None:
        """Root of the mean square difference of the means, in the series' unit."""
        pairs = list(self.means())
        return math.sqrt(sum((ours - theirs) ** 2 for theirs, ours in pairs) / len(pairs)) if pairs else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows and curves, and in which order the links fired (by median) in each world."""

    rows: tuple[Row, ...]
    curves: tuple[Curve, ...]
    lab_order: tuple[int, ...]
    sim_order: tuple[int, ...]


def compare(lab: Sequence[Run], sim: Sequence[Run]) -> Comparison:
    """Compare runs of one experiment in both worlds."""
    links = [result.link for result in lab[0].verdict.links]
    rows = [*(_fired(link, lab, sim) for link in links), *(_peak(link, lab, sim) for link in links if link != 10), *_claims(lab, sim)]
    curves = [_curve(title, unit, points, lab, sim) for title, unit, points in SERIES]
    shown = tuple(curve for curve in curves if any(True for _ in curve.means()))
    return Comparison(tuple(rows), shown, _order(rows, links, "lab"), _order(rows, links, "sim"))


def lines(found: Comparison) -> Iterator[str]:
    """The comparison as text."""
    yield "measure | lab | simulator | residual"
    for row in found.rows:
        yield " | ".join(words(row))
    yield "series | lab, mean | simulator, mean | root mean square residual"
    for curve in found.curves:
        pairs = list(curve.means())
        ours, theirs = sum(sim for _, sim in pairs) / len(pairs), sum(lab for lab, _ in pairs) / len(pairs)
        yield f"{curve.title} | {number(theirs, curve.unit)} | {number(ours, curve.unit)} | {number(curve.residual, curve.unit)}"
    same = "the same" if found.lab_order == found.sim_order else "NOT the same"
    yield f"order in which links fire, by median: lab {_listed(found.lab_order)}; simulator {_listed(found.sim_order)}: {same}"


def words(row: Row) -> tuple[str, str, str, str]:
    """One row in words."""
    return row.title, _told(row.lab, row.lab_n, row.unit), _told(row.sim, row.sim_n, row.unit), _residual(row)


def _told(values: Sequence[float], runs: int, unit: str) -> str:
    if not values:
        return f"in none of {runs}"
    spread = f" ({number(min(values), unit)} to {number(max(values), unit)})" if len(values) > 1 else ""
    return f"{number(median(values), unit)}{spread} in {len(values)} of {runs}"


def _residual(row: Row) -> str:
    if row.residual is None:
        return "-"
    text = f"{100 * row.residual:+.0f} %"
    if not row.timed:
        return text
    return f"{text}, {median(row.sim) - median(row.lab):+.0f} s{'' if abs(row.residual) <= TOLERANCE else ': NOT within 30 %'}"


def _fired(link: int, lab: Sequence[Run], sim: Sequence[Run]) -> Row:
    """Seconds from the begin of the outage until a link fires."""
    title = f"link {link} ({lab[0].verdict.link(link).title}) fires"
    return _row(title, "s", lambda run: _after(run, run.verdict.link(link).fired_at_s), lab, sim, timed=True)


def _peak(link: int, lab: Sequence[Run], sim: Sequence[Run]) -> Row:
    result = lab[0].verdict.link(link)
    return _row(f"link {link}, peak of {result.measure}", result.unit, lambda run: run.verdict.link(link).peak, lab, sim)


def _claims(lab: Sequence[Run], sim: Sequence[Run]) -> Iterator[Row]:
    for title, name, unit in (
        ("nodes NotReady after the release", "nodes_not_ready_after_release", ""),
        ("pods evicted", "pods_evicted_share", "share"),
        ("read p99 at agents, steady", "agent_read_ms_p99_steady", "ms"),
        ("read p99 at agents, after the release", "agent_read_ms_p99_after_release", "ms"),
        ("members failed or left", "members_gone_share", "share"),
    ):
        yield _row(title, unit, lambda run, name=name: getattr(run.verdict.evidence.claims, name, None), lab, sim)  # type: ignore[misc]


def _row(
    title: str, unit: str, value: Callable[[Run], float | None], lab: Sequence[Run], sim: Sequence[Run], *, timed: bool = False
) -> Row:
    here, there = (tuple(float(known) for run in runs if (known := value(run)) is not None) for runs in (lab, sim))
    return Row(title, unit, here, there, len(lab), len(sim), timed)


def _after(run: Run, at_s: float | None) -> float | None:
    return None if at_s is None else at_s - run.origin_s


def _order(rows: Sequence[Row], links: Sequence[int], world: str) -> tuple[int, ...]:
    """Links that fire in most of the runs, by the median of when they do."""
    found = []
    for link, row in zip(links, rows, strict=False):
        values, runs = (row.lab, row.lab_n) if world == "lab" else (row.sim, row.sim_n)
        if 2 * len(values) > runs:
            found.append((median(values), link))
    return tuple(link for _, link in sorted(found))


def _listed(order: Sequence[int]) -> str:
    return ", ".join(map(str, order)) or "none"


def _one(name: str) -> Callable[[History], list[Point]]:
    return lambda history: [point for points in read(history, name).values() for point in points]


def _backlog(history: History) -> list[Point]:
    series = read(history, "log_backlog_bytes")
    return summed(series) if series else []


SERIES: tuple[tuple[str, str, Callable[[History], list[Point]]], ...] = (
    ("members alive", "members", _one("members_alive")),
    ("members failed", "members", _one("members_failed")),
    ("members left", "members", _one("members_left")),
    ("pods running", "pods", _one("pods_running")),
    ("pods pending", "pods", _one("pods_pending")),
    ("nodes NotReady", "nodes", _one("nodes_not_ready")),
    ("log backlog", "B", _backlog),
    ("lines shipped a second", "", _one("shipped_lines_per_s")),
    ("load balancer's live backends", "", _one("lb_backends_live")),
)
"""What is drawn and compared over time."""


def _curve(title: str, unit: str, points: Callable[[History], list[Point]], lab: Sequence[Run], sim: Sequence[Run]) -> Curve:
    end_s = min(run.history.end_s - run.origin_s for run in (*lab, *sim))
    at_s = tuple(place * GRID_S for place in range(-4, int(end_s / GRID_S)))
    here, there = (tuple(_on_grid(points(run.history), run.origin_s, at_s) for run in runs) for runs in (lab, sim))
    return Curve(title, unit, at_s, here, there)


def _on_grid(points: Sequence[Point], origin_s: float, at_s: Sequence[float]) -> tuple[float | None, ...]:
    known: dict[int, list[float]] = {}
    for point in points:
        if point.value is not None:
            known.setdefault(math.floor((point.at_s - origin_s) / GRID_S), []).append(point.value)
    return tuple(sum(values) / len(values) if (values := known.get(round(moment / GRID_S), [])) else None for moment in at_s)
