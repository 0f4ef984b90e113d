"""The event of the history that shows that a link fired: where the question why begins."""

import math
from collections.abc import Callable, Mapping, Sequence

from lab.checkers.deploys_failed import FAILED
from lab.checkers.lb_down import AGE_S, LOST_SHARE
from lab.checkers.result import LinkResult
from lab.core.history import Event, History

SHOWN_BY: Mapping[int, Sequence[str]] = {
    0: ("kafka_answer_ms",),
    1: ("log_backlog_bytes", "shipped_lines_per_s"),
    2: ("lease_gap_s", "cri_latency_ms", "node_throttled_ratio"),
    3: ("node",),
    4: ("pod",),
    5: ("member_change", "members_failed", "members_left", "joins_per_s"),
    6: ("agent_read_ms",),
    7: ("vault_health_code", "vault_sealed", "vault_login_ms"),
    8: ("lb_config_age_s", "lb_backends_live", "lb_answer_ms"),
    9: ("deploy_ms",),
    10: (),
}
"""Link -> the kinds of event, or the series, that show that it fired (design: the chain). Link 10 is judged from the others."""

_KINDS = {"node", "pod", "member_change", "sample"}

WITHIN_S = 30.0
"""A link that fired between two samples is shown by the first one after. Chosen: three intervals of the slowest probe (10 s)."""

SAME_S = 1e-3


def witness(history: History, result: LinkResult) -> Event | None:
    """The event that shows that a link fired: at that moment, or the first after it; None if it did not fire or none shows it."""
    at_s = result.fired_at_s
    if at_s is None:
        return None
    names = SHOWN_BY[result.link]
    nodes = set(result.evidence.get("nodes", ()))
    near = [event for event in history.events if at_s - SAME_S <= event.at_s <= at_s + WITHIN_S and event.kind in _KINDS]
    shown = [event for event in near if _shows(event, names) and _on_one_of(event, nodes)]
    telling = [event for event in shown if event.kind == "sample" and _tells(event, result)]
    return min(telling or shown, key=lambda event: (round(event.at_s, 2), -_weight(event), event.seq), default=None)


def is_trouble(event: Event) -> bool:
    """Is this what happens to a node, a pod or a member that is not well?"""
    match event.kind:
        case "node":
            return bool(event["ready"] != "True")
        case "pod":
            return event["change"] in {"evicting", "deleted", "failed"}
        case "member_change":
            return bool(event["state"] != "alive")
        case _:
            return event.kind == "kube_event"


def _shows(event: Event, names: Sequence[str]) -> bool:
    if event.kind == "sample":
        return event["series"] in names
    return event.kind in names and is_trouble(event)


def _on_one_of(event: Event, nodes: set[str]) -> bool:
    """A sample of a node counts only where the checker named that node."""
    return event.kind != "sample" or not nodes or event["target"] in nodes


def _weight(event: Event) -> float:
    """Of several samples of one moment the worst is shown; a missing one is worse than any value."""
    if event.kind != "sample":
        return math.inf
    return math.inf if event["value"] is None else float(event["value"])


def _unanswered(event: Event, _: LinkResult) -> bool:
    return event["value"] is None and not (event.get("reason") or "").startswith("not asked")


_TELLING: Mapping[str, Callable[[Event, LinkResult], bool]] = {
    "vault_health_code": lambda event, result: _unanswered(event, result) or (event["value"] or 0) >= 500,
    "vault_sealed": lambda event, _: event["value"] == 1,
    "vault_login_ms": _unanswered,
    "lb_config_age_s": lambda event, _: (event["value"] or 0) >= AGE_S,
    "lb_backends_live": lambda event, result: (
        event["value"] is not None and event["value"] <= (1 - LOST_SHARE) * (result.evidence["backends_steady"] or 0)
    ),
    "lb_answer_ms": _unanswered,
    "deploy_ms": lambda event, _: event["value"] is None and (event.get("reason") or "").startswith(FAILED),
}
"""Series of the links that can break in several ways -> does this sample show one of them? These links fire from when it began, and the
samples of that moment are still good."""


def _tells(event: Event, result: LinkResult) -> bool:
    told = _TELLING.get(event["series"])
    return told is not None and told(event, result)
