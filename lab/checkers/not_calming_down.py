"""Link 10: the cause is gone and the bad state stays (metastable)."""

from collections.abc import Sequence
from typing import Any

from lab.checkers.result import LinkResult
from lab.checkers.series import read
from lab.checkers.watch import Watch, has_kafka
from lab.core.history import History

TITLE = "Does not calm down"
MEASURE = "links 3-9 still out of their steady range after the cause is gone"


def check(history: History, watch: Watch, earlier: Sequence[LinkResult]) -> LinkResult:
    """Fires when, `metastable_after_s` after Kafka answers and the flood is over, a link from 3 on is not back for good."""
    common: dict[str, Any] = {"link": 10, "title": TITLE, "measure": MEASURE, "unit": "links"}
    if watch.release_s is None and _was_injured(history):
        return LinkResult(status="unknown", reason="no fault was healed within the watch", **common)
    if watch.release_s is None and history.first("locust", profile="flood") is None:
        return LinkResult(status="quiet", reason="no fault and no flood, so there is nothing to calm down from", **common)
    calm_s = cause_gone_s(history, watch)
    if calm_s is None:
        return LinkResult(status="unknown", reason="the broker did not answer again within the watch", **common)
    judged_s = calm_s + float(history.header["experiment"]["metastable_after_s"])
    common["evidence"] = {"cause_gone_at_s": calm_s, "judged_at_s": judged_s}
    downstream = [result for result in earlier if result.link >= 3]
    if judged_s > watch.end_s and any(result.status == "fired" and result.recovered_at_s is None for result in downstream):
        return LinkResult(status="unknown", reason=f"the watch ended at {watch.end_s:.0f} s, before {judged_s:.0f} s", **common)
    out = [
        result for result in downstream if result.status == "fired" and (result.recovered_at_s is None or result.recovered_at_s > judged_s)
    ]
    common["evidence"] |= {"still_out": [result.link for result in out]}
    if not out:
        return _calm(downstream, common)
    moments = [result.recovered_at_s for result in out if result.recovered_at_s is not None]
    names = ", ".join(f"{result.link} ({result.title})" for result in out)
    return LinkResult(
        status="fired",
        fired_at_s=judged_s,
        peak=float(len(out)),
        recovered_at_s=max(moments) if len(moments) == len(out) else None,
        reason=f"{judged_s - calm_s:.0f} s after the cause was gone, still out of the steady range: {names}",
        **common,
    )


def cause_gone_s(history: History, watch: Watch) -> float | None:
    """When Kafka answered again and the flood was over; None if the broker never answered. Without Kafka, when the last fault was healed."""
    released_s = watch.from_release_s
    if not has_kafka(history):
        return released_s
    answers = [
        p.at_s for points in read(history, "kafka_answer_ms").values() for p in points if p.value is not None and p.at_s >= released_s
    ]
    return max(min(answers), watch.flood_end_s or 0.0) if answers else None


def _was_injured(history: History) -> bool:
    """Was any fault begun? Remedies have events of the same kind."""
    faults = {fault["fault"] for fault in history.header["experiment"].get("faults", [])}
    return any(event["fault"] in faults for event in history.of("fault"))


def _calm(downstream: Sequence[LinkResult], common: dict[str, Any]) -> LinkResult:
    unknown = [result.link for result in downstream if result.status == "unknown"]
    if unknown:
        return LinkResult(status="unknown", reason=f"links {unknown} are unknown", **common)
    return LinkResult(status="quiet", peak=0.0, reason="all links from 3 on were back in their steady range in time", **common)
