"""Intervals of a median: exact, and right as often as they say."""

import math

import numpy as np
import pytest

from lab.report.order_statistics import LEVEL, Median, level, median


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([5.0, 1.0, 3.0, 2.0, 4.0], Median(3, 1, 5, 0.9375, 5)),
        ([7.0], Median(7, 7, 7, 0.0, 1)),
        ([1.0, 2.0, 3.0, 4.0], Median(2.5, 1, 4, 0.875, 4)),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], Median(5, 2, 8, 0.9609375, 9)),
        ([1.0, 2.0, 3.0, math.inf, math.inf], Median(3, 1, math.inf, 0.9375, 5)),
    ],
    ids=["five", "one", "four", "nine", "two not seen to end"],
)
def test_the_interval_lies_between_two_of_the_values(values: list[float], found: Median) -> None:
    assert median(values) == found


def test_nothing_has_no_median() -> None:
    assert median([]) is None


def test_levels_are_sums_of_the_binomial_distribution() -> None:
    """Of 8 values the second and the seventh, of 20 the sixth and the fifteenth: (256 - 18) / 256, and 1 - 2 x 21,700 / 2^20."""
    assert round(level(8, 2), 4) == 0.9297
    assert round(level(20, 6), 4) == 0.9586


def test_the_interval_holds_the_median_as_often_as_it_says_however_skewed_the_values() -> None:
    chance = np.random.default_rng(1)
    tries = [median(list(chance.lognormal(0.0, 2.0, 5))) for _ in range(4000)]
    held = sum(found is not None and found.low <= 1.0 <= found.high for found in tries) / len(tries)
    assert abs(held - 0.9375) < 0.02
    assert LEVEL <= 0.9375
