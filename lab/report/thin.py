"""Fewer points for the same picture: of each bucket of time the lowest and the highest sample stay, so that peaks survive."""

from collections.abc import Sequence

from lab.checkers.series import Point

BUCKETS = 400
"""Chosen: two points in each make 800 over a chart some 900 pixels wide, so nothing that could be seen is lost."""

Column = tuple[list[float], list[float | None]]
"""Times and values; None is a gap."""


def thin(points: Sequence[Point], begin_s: float, end_s: float, buckets: int = BUCKETS) -> Column:
    """At most two values per bucket, and one gap where any sample of it was missing, in the order of time."""
    within = [point for point in points if begin_s <= point.at_s <= end_s]
    if len(within) <= 2 * buckets:
        return column(within)
    width_s = (end_s - begin_s) / buckets
    kept: list[Point] = []
    bucket: list[Point] = []
    current = -1
    for point in within:
        place = int((point.at_s - begin_s) / width_s)
        if place != current:
            kept += _extremes(bucket)
            bucket, current = [], place
        bucket.append(point)
    return column([*kept, *_extremes(bucket)])


def column(points: Sequence[Point]) -> Column:
    """Times to a hundredth of a second, values to four significant figures; equal times are moved apart by one hundredth (a chart's axis must rise)."""
    at_s: list[float] = []
    values: list[float | None] = []
    for point in points:
        when_s = round(point.at_s, 2)
        if at_s and when_s <= at_s[-1]:
            when_s = round(at_s[-1] + 0.01, 2)
        at_s.append(when_s)
        values.append(None if point.value is None else float(f"{point.value:.4g}"))
    return at_s, values


def _extremes(bucket: Sequence[Point]) -> list[Point]:
    known = [point for point in bucket if point.value is not None]
    missing = [point for point in bucket if point.value is None]
    kept = {id(point): point for point in missing[:1]}
    if known:
        for point in (min(known, key=_value), max(known, key=_value)):
            kept[id(point)] = point
    return sorted(kept.values(), key=lambda point: point.at_s)


def _value(point: Point) -> float:
    return point.value or 0.0
