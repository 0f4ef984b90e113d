"""Was the neighbour poisoned? A second cluster, to which nothing was done, judged by the checkers of the first.

Poisoned is: its nodes stay Ready and none of them starves, so nothing of its own ails it, and yet its agents see the pool churn (link 5) or answer
slowly (link 6). Where a node of its own gave way, the agents' trouble says nothing of the pool.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from lab.checkers import consul_slow, gossip_churn, node_starved, nodes_not_ready
from lab.checkers.pool import Pool, measure
from lab.checkers.result import LinkResult, Strict
from lab.checkers.watch import Watch
from lab.core.history import Event, History
from lab.core.neighbour import PREFIX, Found, is_neighbour

_MARK = f"{PREFIX}_"
OF_THE_FIRST = ("node", "pod", "member_change", "kube_event", "locust", "accounting")
"""Events that tell of the first cluster alone."""


class NeighbourVerdict(Strict):
    """What became of the neighbour. Null where it was not measured."""

    pool: Literal["shared", "own"]
    condition: Found
    reason: str
    links: list[LinkResult] = Field(description="links 2, 3, 5 and 6, at the neighbour")
    held_for_failed: int = Field(
        description="how often a server of the first cluster, or an agent of the neighbour, took a living agent of the neighbour for failed"
    )
    after_the_kills: Pool | None = Field(description="evidence.pool, as the neighbour's agents see it; null where no agents were killed")


def judge_neighbour(history: History, watch: Watch) -> NeighbourVerdict | None:
    """The verdict on the neighbour; None where the run had none."""
    asked: Mapping[str, Any] = history.header["experiment"].get("neighbour") or {}
    if not asked.get("pods"):
        return None
    its = as_the_neighbours(history)
    links = [check(its, watch) for check in (node_starved.check, nodes_not_ready.check, gossip_churn.check, consul_slow.check)]
    condition, reason = _condition(links)
    return NeighbourVerdict(
        pool=asked["pool"],
        condition=condition,
        reason=reason,
        links=links,
        held_for_failed=_held_for_failed(history, watch) + _held_for_failed(its, watch),
        after_the_kills=measure(its, watch),
    )


def as_the_neighbours(history: History) -> History:
    """The history as the neighbour's own run would have left it: its samples and events under their usual names, and none of the first cluster's."""
    return History([own for event in history.events if (own := _own(event)) is not None])


def _own(event: Event) -> Event | None:
    if event.kind == "sample":
        series = str(event["series"])
        return replace(event, fields={**event.fields, "series": series.removeprefix(_MARK)}) if series.startswith(_MARK) else None
    if event.kind.startswith(_MARK):
        return replace(event, kind=event.kind.removeprefix(_MARK))
    return None if event.kind in OF_THE_FIRST else event


def _condition(links: Sequence[LinkResult]) -> tuple[Found, str]:
    """In the order: what it did to itself, what could not be seen, what the pool did to it."""
    by_link = {result.link: result for result in links}
    if own := [by_link[link] for link in (2, 3) if by_link[link].status == "fired"]:
        return "unknown", f"it had trouble of its own: {_told(own)}"
    if ill := [by_link[link] for link in (5, 6) if by_link[link].status == "fired"]:
        return "poisoned", f"nothing was done to it and its nodes stayed Ready, and yet {_told(ill)}"
    if unseen := [result for result in links if result.status == "unknown"]:
        return "unknown", _told(unseen)
    return "calm", "its nodes stayed Ready, its agents saw no churn and answered as before"


def _told(results: Sequence[LinkResult]) -> str:
    return "; ".join(f"link {result.link} ({result.title}): {result.reason}" for result in results)


def _held_for_failed(history: History, watch: Watch) -> int:
    """Moments at which a living agent of the neighbour became failed, in the eyes of whose members the history tells."""
    return sum(
        event["state"] == "failed" and bool(event.get("living")) and is_neighbour(str(event["member"]))
        for event in history.of("member_change")
        if watch.steady_end_s <= event.at_s <= watch.end_s
    )
