"""Link 5: members drop out of the gossip pool and new ones join."""

import bisect
from operator import itemgetter
from typing import Any

from lab.checkers.gossip_waves import waves
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

TITLE = "Gossip churns"
MEASURE = "members that failed, left or joined in the last 20 s, as a share of the steady pool"
WINDOW_S = 20
"""Chosen: about as long as a false suspicion lives (5-10 s to be suspected, as long to be refuted), and short against the flood."""
SHARE = 0.10
"""Share of the pool that must have changed within the window, or be gone at one time. Chosen: in a steady run 0-2 of 53 members change in
20 s, in a cascade 15 to 25 do (own measurements); lower fires on flapping, higher misses a contained failure (one node of five: 0.2)."""
MEMBERS_MIN = 4
"""Absolute floor in members. Chosen: in a small pool two flapping members are a tenth."""
SUSTAINED_S = 2
"""Chosen: more than one sample."""


def check(history: History, watch: Watch) -> LinkResult:
    """Fires when `SHARE` of the steady pool changed within `WINDOW_S`, or is gone at one time, beyond what the steady state shows."""
    churn, gone = {"pool": churn_share(history, watch)}, {"pool": gone_share(history, watch)}
    common: dict[str, Any] = {"link": 5, "title": TITLE, "measure": MEASURE, "unit": "share"}
    steady_range = range_of(values(steady(churn, watch)))
    later = after(churn, watch)
    pool = steady_pool(history, watch)
    if steady_range is None or not values(later) or not pool:
        return LinkResult(status="unknown", reason="too few member samples", **common)
    least = max(SHARE, MEMBERS_MIN / pool)
    common |= {"steady": steady_range, "peak": peak(later), "evidence": _evidence(history, watch, pool)}
    gone_high = max(values(steady(gone, watch)), default=0.0)
    changed = first_reached(later, steady_range.high + least, SUSTAINED_S)
    lost = first_reached(after(gone, watch), gone_high + least, SUSTAINED_S)
    onsets = [found[0] for found in (changed, lost) if found]
    if onsets:
        back_s = _recovered_at_s(history, watch, later, steady_range.high + least / 2, min(onsets))
        distinct = len(gone_members(history, watch))
        reason = f"{distinct} members failed or left, of a pool of {pool}; up to {100 * (peak(later) or 0):.0f} % of it changed within {WINDOW_S} s"
        return LinkResult(status="fired", fired_at_s=min(onsets), recovered_at_s=back_s, reason=reason, **common)
    if not seen_enough(later):
        return LinkResult(status="unknown", reason="more than half of the member samples are missing", **common)
    reason = f"fewer than {100 * least:.0f} % of a pool of {pool} changed within {WINDOW_S} s"
    return LinkResult(status="quiet", reason=reason, **common)


def churn_share(history: History, watch: Watch) -> list[Point]:
    """At each sample of the pool, the distinct members whose state changed in the `WINDOW_S` before it, as a share of the steady pool."""
    pool = max(1, steady_pool(history, watch))
    changes = sorted((event.at_s, str(event["member"])) for event in history.of("member_change"))
    points = []
    for sample in (point for points_of in read(history, "members_alive").values() for point in points_of):
        if sample.value is None:
            points.append(sample)
            continue
        begin, end = (bisect.bisect_right(changes, at_s, key=itemgetter(0)) for at_s in (sample.at_s - WINDOW_S, sample.at_s))
        changed = {member for _, member in changes[begin:end]}
        points.append(Point(sample.at_s, len(changed) / pool))
    return points


def gone_members(history: History, watch: Watch) -> set[str]:
    """Members that failed or left at some time after the steady phase, each once however often it came back."""
    return {
        str(event["member"])
        for event in history.of("member_change")
        if watch.steady_end_s <= event.at_s <= watch.end_s and event["state"] in ("failed", "left")
    }


def steady_pool(history: History, watch: Watch) -> int:
    """Members alive in the steady phase, the median sample; 0 if none was seen."""
    alive = values(steady(read(history, "members_alive"), watch))
    return int(percentile(alive, 0.5)) if alive else 0


def gone_share(history: History, watch: Watch) -> list[Point]:
    """(Failed + left) / members alive in the steady phase, at each sample. Above 1 when replacements were lost too."""
    pool = max(1, steady_pool(history, watch))
    failed = [point for points in read(history, "members_failed").values() for point in points]
    left = [point for points in read(history, "members_left").values() for point in points]
    shares: list[Point] = []
    latest_left: float | None = 0.0 if not left else None
    waiting = iter(sorted(left, key=lambda point: point.at_s))
    following = next(waiting, None)
    for point in failed:
        while following is not None and following.at_s <= point.at_s + SAME_SAMPLE_S:
            latest_left, following = following.value, next(waiting, None)
        known = point.value is not None and latest_left is not None
        shares.append(Point(point.at_s, (point.value + latest_left) / pool if known else None, point.reason))  # type: ignore[operator]
    return shares


SAME_SAMPLE_S = 0.5
"""Readings of one probe call are written one after the other; so close they are one sample. Chosen: half of the shortest interval."""


def _recovered_at_s(history: History, watch: Watch, churn: Series, bound: float, fired_at_s: float) -> float | None:
    """Calm: few members change, and none is wrongly held for failed beyond the steady state.

    The count of failed members is no measure of calm: Consul lists a dead one for 72 h (reconnect_timeout).
    """
    wrongly = read(history, "gossip_false_positives")
    moments = [back_for_good(churn, bound, fired_at_s)]
    if values(after(wrongly, watch)):
        slack = max(values(steady(wrongly, watch)), default=0.0) + WRONGLY_FAILED
        moments.append(back_for_good(after(wrongly, watch), slack, fired_at_s))
    known = [moment for moment in moments if moment is not None]
    return max(known) if len(known) == len(moments) else None


WRONGLY_FAILED = 2.0
"""Members wrongly held for failed that still count as calm. Chosen: one or two flap in a steady run, too."""


def _evidence(history: History, watch: Watch, pool: int) -> dict[str, object]:
    return {
        "pool": pool,
        "members_gone": len(gone_members(history, watch)),
        "gone_share_at_once_peak": peak(after({"": gone_share(history, watch)}, watch)),
        "joins_per_s_peak": peak(after(read(history, "joins_per_s"), watch)),
        "false_positives_peak": peak(after(read(history, "gossip_false_positives"), watch)),
        "queue_intent_peak": peak(after(read(history, "serf_queue_intent"), watch)),
        "health_score_peak": peak(after(read(history, "memberlist_health_score"), watch)),
        **waves(history, watch),
    }
