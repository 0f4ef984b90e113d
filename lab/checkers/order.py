"""The order of cause: which link can bring about which, and whether a run showed them in that order.

The chain is a line up to the evictions and then branches: starved nodes hurt the agents on them directly (gossip probes unanswered,
reads slow) long before Kubernetes' grace period ends and moves the pods, which hurts gossip and Consul a second time. So a link is in
order if one of its causes fired before it, not if all lower numbers did.
"""

import itertools
from collections.abc import Sequence

from lab.checkers.result import LinkResult

CAUSES: dict[int, tuple[int, ...]] = {
    0: (),
    1: (0,),
    2: (1,),
    3: (2,),
    4: (3,),
    5: (2, 4),
    6: (2, 4, 5),
    7: (2, 5, 6),
    8: (2, 4, 5, 6),
    9: (2, 6, 7, 8),
    10: (3, 4, 5, 6, 7, 8, 9),
}
"""Link -> the links that can bring it about (design: the chain). Starvation acts on the agents of the same node at once, and on all that the core
node carries; Vault loses its lock by a slow Consul or by a false positive at the member that its session hangs on; the balancer follows each
change of the catalog, pods that moved as well as agents wrongly held for failed."""

TOLERANCE_S = 5.0
"""An effect may be seen so much before its cause. Chosen: two sampling intervals of 2 s and a probe's time-out; higher hides a wrong order."""


def with_lags(results: Sequence[LinkResult]) -> list[LinkResult]:
    """Each fired link with the cause that fired last before it (or within `TOLERANCE_S` after it), and the seconds between them."""
    fired = {result.link: result.fired_at_s for result in results if result.fired_at_s is not None}
    return [_with_lag(result, fired) for result in results]


def out_of_order(results: Sequence[LinkResult]) -> list[str]:
    """A sentence for each fired link of which a cause fired too, but none before it (`TOLERANCE_S`).

    Where no cause fired at all, something else brought it about (a flood without an outage): that is not a matter of order.
    """
    fired = {result.link: result.fired_at_s for result in results if result.fired_at_s is not None}
    wrong = []
    for link, at_s in fired.items():
        causes = [cause for cause in CAUSES[link] if cause in fired]
        if causes and min(fired[cause] for cause in causes) > at_s + TOLERANCE_S:
            wrong.append(f"link {link} fired at {at_s:.1f} s, before any of its causes {causes}")
    return wrong


def monotonic(results: Sequence[LinkResult]) -> bool:
    """True if the fired links fired in the order of their numbers as well (stricter than the order of cause)."""
    times = [result.fired_at_s for result in sorted(results, key=lambda result: result.link) if result.fired_at_s is not None]
    return all(later >= earlier - TOLERANCE_S for earlier, later in itertools.pairwise(times))


def _with_lag(result: LinkResult, fired: dict[int, float]) -> LinkResult:
    if result.fired_at_s is None:
        return result
    at_s = result.fired_at_s
    causes = [(fired[cause], cause) for cause in CAUSES[result.link] if cause in fired]
    before = [found for found in causes if found[0] <= at_s]
    just_after = [found for found in causes if at_s < found[0] <= at_s + TOLERANCE_S]
    if not before and not just_after:
        return result
    cause_s, cause = max(before) if before else min(just_after)
    return result.model_copy(update={"after": cause, "lag_s": round(at_s - cause_s, 3)})
