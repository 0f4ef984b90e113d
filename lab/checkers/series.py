"""Arithmetic on samples: percentiles, ranges, what lasts, what came back. Missing samples stay missing."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lab.checkers.result import SteadyRange
from lab.checkers.watch import Watch
from lab.core.history import History, Sample

STEADY_MIN = 5
"""Fewest steady samples that make a range. Chosen: below it one odd sample is a fifth of what is called steady."""

MISSING_MAX = 0.5
"""A link whose samples are missing more often than this after the steady phase cannot be called quiet. Chosen: half seen is not seen."""

BACK_N = 3
"""In-range samples that must end a recovery. Chosen: one good sample in a storm is chance; more hides a recovery late in the watch."""


@dataclass(frozen=True, slots=True)
class Point:
    """One sample: a value, or None and the `reason`."""

    at_s: float
    value: float | None
    reason: str = ""

    @property
    def timed_out(self) -> bool:
        """True if the answer did not come in time, so that the value is known to be at least what was waited for."""
        words = self.reason.lower()
        return self.value is None and ("timed out" in words or "timeout" in words or "time-out" in words)

    @property
    def asked(self) -> bool:
        """False where the probe held the question back because earlier ones still hung: neither an answer nor a failure."""
        return not self.reason.startswith("not asked")


Series = Mapping[str, Sequence[Point]]
"""Samples by target, each in time order."""


def read(history: History, name: str) -> dict[str, list[Point]]:
    """All samples of the series `name`, by target."""
    return {target: sorted(map(_point, history.samples(name, target)), key=lambda point: point.at_s) for target in history.targets(name)}


def censored(points: Iterable[Point], timeout_ms: float) -> list[Point]:
    """An answer that timed out took at least as long as it was waited for: that is its value, not a gap.

    Args:
        points: latencies in ms.
        timeout_ms: of the probe, used where the reason does not name it ("timed out after 10 s").
    """
    return [Point(point.at_s, _waited_ms(point, timeout_ms)) if point.timed_out else point for point in points]


def between(points: Iterable[Point], begin_s: float, end_s: float) -> list[Point]:
    """Points with begin_s <= at_s < end_s."""
    return [point for point in points if begin_s <= point.at_s < end_s]


def steady(series: Series, watch: Watch) -> dict[str, list[Point]]:
    """The part of the steady phase in which the load had settled."""
    return {target: between(points, watch.settled_s, watch.steady_end_s) for target, points in series.items()}


def after(series: Series, watch: Watch) -> dict[str, list[Point]]:
    """The part after the steady phase, up to the end of the watch."""
    return {target: between(points, watch.steady_end_s, watch.end_s + 1e-6) for target, points in series.items()}


def values(series: Series) -> list[float]:
    """All values that are not missing, over all targets."""
    return [point.value for points in series.values() for point in points if point.value is not None]


def percentile(numbers: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest number that at least `share` of all do not exceed, so always one that was measured.

    Raises:
        ValueError: no numbers, or a share outside (0, 1].
    """
    if not numbers or not 0 < share <= 1:
        raise ValueError(f"percentile {share} of {len(numbers)} numbers")
    return sorted(numbers)[math.ceil(share * len(numbers)) - 1]


def range_of(numbers: Sequence[float], least: int = STEADY_MIN) -> SteadyRange | None:
    """The steady range, or None with fewer than `least` numbers."""
    if len(numbers) < least:
        return None
    return SteadyRange(low=percentile(numbers, 0.01), high=percentile(numbers, 0.99), n=len(numbers))


def peak(series: Series) -> float | None:
    """The largest value, None if all are missing."""
    return max(values(series), default=None)


def seen_enough(series: Series) -> bool:
    """True if there are samples and at most `MISSING_MAX` of them are missing."""
    total = sum(len(points) for points in series.values())
    return total > 0 and len(values(series)) >= (1 - MISSING_MAX) * total


def stretches(points: Iterable[Point], bound: float, sustained_s: float) -> list[tuple[float, float]]:
    """Stretches (first, last) in which every present value reaches `bound`, lasting at least `sustained_s`.

    A missing sample neither breaks nor prolongs a stretch. With `sustained_s` 0, one sample is a stretch.
    """
    found: list[tuple[float, float]] = []
    begin: float | None = None
    last = 0.0
    for point in points:
        if point.value is None:
            continue
        if point.value >= bound:
            begin = point.at_s if begin is None else begin
            last = point.at_s
        elif begin is not None:
            found.append((begin, last))
            begin = None
    if begin is not None:
        found.append((begin, last))
    return [(first, end) for first, end in found if end - first >= sustained_s]


def failing_share(answers: Sequence[Point], window_s: float, window_n: int, failed_n: int) -> list[Point]:
    """At each answer, the share of missing ones among the `window_s` seconds up to it.

    Args:
        answers: in the order of time.
        window_s: length of the window, in seconds.
        window_n: fewest answers that make a share; with fewer it is 0.
        failed_n: fewest missing ones; with fewer it is 0.
    """
    result: list[Point] = []
    first = 0
    for index, last in enumerate(answers):
        while answers[first].at_s <= last.at_s - window_s:
            first += 1
        window = answers[first : index + 1]
        failed = sum(answer.value is None for answer in window)
        result.append(Point(last.at_s, failed / len(window) if failed >= failed_n and len(window) >= window_n else 0.0))
    return result


def first_reached(series: Series, bound: float, sustained_s: float) -> tuple[float, str] | None:
    """When a target first reached `bound` and kept it for `sustained_s`, and which; None if none did."""
    onsets = [(found[0][0], target) for target, points in series.items() if (found := stretches(points, bound, sustained_s))]
    return min(onsets, default=None)


def back_for_good(series: Series, bound: float, fired_at_s: float) -> float | None:
    """From when on every target stays at or below `bound` until its samples end; None if it never does.

    A target whose samples end missing has not been seen to come back.
    """
    moments = [_back(points, bound, fired_at_s) for points in series.values() if points]
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None


def _point(sample: Sample) -> Point:
    return Point(sample.at_s, sample.value, sample.reason or "")


def _waited_ms(point: Point, timeout_ms: float) -> float:
    named = re.search(r"after ([0-9.]+) s\b", point.reason)
    return float(named[1]) * 1000 if named else timeout_ms


def _back(points: Sequence[Point], bound: float, fired_at_s: float) -> float | None:
    tail: list[Point] = []
    for point in reversed([point for point in points if point.at_s >= fired_at_s]):
        if point.value is None or point.value > bound:
            break
        tail.append(point)
    if len(tail) < BACK_N:
        return None
    return tail[-1].at_s
