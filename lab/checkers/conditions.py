"""A link that can break in several ways: the first one seen fires it, and it is back when every one that was seen is over."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.checkers.series import Point, Series, back_for_good, first_reached, peak


@dataclass(frozen=True, slots=True)
class Condition:
    """One way in which a link breaks.

    Args:
        series: after the steady phase, by target.
        bound: broken from here on.
        calm: over at or below.
        said: in words; `{peak}` stands for the largest value.
        sustained_s: it must last so long.
        since: the values are the seconds that it has lasted, so it began so much before its bound was reached.
    """

    series: Series
    bound: float
    calm: float
    said: str
    sustained_s: float = 0.0
    since: bool = False

    def onset_s(self) -> float | None:
        """When it began; None if it never reached its bound."""
        found = first_reached(self.series, self.bound, self.sustained_s)
        if found is None:
            return None
        at_s, target = found
        if not self.since:
            return at_s
        lasted_s = next(point.value or 0.0 for point in self.series[target] if point.at_s == at_s and (point.value or 0.0) >= self.bound)
        return at_s - lasted_s

    def words(self) -> str:
        """What happened."""
        return self.said.format(peak=f"{peak(self.series) or 0:,.0f}")


@dataclass(frozen=True, slots=True)
class Broken:
    """When a link fired, when it was back for good (None: never seen), and why."""

    fired_at_s: float
    recovered_at_s: float | None
    reason: str


def broken(conditions: Sequence[Condition], not_before_s: float) -> Broken | None:
    """The outcome of all conditions together; None if none was met.

    Args:
        conditions: each way in which the link can break.
        not_before_s: end of the steady phase; nothing fires earlier, whatever a measure says of its own beginning.
    """
    met = [(onset_s, condition) for condition in conditions if (onset_s := condition.onset_s()) is not None]
    if not met:
        return None
    fired_at_s = max(min(onset_s for onset_s, _ in met), not_before_s)
    backs = [back_for_good(condition.series, condition.calm, onset_s) for onset_s, condition in met]
    known = [back_s for back_s in backs if back_s is not None]
    back_s = max(known) if len(known) == len(backs) else None
    return Broken(round(fired_at_s, 4), back_s, "; ".join(condition.words() for _, condition in met))


def rows(points: Sequence[Point]) -> list[Point]:
    """At each question that was asked, how many up to it failed in a row: 0 where it was answered."""
    counted: list[Point] = []
    row = 0
    for point in points:
        if point.asked:
            row = row + 1 if point.value is None else 0
            counted.append(Point(point.at_s, float(row)))
    return counted


def merged(series: Series) -> list[Point]:
    """The samples of all targets in the order of time."""
    return sorted((point for points in series.values() for point in points), key=lambda point: point.at_s)
