"""Link 3: Kubernetes holds nodes for lost."""

import bisect
from typing import Any

from lab.checkers.nodes import Stretch, named, stretches
from lab.checkers.result import LinkResult, SteadyRange
from lab.checkers.watch import Watch
from lab.core.history import History

TITLE = "Nodes NotReady"
MEASURE = "nodes whose Ready condition is not True"


def check(history: History, watch: Watch) -> LinkResult:
    """Fires when a node that was Ready stops being so.

    One is enough and at once: the condition itself is already a judgement that waits out a grace period (12 s here), so it needs no
    further smoothing; raising it to two would hide a contained failure.
    """
    by_node = stretches(history, watch.end_s)
    common: dict[str, Any] = {"link": 3, "title": TITLE, "measure": MEASURE, "unit": "nodes"}
    if not by_node:
        return LinkResult(status="unknown", reason="no node was watched", **common)
    never_ready = sorted(node for node, known in by_node.items() if not _ready_in_steady(known, watch))
    if never_ready:
        return LinkResult(status="unknown", reason=f"not Ready in the steady phase: {named(never_ready)}", **common)
    lost = {node: bad for node, known in by_node.items() if (bad := _lost(known, watch.steady_end_s))}
    common |= {"steady": SteadyRange(low=0, high=0, n=len(by_node)), "peak": _most_at_once(lost), "evidence": _evidence(lost, watch)}
    if not lost:
        return LinkResult(status="quiet", reason=f"all {len(by_node)} nodes stayed Ready", **common)
    return LinkResult(
        status="fired",
        fired_at_s=min(bad[0].begin_s for bad in lost.values()),
        recovered_at_s=_recovered_at_s(lost, watch),
        reason=f"{len(lost)} of {len(by_node)} nodes lost Ready: {named(list(lost))}",
        **common,
    )


def lost_since(history: History, watch: Watch, since_s: float) -> list[str]:
    """Nodes that were not Ready at some time from `since_s` on."""
    return [node for node, known in stretches(history, watch.end_s).items() if any(s.ready != "True" and s.end_s > since_s for s in known)]


def _ready_in_steady(known: list[Stretch], watch: Watch) -> bool:
    return any(stretch.ready == "True" and stretch.begin_s < watch.steady_end_s for stretch in known)


def _lost(known: list[Stretch], since_s: float) -> list[Stretch]:
    return [stretch for stretch in known if stretch.ready != "True" and stretch.begin_s >= since_s]


def _most_at_once(lost: dict[str, list[Stretch]]) -> float:
    bad = [stretch for stretches_of in lost.values() for stretch in stretches_of if stretch.begin_s < stretch.end_s]
    begins, ends = sorted(stretch.begin_s for stretch in bad), sorted(stretch.end_s for stretch in bad)
    return float(max((bisect.bisect_right(begins, at_s) - bisect.bisect_right(ends, at_s) for at_s in begins), default=0))


def _evidence(lost: dict[str, list[Stretch]], watch: Watch) -> dict[str, object]:
    since_s = watch.from_release_s
    after_release = [node for node, bad in lost.items() if any(stretch.end_s > since_s for stretch in bad)]
    return {"nodes": sorted(lost), "nodes_after_release": after_release}


def _recovered_at_s(lost: dict[str, list[Stretch]], watch: Watch) -> float | None:
    last_s = max(stretch.end_s for bad in lost.values() for stretch in bad)
    return None if last_s >= watch.end_s else last_s
