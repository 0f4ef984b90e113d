"""Link 5: members drop out of the gossip pool and new ones join."""

import itertools
from typing import Any

from lab.checkers.result import LinkResult, SteadyRange
from lab.checkers.series import Point, after, back_for_good, first_reached, peak, percentile, range_of, read, seen_enough, steady, values
from lab.checkers.watch import Watch
from lab.core.history import History

TITLE = "Gossip churns"
MEASURE = "members failed or left, as a share of the steady pool"
SHARE = 0.10
"""Share of the pool that must have failed, left or joined. Chosen: on short CPU 1-8 of 43-150 members flap without any cascade (own
measurements), while one lost node of five is 0.2; lower fires on flapping, higher misses a contained failure."""
MEMBERS_MIN = 4
"""Absolute floor in members. Chosen: in a small pool two flapping members are a tenth."""
SUSTAINED_S = 2
"""Chosen: more than one sample, since a false suspicion is refuted within seconds."""
JOIN_WINDOW_S = 10
"""Joins are summed over so many seconds. Chosen: about as long as a wave of replacement pods takes to join."""


def check(history: History, watch: Watch) -> LinkResult:
    """Fires when `SHARE` of the steady pool failed or left, or joined within `JOIN_WINDOW_S`, beyond what the steady state shows."""
    gone = {"pool": gone_share(history, watch)}
    common: dict[str, Any] = {"link": 5, "title": TITLE, "measure": MEASURE, "unit": "share"}
    steady_range = range_of(values(steady(gone, watch)))
    later = after(gone, watch)
    pool = steady_pool(history, watch)
    if steady_range is None or not values(later) or not pool:
        return LinkResult(status="unknown", reason="too few member samples", **common)
    least = max(SHARE, MEMBERS_MIN / pool)
    common |= {"steady": steady_range, "peak": peak(later), "evidence": _evidence(history, watch, pool)}
    joined = {"pool": _joined_share(history, pool)}
    joined_high = max(values(steady(joined, watch)), default=0.0)
    onsets = [
        found[0]
        for found in (
            first_reached(later, steady_range.high + least, SUSTAINED_S),
            first_reached(after(joined, watch), joined_high + least, SUSTAINED_S),
        )
        if found
    ]
    if onsets:
        back_s = _recovered_at_s(history, watch, steady_range, min(onsets))
        reason = f"up to {100 * (peak(later) or 0):.0f} % of a pool of {pool} had failed or left at one time"
        return LinkResult(status="fired", fired_at_s=min(onsets), recovered_at_s=back_s, reason=reason, **common)
    if not seen_enough(later):
        return LinkResult(status="unknown", reason="more than half of the member samples are missing", **common)
    return LinkResult(status="quiet", reason=f"fewer than {100 * least:.0f} % of a pool of {pool} failed, left or joined", **common)


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


def _joined_share(history: History, pool: int) -> list[Point]:
    """Members that joined in the last `JOIN_WINDOW_S`, as a share of the pool: rate x time since the sample before, summed."""
    rates = [point for points in read(history, "joins_per_s").values() for point in points if point.value is not None]
    steps = [
        (now.at_s, (now.value or 0.0) * (now.at_s - before.at_s)) for before, now in itertools.pairwise(rates) if now.at_s > before.at_s
    ]
    return [Point(at_s, sum(count for when_s, count in steps if at_s - JOIN_WINDOW_S < when_s <= at_s) / pool) for at_s, _ in steps]


def _recovered_at_s(history: History, watch: Watch, usual: SteadyRange, fired_at_s: float) -> float | None:
    """Calm: no member is wrongly held for failed beyond the steady state, and joins are back.

    The count of failed members is no measure of calm: Consul lists a dead one for 72 h (reconnect_timeout).
    """
    wrongly, joins = read(history, "gossip_false_positives"), read(history, "joins_per_s")
    if not values(after(wrongly, watch)):
        return back_for_good(after({"pool": gone_share(history, watch)}, watch), usual.high + SHARE / 2, fired_at_s)
    moments = []
    for series, slack in ((wrongly, 2.0), (joins, 0.5)):
        if values(after(series, watch)):
            bound = max(values(steady(series, watch)), default=0.0) + slack
            moments.append(back_for_good(after(series, watch), bound, fired_at_s))
    known = [moment for moment in moments if moment is not None]
    return max(known) if len(known) == len(moments) else None


def _evidence(history: History, watch: Watch, pool: int) -> dict[str, object]:
    return {
        "pool": pool,
        "joins_per_s_peak": peak(after(read(history, "joins_per_s"), watch)),
        "false_positives_peak": peak(after(read(history, "gossip_false_positives"), watch)),
        "queue_intent_peak": peak(after(read(history, "serf_queue_intent"), watch)),
        "health_score_peak": peak(after(read(history, "memberlist_health_score"), watch)),
    }
