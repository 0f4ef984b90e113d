"""A median and how sure it is, without any assumption on how the values are spread: few runs, skewed times, some never seen to end."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.9
"""Least probability that an interval holds the median, where the number of values allows it. Chosen: five runs to a cell give 0.94 at most, so
0.95 would need six; higher widens every interval."""


@dataclass(frozen=True, slots=True)
class Median:
    """Of one figure over some runs.

    Args:
        middle: the median; infinity where more than half of the values are.
        low: lower end of the interval.
        high: upper end; infinity where it is not known.
        level: probability that the interval holds the median of all such runs; below `LEVEL` only where there are fewer than five values.
        runs: how many values.
    """

    middle: float
    low: float
    high: float
    level: float
    runs: int


def median(values: Sequence[float]) -> Median | None:
    """The median with its narrowest interval between two of the values that reaches `LEVEL`; None without values.

    The number of values below the true median is binomial with one half, whatever the values' distribution. A value that is only known to be
    larger than all others (an end that was not seen) is infinity.

    Source: H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition, 7.1.
    """
    if not values:
        return None
    ordered, runs = sorted(values), len(values)
    cut = max((k for k in range(1, (runs + 1) // 2 + 1) if level(runs, k) >= LEVEL), default=1)
    return Median(statistics.median(ordered), ordered[cut - 1], ordered[runs - cut], level(runs, cut), runs)


def level(runs: int, cut: int) -> float:
    """Probability that the median lies between the `cut`-th smallest and the `cut`-th largest of so many values."""
    return max(0.0, 1 - 2 * sum(math.comb(runs, below) for below in range(cut)) / 2.0**runs)
