"""Arithmetic on samples, on numbers worked out by hand."""

import pytest

from lab.checkers.log_flood import summed
from lab.checkers.series import Point, back_for_good, censored, first_reached, percentile, range_of, stretches


def points(*values: float | None) -> list[Point]:
    """One value a second, from 0 on."""
    return [Point(float(at_s), value, "" if value is not None else "gone") for at_s, value in enumerate(values)]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == expected


@pytest.mark.parametrize(("numbers", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_a_percentile_of_nothing_is_refused(numbers: list[float], share: float) -> None:
    with pytest.raises(ValueError):
        percentile(numbers, share)


def test_few_samples_make_no_range() -> None:
    assert range_of([1, 2, 3, 4]) is None
    found = range_of([1, 2, 3, 4, 5])
    assert found is not None
    assert (found.low, found.high, found.n) == (1, 5, 5)


def test_a_stretch_must_last_and_a_missing_sample_neither_breaks_nor_prolongs_it() -> None:
    assert stretches(points(0, 9, 9, None, 9, 0, 9), 5, 3) == [(1, 4)]
    assert stretches(points(9, None, None, None), 5, 1) == []
    assert stretches(points(0, 9, 0), 5, 0) == [(1, 1)]


def test_the_first_target_that_reaches_the_bound_is_named() -> None:
    assert first_reached({"a": points(0, 0, 9, 9), "b": points(0, 9, 9, 9)}, 5, 1) == (1, "b")
    assert first_reached({"a": points(0, 9, 0, 9)}, 5, 1) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0, 9, 9, 1, 1, 1), 3),
        ((0, 9, 1, 9, 1, 1, 1), 4),  # a relapse starts it again
        ((0, 9, 9, 9, 1, 1), None),  # two good samples are chance
        ((0, 9, 1, 1, 1, None), None),  # missing is not healthy
    ],
)
def test_back_for_good_means_until_the_end(values: tuple[float | None, ...], expected: float | None) -> None:
    assert back_for_good({"a": points(*values)}, 5, 1) == expected


def test_all_targets_must_come_back() -> None:
    calm, lost = points(9, 1, 1, 1), points(9, 9, 9, 9)
    assert back_for_good({"a": calm, "b": calm}, 5, 0) == 1
    assert back_for_good({"a": calm, "b": lost}, 5, 0) is None


def test_a_sum_is_one_point_a_moment_and_missing_while_a_target_is() -> None:
    series = {"a": points(1, 2, None), "b": [Point(0.0, 10), Point(1.0, 20), Point(2.0, 30), Point(2.5, 40)]}
    assert [(point.at_s, point.value) for point in summed(series)] == [(0, 11), (1, 22), (2, None), (2.5, None)]


def test_a_timed_out_answer_took_at_least_the_time_out() -> None:
    reads = [Point(0, None, "timed out after 10 s"), Point(1, None, "timed out"), Point(2, None, "refused"), Point(3, 4.0)]
    assert [read.value for read in censored(reads, 5000)] == [10_000, 5000, None, 4.0]
