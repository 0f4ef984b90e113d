"""The page of a sweep: in how many runs each link fired, and for each figure a dot a run, arm below arm, with the median and its interval."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lab.checkers.verdict import Verdict
from lab.report.link_table import claim, fired_of, titles_of
from lab.report.order_statistics import median
from lab.report.pool_table import COLUMNS
from lab.report.pool_table import Figure as PoolFigure
from lab.report.repeats import CLAIMS
from lab.report.template import fill
from lab.report.words import counted, number


@dataclass(frozen=True, slots=True)
class Shown:
    """One run.

    Args:
        name: what its dot is called.
        verdict: what came out.
        href: of its report; "" if it left none.
    """

    name: str
    verdict: Verdict
    href: str = ""


Runs = Mapping[tuple[str, ...], Sequence[Shown]]


@dataclass(frozen=True, slots=True)
class Cell:
    """How often a link fired in one arm; `share` is None where no run could tell."""

    words: str
    share: float | None


@dataclass(frozen=True, slots=True)
class Dot:
    """One run in a plot; `x` in percent of its width, `open` where the value is known to be larger than all that was seen."""

    x: float
    open: bool
    words: str
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    """One arm in a plot. `band` is the interval of the median, `middle` the median; None where there is none within the plot."""

    arm: str
    dots: Sequence[Dot]
    band: tuple[float, float] | None
    middle: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot, from 0 to `most`."""

    title: str
    most: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a plot shows: `value` out of a verdict, None where a run does not know it, infinity where its end was not seen."""

    title: str
    unit: str
    value: Callable[[Verdict], float | None]


def render_page(experiment: str, changes: Sequence[str], fields: Sequence[str], runs: Runs, *, simulated: bool = False) -> str:
    """The page. Same input, same bytes.

    Args:
        experiment: its name.
        changes: `FIELD=VALUE` that all runs have in common.
        fields: what was varied.
        runs: values of these fields -> the runs that were made with them.
        simulated: no container ran, and the page must say so.
    """
    links = titles_of(one.verdict for found in runs.values() for one in found)
    chain = [(", ".join(values) or "all runs", len(found), [_cell(link, found) for link in links]) for values, found in runs.items()]
    figures = [found for measure in measures() if (found := figure(measure, runs)) is not None]
    total = sum(len(found) for found in runs.values())
    return fill(
        "sweep.html.j2",
        None,
        experiment=experiment,
        changes=", ".join(changes),
        fields=", ".join(fields),
        links=links,
        chain=chain,
        figures=figures,
        total=total,
        simulated=simulated,
        title=f"{experiment}, {counted(len(runs), 'arm')} compared",
    )


def measures() -> list[Measure]:
    """The figures of the chain, then those of the pool."""
    return [
        *(Measure(title, unit, functools.partial(claim, name=name)) for title, name, unit in CLAIMS),
        *(Measure(column.title, "", functools.partial(_of_pool, column.figure)) for column in COLUMNS),
    ]


def figure(measure: Measure, runs: Runs) -> Figure | None:
    """Its plot; None where no run knows it, or it is 0 in all of them."""
    values = {arm: [(one, value) for one in found if (value := measure.value(one.verdict)) is not None] for arm, found in runs.items()}
    known = [value for found in values.values() for _, value in found if not math.isinf(value)]
    unseen = any(math.isinf(value) for found in values.values() for _, value in found)
    if not unseen and not any(known):
        return None
    most = max(known, default=0.0) or 1.0
    rows = [_row(", ".join(arm) or "all runs", found, most, measure.unit) for arm, found in values.items()]
    return Figure(measure.title, number(most, measure.unit), rows)


def _row(arm: str, found: Sequence[tuple[Shown, float]], most: float, unit: str) -> Row:
    dots = [Dot(_x(value, most), math.isinf(value), f"{one.name}: {_told(value, unit)}", one.href) for one, value in found]
    told = median([value for _, value in found])
    if told is None:
        return Row(arm, dots, None, None, "-")
    low, high = _x(told.low, most), _x(told.high, most)
    words = (
        _told(told.middle, unit)
        if told.low == told.high
        else f"{_told(told.middle, unit)} ({_told(told.low, unit)} to {_told(told.high, unit)})"
    )
    return Row(arm, dots, (low, round(high - low, 2)), _x(told.middle, most), words)


def _x(value: float, most: float) -> float:
    """Percent of the plot's width; what was not seen to end stands at its right edge, beyond the largest that was."""
    return 100.0 if math.isinf(value) else round(94 * value / most, 2)


def _told(value: float, unit: str) -> str:
    return "not seen" if math.isinf(value) else number(value, unit)


def _cell(link: int, found: Sequence[Shown]) -> Cell:
    fired, told = fired_of([one.verdict.link(link) for one in found])
    return Cell(f"{fired} of {told}", fired / told) if told else Cell("-", None)


def _of_pool(figure_of: PoolFigure, verdict: Verdict) -> float | None:
    pool = verdict.evidence.pool
    return None if pool is None else figure_of(pool)
