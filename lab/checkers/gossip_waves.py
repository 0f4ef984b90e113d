"""Where the pool was wrong, in events as one server told them: living members declared failed, members that came back, and waves of them.

The server is a healthy member as long as its node is, so its false positives are FP- of the literature; FP at any member is sampled (`gossip_fp`).
"""

from collections import Counter
from collections.abc import Iterator

from lab.checkers.series import after, peak, read
from lab.checkers.watch import Watch
from lab.core.history import Event, History

GONE = ("failed", "left")


def waves(history: History, watch: Watch) -> dict[str, object]:
    """Figures after the steady phase; None where the run did not record them.

    `returns` counts how often a member came back after it was gone, `waves` the most of one member, `phantoms` the returns of members whose
    process does not live, `false_positive_events` how often a living member was declared failed.
    """
    returned = Counter(str(event["member"]) for event in _returns(history) if _judged(event, watch))
    changes = [event for event in history.of("member_change") if _judged(event, watch)]
    told = any("living" in event.fields for event in history.of("member_change"))
    wrong = [event for event in changes if event["state"] == "failed" and event.get("living")]
    dead = [event for event in _returns(history) if _judged(event, watch) and event.get("living") is False]
    return {
        "returns": returned.total(),
        "members_returned": len(returned),
        "waves": max(returned.values(), default=0),
        "phantoms": len(dead) if told else None,
        "false_positive_events": len(wrong) if told else None,
        "members_falsely_failed": len({event["member"] for event in wrong}) if told else None,
        "fp_any_peak": peak(after(read(history, "gossip_fp"), watch)),
        "fp_minus_peak": peak(after(read(history, "gossip_fp_minus"), watch)),
    }


def _returns(history: History) -> Iterator[Event]:
    gone: set[str] = set()
    for event in history.of("member_change"):
        if event["state"] in GONE:
            gone.add(event["member"])
        elif event["state"] == "alive" and event["member"] in gone:
            yield event


def _judged(event: Event, watch: Watch) -> bool:
    return watch.steady_end_s <= event.at_s <= watch.end_s
