"""Link 4: pods are taken off lost nodes and started elsewhere."""

from typing import Any

from lab.checkers.result import LinkResult, SteadyRange
from lab.checkers.series import after, percentile, range_of, read, steady, values
from lab.checkers.watch import Watch
from lab.core.history import Event, History

TITLE = "Pods evicted and moved"
MEASURE = "pods evicted since the steady phase"
EVICTION_REASONS = ("DeletionByTaintManager", "TaintManagerEviction", "Evicted", "NodeLost", "NodeControllerEviction")
RUNNING_BACK = 0.95
"""Share of the steady number of running pods that counts as back. Chosen: of 50 pods, two may be in between."""


def check(history: History, watch: Watch) -> LinkResult:
    """Fires at the first evicted pod: nothing but the loss of a node evicts pods here, so a steady run has none."""
    common: dict[str, Any] = {"link": 4, "title": TITLE, "measure": MEASURE, "unit": "pods"}
    counted = read(history, "evictions_total")
    if not values(after(counted, watch)) and history.first("pod") is None:
        return LinkResult(status="unknown", reason="neither pods nor evictions were watched", **common)
    names = evicted(history, watch)
    total = max(len(names), _counted(history, watch))
    common |= {"peak": float(total), "steady": SteadyRange(low=0, high=0, n=max(1, len(values(steady(counted, watch)))))}
    common["evidence"] = {"evicted": total, "pods": pods_in_steady(history, watch), "share": evicted_share(history, watch)}
    if not total:
        return LinkResult(status="quiet", reason="no pod was evicted", **common)
    onsets = [*names.values(), *_first_counted(history, watch)]
    fired_at_s = min(onsets)
    reason = f"{total} pods were evicted, replacements included; {pods_in_steady(history, watch)} ran in the steady state"
    return LinkResult(
        status="fired", fired_at_s=fired_at_s, recovered_at_s=_recovered_at_s(history, watch, fired_at_s), reason=reason, **common
    )


def evicted(history: History, watch: Watch) -> dict[str, float]:
    """Pods evicted after the steady phase, each with the time."""
    first: dict[str, float] = {}
    for event in history.of("pod"):
        if watch.steady_end_s <= event.at_s <= watch.end_s and _is_eviction(event):
            first.setdefault(event["pod"], event.at_s)
    return first


def evicted_share(history: History, watch: Watch) -> float:
    """Share of the pods of the steady phase that were evicted. Replacements that were evicted in turn do not count."""
    names = evicted(history, watch)
    before = {event["pod"] for event in history.of("pod") if event.at_s < watch.steady_end_s}
    total = len(before & names.keys()) if before else max(len(names), _counted(history, watch))
    return min(1.0, total / max(1, pods_in_steady(history, watch)))


def pods_in_steady(history: History, watch: Watch) -> int:
    """How many pods ran in the steady phase: the median sample, else what the experiment asked for."""
    running = values(steady(read(history, "pods_running"), watch))
    if running:
        return int(percentile(running, 0.5))
    return int(history.header["experiment"]["workload"]["pods"])


def _is_eviction(event: Event) -> bool:
    return event["change"] == "evicting" or event.get("reason") in EVICTION_REASONS


def _counted(history: History, watch: Watch) -> int:
    series = read(history, "evictions_total")
    before, later = values(steady(series, watch)), values(after(series, watch))
    return int(max(later) - max(before, default=0)) if later else 0


def _first_counted(history: History, watch: Watch) -> list[float]:
    series = read(history, "evictions_total")
    before = max(values(steady(series, watch)), default=0)
    return [point.at_s for points in after(series, watch).values() for point in points if point.value is not None and point.value > before][
        :1
    ]


def _recovered_at_s(history: History, watch: Watch, fired_at_s: float) -> float | None:
    """From when on as many pods run as in the steady phase, and no eviction comes after; None if the watch ends before."""
    running = read(history, "pods_running")
    usual = range_of(values(steady(running, watch)))
    if usual is None:
        return None
    points = [point for known in after(running, watch).values() for point in known if point.at_s >= fired_at_s]
    back_s = None
    for point in reversed(points):
        if point.value is None or point.value < RUNNING_BACK * usual.low:
            break
        back_s = point.at_s
    last_eviction_s = max(evicted(history, watch).values(), default=fired_at_s)
    return None if back_s is None else max(back_s, last_eviction_s)
