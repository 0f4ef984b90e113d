"""Time as characters: a column of the terminal stands for so many seconds, and each row has one character for it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Piece = tuple[str, str]
"""Characters and their style."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of one kind of terminal. Each state has its own, so that none of them needs a colour.

    Args:
        levels: of a sparkline, lowest first.
        ready, not_ready, unknown: of a node.
        ahead: time that has not come yet.
        lit, dark: a link that has fired, and one that has not.
        mark: where a phase begins.
        dash: between two parts of a line.
    """

    levels: str
    ready: str
    not_ready: str
    unknown: str
    ahead: str
    lit: str
    dark: str
    mark: str
    dash: str


UNICODE = Glyphs("▁▂▃▄▅▆▇█", "─", "█", "▒", "·", "●", "○", "▏", "·")
ASCII = Glyphs("_.:-=+*#", "-", "#", "?", " ", "*", "o", "|", "-")


RANKS = (("ready", "green"), ("unknown", "red"), ("not_ready", "red"))
"""A node's states from best to worst: glyph and style."""
EPSILON_S = 1e-6
"""What ends at the moment at which a column begins is not in it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Seconds to columns: `columns` of them from `begin_s` to `end_s`; up to `now_s` something is known."""

    begin_s: float
    end_s: float
    now_s: float
    columns: int

    def column(self, at_s: float) -> int:
        """The column in which that moment lies, at most the last."""
        share = (at_s - self.begin_s) / max(self.end_s - self.begin_s, 1e-9)
        return min(max(int(share * self.columns), 0), self.columns - 1)


def ruler(phases: Sequence[tuple[str, float]], scale: Scale, glyphs: Glyphs) -> str:
    """The names of the phases where they begin, cut where the next one does."""
    text = [" "] * scale.columns
    starts = [scale.column(begin_s) for _, begin_s in phases]
    for number, (name, _) in enumerate(phases):
        start, stop = starts[number], (*starts[1:], scale.columns)[number]
        for offset, letter in enumerate((glyphs.mark + name)[: max(stop - start, 0)]):
            text[start + offset] = letter
    return "".join(text)


def node_strip(told: Sequence[tuple[float, str]], scale: Scale, glyphs: Glyphs) -> list[Piece]:
    """One node over time: in each column the worst that it was."""
    ends = [*(at_s for at_s, _ in told[1:]), scale.now_s]
    spans = [(at_s, end_s, state) for (at_s, state), end_s in zip(told, ends, strict=False)]
    pieces: list[Piece] = [(" ", "")] * scale.columns
    for rank in range(len(RANKS)):  # the worse is painted over the better
        for begin_s, end_s, state in spans:
            if _rank(state) == rank:
                first, last = scale.column(begin_s), scale.column(max(end_s - EPSILON_S, begin_s))
                pieces[first : last + 1] = [(getattr(glyphs, RANKS[rank][0]), RANKS[rank][1])] * (last + 1 - first)
    return joined(_ahead(pieces, scale, glyphs))


@dataclass(frozen=True, slots=True)
class Measure:
    """How values become heights.

    Args:
        low, high: values of the lowest and the highest level; greater values raise `high`.
        logarithmic: a step is a factor and not a difference; for what spans milliseconds and seconds.
        least: a column shows its least value, not its greatest.
    """

    low: float
    high: float
    logarithmic: bool = False
    least: bool = False

    def height(self, value: float) -> float:
        """Of a value, on a scale of any beginning."""
        return math.log10(max(value, self.low)) if self.logarithmic else value


def sparkline(row: Mapping[int, float], scale: Scale, glyphs: Glyphs, measure: Measure) -> list[Piece]:
    """A series over time, a level for each column that has a value; a blank where there was none.

    Args:
        row: value per second of the run clock.
        scale: of the time.
        glyphs: of the terminal.
        measure: of the values.
    """
    values = _columns(row, scale, least=measure.least)
    low, high = measure.height(measure.low), measure.height(max([measure.high, *(value for value in values if value is not None)]))
    top = len(glyphs.levels) - 1
    pieces = [
        (" ", "")
        if value is None
        else (glyphs.levels[min(max(int((measure.height(value) - low) / (high - low) * (top + 1)), 0), top)], "cyan")
        for value in values
    ]
    return joined(_ahead(pieces, scale, glyphs))


def joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Neighbours of one style as one piece: fewer things to draw."""
    found: list[Piece] = []
    for text, style in pieces:
        if found and found[-1][1] == style:
            found[-1] = (found[-1][0] + text, style)
        else:
            found.append((text, style))
    return found


def _columns(row: Mapping[int, float], scale: Scale, *, least: bool) -> list[float | None]:
    """The greatest or the least value of each column. Written out: it runs for every second of a run, three times a drawing."""
    values: list[float | None] = [None] * scale.columns
    factor, last = scale.columns / max(scale.end_s - scale.begin_s, EPSILON_S), scale.columns - 1
    for second, value in row.items():
        start = (second - scale.begin_s) * factor
        column, stop = int(start), int(start + factor - EPSILON_S)
        while column <= stop and column <= last:
            if column >= 0:
                before = values[column]
                if before is None or (value < before if least else value > before):
                    values[column] = value
            column += 1
    return values


def _ahead(pieces: list[Piece], scale: Scale, glyphs: Glyphs) -> list[Piece]:
    """The columns that have not begun yet are marked as such."""
    begun = scale.column(scale.now_s) + 1 if scale.now_s < scale.end_s else scale.columns
    return [*pieces[:begun], *[(glyphs.ahead, "dim")] * (scale.columns - begun)]


def _rank(state: str) -> int:
    return {"True": 0, "False": 2}.get(state, 1)
