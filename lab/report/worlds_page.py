"""The page of `lab compare-worlds`: the same tables, and the series of both worlds drawn over each other. One file that asks no network."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from lab.report.words import number
from lab.report.worlds import Comparison, Curve, words

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 900, 150
"""Of a drawing, in its own units."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One curve drawn.

    Args:
        title, top: what, and the value at its upper edge in words.
        residual: in words.
        lab: a path for each run.
        band, middle: the simulator's runs: from the least to the most, and their mean.
        zero_x: where the steady phase ends.
    """

    title: str
    top: str
    residual: str
    lab: tuple[str, ...]
    band: str
    middle: str
    zero_x: float


def render_page(found: Comparison, facts: Sequence[str]) -> str:
    """The page. `facts`: sentences on which runs and which calibration. Same input, same bytes."""
    css = (FOLDER / "page.css").read_text(encoding="utf-8")
    return _template().render(
        css=css,
        facts=facts,
        rows=[(words(row), row.timed) for row in found.rows],
        drawings=[draw(curve) for curve in found.curves],
        lab_order=", ".join(map(str, found.lab_order)) or "none",
        sim_order=", ".join(map(str, found.sim_order)) or "none",
        same=found.lab_order == found.sim_order,
        width=WIDTH,
        height=HEIGHT,
    )


def draw(curve: Curve) -> Drawing:
    """Paths of one curve."""
    known = [value for runs in (curve.lab, curve.sim) for run in runs for value in run if value is not None]
    top = max(known, default=1.0) or 1.0
    places = [run[place] for place in range(len(curve.at_s)) for run in curve.sim if run[place] is not None]
    columns = [[run[place] for run in curve.sim if run[place] is not None] for place in range(len(curve.at_s))]
    low, high, mean = (
        [None if not column else pick([float(value) for value in column if value is not None]) for column in columns]
        for pick in (min, max, lambda values: sum(values) / len(values))
    )
    band = ""
    if places:
        there, back = _points(curve, high, top), _points(curve, low, top)
        band = " ".join(f"{x:g},{y:g}" for x, y in [*there, *reversed(back)])
    return Drawing(
        title=curve.title,
        top=number(top, curve.unit),
        residual=number(curve.residual, curve.unit),
        lab=tuple(_line(curve, run, top) for run in curve.lab),
        band=band,
        middle=_line(curve, mean, top),
        zero_x=_x(curve, 0.0),
    )


def _line(curve: Curve, values: Sequence[float | None], top: float) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in _points(curve, values, top))


def _points(curve: Curve, values: Sequence[float | None], top: float) -> list[tuple[float, float]]:
    pairs = zip(curve.at_s, values, strict=True)
    return [(_x(curve, at_s), round(HEIGHT * (1 - value / top), 1)) for at_s, value in pairs if value is not None]


def _x(curve: Curve, at_s: float) -> float:
    span = max(curve.at_s[-1] - curve.at_s[0], 1e-9)
    return round(WIDTH * (at_s - curve.at_s[0]) / span, 1)


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("worlds.html.j2")
