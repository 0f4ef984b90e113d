"""What holds for any samples."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.checkers.consul_slow import AT_LEAST, high, sliding
from lab.checkers.log_flood import backlog_bound
from lab.checkers.node_starved import THROTTLED_BOUND_MAX, THROTTLED_MIN, throttled_bound
from lab.checkers.result import SteadyRange
from lab.checkers.series import Point, percentile, stretches
from lab.report.thin import thin

NUMBERS = st.lists(st.floats(0, 1e6), min_size=1, max_size=200)
ANY = settings(deadline=None, max_examples=60)
MAYBE = st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=1, max_size=200)


def told(values: list[float | None]) -> list[Point]:
    """One value a second."""
    return [Point(float(at_s), value) for at_s, value in enumerate(values)]


@ANY
@given(NUMBERS, st.floats(0.01, 1))
def test_a_percentile_was_measured_and_enough_lie_at_or_below_it(numbers: list[float], share: float) -> None:
    found = percentile(numbers, share)
    assert found in numbers
    assert sum(number <= found for number in numbers) >= share * len(numbers) - 1e-9


@ANY
@given(NUMBERS)
def test_the_robust_p99_is_reached_by_three_and_never_above_the_p99(numbers: list[float]) -> None:
    assert high(numbers) <= percentile(numbers, 0.99)
    assert sum(number >= high(numbers) for number in numbers) >= min(AT_LEAST, len(numbers))


@ANY
@given(MAYBE, st.floats(1, 1e6), st.floats(0, 50))
def test_stretches_are_in_order_apart_and_long_enough(values: list[float | None], bound: float, sustained_s: float) -> None:
    found = stretches(told(values), bound, sustained_s)
    assert all(end - begin >= sustained_s for begin, end in found)
    assert all(before[1] < later[0] for before, later in itertools.pairwise(found))
    assert all((values[int(begin)] or 0) >= bound and (values[int(end)] or 0) >= bound for begin, end in found)


@ANY
@given(MAYBE, st.integers(1, 30))
def test_thinning_keeps_the_extremes_and_says_where_samples_are_missing(values: list[float | None], buckets: int) -> None:
    at_s, kept = thin(told(values), 0, len(values), buckets)
    assert at_s == sorted(set(at_s))
    assert len(at_s) <= max(2 * buckets, 3 * (buckets + 1))
    known = [float(f"{value:.4g}") for value in values if value is not None]
    left = [value for value in kept if value is not None]
    assert (max(known, default=None), min(known, default=None)) == (max(left, default=None), min(left, default=None))
    assert (None in kept) == (None in values)


@ANY
@given(MAYBE)
def test_a_window_looks_back_and_never_ahead(values: list[float | None]) -> None:
    windows = sliding(told(values))
    assert [window.at_s for window in windows] == list(map(float, range(len(values))))
    assert [window.value for window in sliding(told(values[:50]))] == [window.value for window in windows[:50]]


@ANY
@given(st.floats(0, 1))
def test_the_throttled_bound_lies_above_the_steady_state_and_can_be_reached(usual: float) -> None:
    bound = throttled_bound(SteadyRange(low=0, high=usual, n=5))
    assert THROTTLED_MIN <= bound <= THROTTLED_BOUND_MAX
    assert bound >= min(usual, THROTTLED_BOUND_MAX)


@ANY
@given(st.floats(0, 1e9), st.floats(0, 1e5))
def test_a_backlog_must_leave_its_steady_range_by_far(steady_bytes: float, lines_per_s: float) -> None:
    bound = backlog_bound(steady_bytes, lines_per_s)
    assert bound >= 10 * steady_bytes
    assert bound >= 20_000
