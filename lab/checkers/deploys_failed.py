"""Link 9: deploys fail, and at which step."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from lab.checkers.conditions import Condition, broken, merged, rows
from lab.checkers.result import LinkResult, SteadyRange
from lab.checkers.series import Point, after, peak, percentile, read, steady, values
from lab.checkers.watch import Watch
from lab.core.history import History

TITLE = "Deploys fail"
MEASURE = "canary deploys that failed in a row"
SERIES = "deploy_ms"
ROW = 2
"""Chosen: one deploy every 4 s, each given five times what it takes at rest: two in a row are not chance, and their users try again once."""
DEPLOYS_MIN = 3
"""Fewest deploys of the steady phase that say what is usual. Chosen: there are six in the shortest one."""
FAILED = "failed at "
"""How the reason of a failed deploy begins (lab/probes/deploys.py); the step follows, up to a colon."""


def check(history: History, watch: Watch) -> LinkResult:
    """Fires when `ROW` deploys in a row fail, at whatever step."""
    common: dict[str, Any] = {"link": 9, "title": TITLE, "measure": MEASURE, "unit": "deploys"}
    deploys = _made(merged(read(history, SERIES)))
    before, later = steady({"": deploys}, watch)[""], after({"": deploys}, watch)[""]
    usual = rows(before)
    if len(before) < DEPLOYS_MIN or not later or not values({"": before}):
        return LinkResult(status="unknown", reason=f"{len(before)} deploys in the steady phase and {len(later)} after it", **common)
    failed = {"": rows(later)}
    common |= {"steady": _range(usual), "peak": peak(failed), "evidence": _evidence(before, later)}
    found = broken([Condition(failed, ROW, 0, "up to {peak} deploys in a row failed")], watch.steady_end_s)
    steps = _steps(later)
    if found is None:
        return LinkResult(status="quiet", reason=f"{sum(steps.values())} of {len(later)} deploys failed, and no {ROW} in a row", **common)
    told = ", ".join(f"{count} at {step}" for step, count in steps.most_common())
    return LinkResult(
        status="fired",
        fired_at_s=_first_s(failed[""], found.fired_at_s),
        recovered_at_s=found.recovered_at_s,
        reason=f"{found.reason}; of {len(later)} failed {told}",
        **common,
    )


def _made(points: Sequence[Point]) -> list[Point]:
    """Deploys that were tried: with a duration, or failed at a step."""
    return [point for point in points if point.value is not None or point.reason.startswith(FAILED)]


def _first_s(row: Sequence[Point], reached_s: float) -> float:
    """When the first deploy of the row failed that had reached its length at `reached_s`."""
    begun_s = reached_s
    for point in reversed([point for point in row if point.at_s <= reached_s]):
        if not point.value:
            break
        begun_s = point.at_s
    return begun_s


def _steps(deploys: Sequence[Point]) -> Counter[str]:
    return Counter(point.reason.removeprefix(FAILED).partition(":")[0] for point in deploys if point.value is None)


def _range(usual: Sequence[Point]) -> SteadyRange:
    counts = values({"": usual})
    return SteadyRange(low=min(counts), high=max(counts), n=len(counts))


def _evidence(before: Sequence[Point], later: Sequence[Point]) -> dict[str, object]:
    calm, then = values({"": before}), values({"": later})
    return {
        "deploys": len(later),
        "failed": sum(_steps(later).values()),
        "failed_at": dict(_steps(later)),
        "failed_in_steady": sum(_steps(before).values()),
        "deploy_ms_p50_steady": percentile(calm, 0.5) if calm else None,
        "deploy_ms_max_steady": max(calm, default=None),
        "deploy_ms_p50_after": percentile(then, 0.5) if then else None,
        "deploy_ms_max_after": max(then, default=None),
    }
