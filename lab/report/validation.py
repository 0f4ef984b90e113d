"""The page of `lab validate`: the table, and for each row where the simulation lies against what passes."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from lab.sim.validate import EXPLAINED, Row, cells

FOLDER = Path(__file__).parent
FACTOR = 4.0
"""The scale of the plots reaches from 1 / FACTOR to FACTOR times the published value. Chosen: what passes is within a factor of two."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Places in percent of the plot's width, the published value in the middle; the scale is logarithmic.

    Args:
        band: where the row passes.
        whisker: the interval over seeds, cut at the plot's edges; None if there is none.
        dot: the mean; None below or beyond the plot.
    """

    band: tuple[float, float]
    whisker: tuple[float, float] | None
    dot: float | None


def render_page(rows: Sequence[Row]) -> str:
    """The page. Same input, same bytes."""
    told = [
        (cells(row), plot(row), row.passes, EXPLAINED.get(row.target, "") if not row.passes else row.caveat, row.source) for row in rows
    ]
    passing = sum(row.passes for row in rows)
    css = "".join((FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "small.css"))
    return _template().render(rows=told, passing=passing, total=len(rows), css=css, factor=f"{FACTOR:g}")


def plot(row: Row) -> Plot:
    """Geometry of one row."""
    low, high = row.interval
    known = math.isfinite(low) and math.isfinite(high) and row.published > 0
    return Plot(
        band=(_place(row.low, row.published), _place(row.high, row.published)),
        whisker=(_place(low, row.published), _place(high, row.published)) if known else None,
        dot=_place(row.mean, row.published) if 1 / FACTOR <= row.mean / row.published <= FACTOR else None,
    )


def _place(value: float, published: float) -> float:
    ratio = max(value / published, 1e-9)
    return round(50 + 50 * min(1.0, max(-1.0, math.log(ratio) / math.log(FACTOR))), 2)


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("validation.html.j2")
