"""Link 2: a node's runtime and kubelet get no CPU."""

from typing import Any

from lab.checkers.result import LinkResult, SteadyRange
from lab.checkers.series import Point, Series, after, back_for_good, censored, peak, range_of, read, seen_enough, steady, stretches, values
from lab.checkers.watch import Watch
from lab.core.history import History

TITLE = "Runtime and kubelet starve"
MEASURE = "seconds since the kubelet renewed its node's lease"
LEASE_S = 8.0
"""Lease duration of the lab's kubelets (kind-config.yaml); renewed every quarter of it, so 2 s is the usual gap."""
LEASE_TIMES = 2
GAP_S = LEASE_S / 2
"""Half of the lease: a renewal was missed. Chosen; with throttling only, since a busy API server also delays a renewal."""
THROTTLED_MIN = 0.8
"""Share of scheduler periods in which the node was throttled. Chosen: bursts of a capped but idle node reach 0.1-0.4."""
THROTTLED_BOUND_MAX = 0.95
"""Chosen: pods that work in bursts throttle their node through whole samples of 2 s now and then (measured); what tells is that it lasts."""
THROTTLED_SUSTAINED_S = 4
"""Three samples, each of which is the share of the 2 s before it: 6 s. Chosen: half of the grace period of 12 s, so that starting pods does
not fire it and a lost node always does."""
SAME_TIME_S = 10
"""A symptom so close to a throttled stretch belongs to it. Chosen: the kubelet's backlog outlives the throttling by a lease."""
CRI_TIMES = 10
CRI_MS_MIN = 1000
"""Chosen: CRI calls take tens of milliseconds; kubelet gives up on them after seconds. The steady range is that of all nodes together,
since one node is asked only every 4 s."""
CRI_TIMEOUT_MS = 10_000
"""Time-out of the CRI probe."""


def check(history: History, watch: Watch) -> LinkResult:
    """Fires when a throttled node misses a renewal or answers its kubelet slowly, or when a lease runs out, throttled or not."""
    gaps, throttled, cri = (read(history, name) for name in ("lease_gap_s", "node_throttled_ratio", "cri_latency_ms"))
    steady_range = range_of(values(steady(gaps, watch)))
    common: dict[str, Any] = {"link": 2, "title": TITLE, "measure": MEASURE, "unit": "s"}
    later = after(gaps, watch)
    if steady_range is None or not values(later):
        return LinkResult(status="unknown", reason="too few lease_gap_s samples", **common)
    common |= {"steady": steady_range, "peak": peak(later)}
    onsets = {}
    for node in gaps:
        found = _starved(node, gaps, throttled, cri, watch)
        if found is not None:
            onsets[node] = found
    common["evidence"] = _evidence(onsets, throttled, cri, watch)
    if onsets:
        fired_at_s, node = min((at_s, node) for node, at_s in onsets.items())
        back_s = back_for_good({name: later[name] for name in onsets}, max(GAP_S, steady_range.high), fired_at_s)
        reason = f"{len(onsets)} of {len(gaps)} nodes starved, {node} first; the longest lease gap was {peak(later):.0f} s"
        return LinkResult(status="fired", fired_at_s=fired_at_s, recovered_at_s=back_s, reason=reason, **common)
    if not seen_enough(later):
        return LinkResult(status="unknown", reason="more than half of the lease samples are missing", **common)
    return LinkResult(status="quiet", reason="every lease was renewed in time", **common)


def throttled_bound(steady_range: SteadyRange | None) -> float:
    """Throttled share that counts: the floor, and half of the way from the steady state to 1 (a ratio cannot be ten times 0.3), up to a limit."""
    usual = steady_range.high if steady_range else 0.0
    return min(max(THROTTLED_MIN, usual + (1 - usual) / 2), THROTTLED_BOUND_MAX)


def _starved(node: str, gaps: Series, throttled: Series, cri: Series, watch: Watch) -> float | None:
    usual_gap = range_of(values(steady({node: gaps[node]}, watch)))
    high_s = usual_gap.high if usual_gap else 0.0
    late = _part(gaps, node, watch)
    expired = _overdue(late, max(LEASE_S, LEASE_TIMES * high_s), high_s)
    bound = throttled_bound(range_of(values(steady({node: throttled.get(node, ())}, watch))))
    capped = stretches(_part(throttled, node, watch), bound, THROTTLED_SUSTAINED_S)
    missed = _overdue(late, max(GAP_S, LEASE_TIMES * high_s), high_s)
    symptoms = [*missed, *_slow_cri(node, cri, watch)]
    together = [max(first, begin) for first, last in symptoms for begin, end in capped if first <= end + SAME_TIME_S and last >= begin]
    onset_s = min([*together, *(first for first, _ in expired)], default=None)
    return None if onset_s is None else round(max(onset_s, watch.steady_end_s), 4)


def _overdue(late: list[Point], bound: float, usual_s: float) -> list[tuple[float, float]]:
    """Stretches of too long gaps, each from the moment at which the renewal was overdue: that is when the starving began."""
    gap_s = {point.at_s: point.value or 0.0 for point in late}
    return [(first - (gap_s[first] - usual_s), last) for first, last in stretches(late, bound, 0)]


def _slow_cri(node: str, cri: Series, watch: Watch) -> list[tuple[float, float]]:
    usual = range_of(values(steady(cri, watch)))
    if usual is None:
        return []
    return stretches(censored(_part(cri, node, watch), CRI_TIMEOUT_MS), max(CRI_TIMES * usual.high, CRI_MS_MIN), 0)


def _part(series: Series, node: str, watch: Watch) -> list[Point]:
    return after({node: series.get(node, ())}, watch)[node]


def _evidence(onsets: dict[str, float], throttled: Series, cri: Series, watch: Watch) -> dict[str, object]:
    usual = range_of(values(steady(throttled, watch)))
    slow_ms = peak({node: censored(points, CRI_TIMEOUT_MS) for node, points in after(cri, watch).items()})
    return {
        "nodes": sorted(onsets),
        "throttled_ratio_steady": usual.model_dump() if usual else None,
        "throttled_ratio_peak": peak(after(throttled, watch)),
        "cri_latency_ms_peak": slow_ms,
    }
