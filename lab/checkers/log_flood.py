"""Link 1: logs pile up while the broker is away, then come down on it all at once."""

import itertools
from typing import Any

from lab.checkers.result import LinkResult
from lab.checkers.series import (
    Point,
    Series,
    after,
    back_for_good,
    first_reached,
    peak,
    percentile,
    range_of,
    read,
    seen_enough,
    steady,
    values,
)
from lab.checkers.watch import Watch
from lab.core.history import History

TITLE = "Logs pile up, then flood"
MEASURE = "log bytes written and not yet at the broker, over all nodes"
LINE_BYTES = 200
"""About the size of one log line (the workload's own format)."""
BACKLOG_TIMES = 10
"""Chosen: the backlog of a steady run is a batch in flight and doubles easily; ten batches are a queue."""
BACKLOG_S = 10
"""The queue must be worth so many seconds of steady shipping. Chosen: a stalled host catches up in 2-5 s; higher delays the firing by as much."""
BACKLOG_BYTES_MIN = 20_000
"""Absolute floor where shipping is almost nil. Chosen: 100 lines."""
BACKLOG_SUSTAINED_S = 3
"""Chosen: more than one sample at the usual interval of 1-2 s."""
RATE_TIMES = 3
RATE_MIN = 100
"""Lines per second. Chosen: catching up after a stall of 2 s triples the rate for one sample; hence also a floor and two samples."""
RATE_SUSTAINED_S = 1


def check(history: History, watch: Watch) -> LinkResult:
    """Fires when the backlog, or the lines per second that reach the broker, leave the steady range upwards."""
    backlog = {"all": summed(read(history, "log_backlog_bytes"))}
    shipped = read(history, "shipped_lines_per_s")
    steady_range = range_of(values(steady(backlog, watch)))
    later = after(backlog, watch)
    common: dict[str, Any] = {"link": 1, "title": TITLE, "measure": MEASURE, "unit": "B"}
    if steady_range is None or not values(later):
        return LinkResult(status="unknown", reason="too few log_backlog_bytes samples", **common)
    shipped_steady = values(steady(shipped, watch))
    bound = backlog_bound(steady_range.high, percentile(shipped_steady, 0.5) if shipped_steady else 0.0)
    common |= {"steady": steady_range, "peak": peak(later), "evidence": {"backlog_bound_bytes": bound, **_rates(shipped, watch)}}
    onsets = [found[0] for found in (first_reached(later, bound, BACKLOG_SUSTAINED_S), _flood(shipped, watch)) if found]
    if onsets:
        reason = f"the backlog reached {(peak(later) or 0) / 1000:,.0f} kB, in the steady state {steady_range.high / 1000:,.1f} kB"
        back_s = back_for_good(later, max(2 * steady_range.high, bound / 5), min(onsets))
        return LinkResult(status="fired", fired_at_s=min(onsets), recovered_at_s=back_s, reason=reason, **common)
    if not seen_enough(later):
        return LinkResult(status="unknown", reason="more than half of the backlog samples are missing", **common)
    return LinkResult(status="quiet", reason=f"the backlog stayed below {bound / 1000:,.0f} kB", **common)


def backlog_bound(steady_high_bytes: float, shipped_lines_per_s: float) -> float:
    """Bytes of backlog that count as piling up."""
    return max(BACKLOG_TIMES * steady_high_bytes, BACKLOG_S * shipped_lines_per_s * LINE_BYTES, BACKLOG_BYTES_MIN)


def summed(series: Series) -> list[Point]:
    """The sum over all targets at each moment that any of them is sampled; missing until each was seen, and while any is missing."""
    rows = [(point.at_s, target, point.value) for target, points in series.items() for point in points]
    latest: dict[str, float | None] = {}
    total: list[Point] = []
    for at_s, told in itertools.groupby(sorted(rows, key=lambda row: row[:2]), key=lambda row: row[0]):
        latest |= {target: value for _, target, value in told}
        known = [number for number in latest.values() if number is not None]
        total.append(Point(at_s, sum(known) if len(known) == len(series) else None, "a node is missing"))
    return total


def _flood(shipped: Series, watch: Watch) -> tuple[float, str] | None:
    usual = range_of(values(steady(shipped, watch)))
    return first_reached(after(shipped, watch), max(RATE_TIMES * usual.high, RATE_MIN), RATE_SUSTAINED_S) if usual else None


def _rates(shipped: Series, watch: Watch) -> dict[str, object]:
    usual = range_of(values(steady(shipped, watch)))
    return {"shipped_lines_per_s_steady": usual.model_dump() if usual else None, "shipped_lines_per_s_peak": peak(after(shipped, watch))}
