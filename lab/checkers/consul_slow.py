"""Link 6: Consul answers slowly where users ask it, at the pods' own agents."""

import math
from collections.abc import Sequence
from typing import Any

from lab.checkers.result import LinkResult, SteadyRange
from lab.checkers.series import Point, after, back_for_good, censored, failing_share, peak, percentile, read, steady, values
from lab.checkers.watch import Watch
from lab.core.history import History

TITLE = "Consul slow"
MEASURE = "p99 of reads through a pod's own agent, over a sliding window"
WINDOW_S = 20
"""Chosen: some 30 reads, and short against the flood."""
WINDOW_N = 10
"""Fewest reads in a window that have a p99. Chosen: fewer are single answers."""
AT_LEAST = 3
"""The p99 is never decided by fewer slow reads. Chosen: on a busy host single reads take ten times as long without any cascade."""
TIMES = 10
"""The issue's own figure for this link: ten times the steady p99."""
MS_MIN = 250
"""Chosen: below it no user notices, whatever the ratio."""
BACK_TIMES = 3
"""Back in the steady range: at most so many times its p99. Chosen: a p99 of 30 reads scatters by a factor of two."""
TIMEOUT_MS = 10_000
"""Time-out of the probe's reads, where the reason does not name it."""
FAILED_SHARE = 0.2
"""Reads that fail otherwise (refused, no leader) fire at this share of a window. Chosen: a fifth of the users see errors."""


def check(history: History, watch: Watch) -> LinkResult:
    """Fires when the window's p99 reaches `TIMES` the steady one and `MS_MIN`, or when `FAILED_SHARE` of its reads fail."""
    reads = censored(_reads(history), TIMEOUT_MS)
    common: dict[str, Any] = {"link": 6, "title": TITLE, "measure": MEASURE, "unit": "ms"}
    calm = values({"agents": steady({"agents": reads}, watch)["agents"]})
    if len(calm) < WINDOW_N:
        return LinkResult(status="unknown", reason=f"{len(calm)} answered reads in the steady phase, {WINDOW_N} are needed", **common)
    usual = SteadyRange(low=percentile(calm, 0.01), high=high(calm), n=len(calm))
    windows = after({"agents": sliding(reads)}, watch)
    failing = after({"agents": failing_share(reads, WINDOW_S, WINDOW_N, AT_LEAST)}, watch)
    later = after({"agents": reads}, watch)["agents"]
    common |= {"steady": usual, "peak": peak(windows), "evidence": _evidence(history, watch, calm)}
    bound = max(TIMES * usual.high, MS_MIN)
    slow_s = [point.at_s for point in windows["agents"] if point.value is not None and point.value >= bound]
    failed_s = [point.at_s for point in failing["agents"] if (point.value or 0) >= FAILED_SHARE]
    onsets = [*slow_s[:1], *failed_s[:1]]
    if not onsets:
        if len(later) < WINDOW_N:
            return LinkResult(status="unknown", reason="too few reads after the steady phase", **common)
        return LinkResult(status="quiet", reason=f"the p99 stayed below {bound:.0f} ms", **common)
    back_s = back_for_good(windows, max(BACK_TIMES * usual.high, MS_MIN / 2), min(onsets))
    served_s = back_for_good(failing, math.nextafter(FAILED_SHARE, 0), min(onsets))
    reason = (
        f"the p99 over {WINDOW_S} s, reached by at least {AT_LEAST} reads, rose to {peak(windows) or 0:,.0f} ms; "
        f"in the steady state it was {usual.high:,.0f} ms"
    )
    recovered_s = None if back_s is None or served_s is None else max(back_s, served_s)
    return LinkResult(status="fired", fired_at_s=min(onsets), recovered_at_s=recovered_s, reason=reason, **common)


def high(numbers: Sequence[float]) -> float:
    """The p99, but one that at least `AT_LEAST` of the numbers reach."""
    rank = min(math.ceil(0.99 * len(numbers)), len(numbers) - AT_LEAST + 1)
    return sorted(numbers)[max(rank, 1) - 1]


def sliding(reads: Sequence[Point]) -> list[Point]:
    """At each read, `high` of the `WINDOW_S` seconds up to it; missing with fewer than `WINDOW_N` values."""
    result: list[Point] = []
    first = 0
    for index, last in enumerate(reads):
        while reads[first].at_s <= last.at_s - WINDOW_S:
            first += 1
        known = [read_.value for read_ in reads[first : index + 1] if read_.value is not None]
        result.append(Point(last.at_s, high(known) if len(known) >= WINDOW_N else None, "too few reads"))
    return result


def agent_reads(history: History, begin_s: float, end_s: float) -> list[float]:
    """Latencies in ms of the reads through pods' own agents in a stretch of time, timed out ones at what was waited."""
    return [read_.value for read_ in censored(_reads(history), TIMEOUT_MS) if begin_s <= read_.at_s <= end_s and read_.value is not None]


def _reads(history: History) -> list[Point]:
    points = (point for known in read(history, "agent_read_ms").values() for point in known if point.asked)
    return sorted(points, key=lambda point: point.at_s)


def _evidence(history: History, watch: Watch, calm: Sequence[float]) -> dict[str, object]:
    later = agent_reads(history, watch.steady_end_s, watch.end_s)
    timed_out = sum(point.timed_out for point in _reads(history) if point.at_s >= watch.steady_end_s)
    failed = sum(point.value is None and not point.timed_out for point in _reads(history) if point.at_s >= watch.steady_end_s)
    servers = {name: peak(after(read(history, name), watch)) for name in ("consul_read_ms", "consul_write_ms")}
    return {
        "p99_ms_steady": percentile(calm, 0.99),
        "p99_ms_after": percentile(later, 0.99) if later else None,
        "reads_after": len(later),
        "timed_out": timed_out,
        "failed_otherwise": failed,
        "servers_ms_peak": servers,
    }
