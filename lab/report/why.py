"""Why an event happened: the path of recorded causes from it back to the step of the timeline that set it off.

What the run did itself (steps, faults, load) carries its cause; for what the cluster did, the cause is the newest earlier event on the
same object (`lab.runner.causes`). So a path says what came before on the way to the event; it does not prove that one made the other.
"""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.checkers.result import LinkResult
from lab.checkers.verdict import Verdict
from lab.checkers.watch import Watch
from lab.core.errors import Refused
from lab.core.history import Event, History
from lab.report.events import told
from lab.report.witness import is_trouble, witness
from lab.report.words import seconds, short_node

TOLD_WITHIN_S = 1.0
"""Chosen: a change and Kubernetes' own event about it come from two watches, in either order and well within a second."""
HOPS_MAX = 1000
"""Chosen: a real path has some ten; a damaged history must not be walked for ever."""


@dataclass(frozen=True, slots=True)
class Why:
    """One answer.

    Args:
        asked: the question in words.
        answer: what the checkers say about it; empty where an event was asked for.
        path: from the event back to the step; empty where no event shows it.
    """

    asked: str
    answer: str
    path: Sequence[Event]


def path(history: History, event: Event) -> list[Event]:
    """`event`, its cause, the cause of that ..., up to a step of the timeline, else to the opening of the run."""
    found = [event]
    while len(found) < HOPS_MAX and found[-1].cause is not None and not _is_step(found[-1]):
        earlier = by_seq(history, found[-1].cause)
        if earlier is None or earlier.seq >= found[-1].seq:
            break
        found.append(earlier)
    return found


def by_seq(history: History, seq: int) -> Event | None:
    """The event of that number; None if there is none."""
    place = bisect.bisect_left(history.events, seq, key=lambda event: event.seq)
    return history.events[place] if place < len(history.events) and history.events[place].seq == seq else None


def of_link(history: History, verdict: Verdict, number: int) -> Why:
    """Why a link fired, or that it did not.

    Raises:
        Refused: there is no such link.
    """
    result = next((each for each in verdict.links if each.link == number), None)
    if result is None:
        known = ", ".join(f"link{each.link}" for each in verdict.links)
        raise Refused(f"explain link {number}", "this run was not judged on it", f"name one of {known}")
    asked = f"link {number}, {result.title}"
    if result.fired_at_s is None:
        return Why(asked, f"{'not judged' if result.status == 'unknown' else 'did not fire'}: {result.reason}", ())
    shown = witness(history, result) or _of_earlier(history, verdict, result)
    after = "" if result.after is None else f", {result.lag_s or 0:+.1f} s after link {result.after} ({verdict.link(result.after).title})"
    return Why(asked, f"fired at {seconds(result.fired_at_s)}{after}: {result.reason}", path(history, shown) if shown else ())


def why(history: History, verdict: Verdict, asked: str) -> Why:
    """Answer for an event's number (`4420`, `#4420`), a link (`link3`), or the name of a node, a pod or a member (its first trouble).

    Raises:
        Refused: nothing of that name.
    """
    if asked.lower().startswith("link") and asked[4:].strip().isdigit():
        return of_link(history, verdict, int(asked[4:]))
    if asked.removeprefix("#").isdigit():
        event = by_seq(history, int(asked.removeprefix("#")))
        if event is None:
            raise Refused(f"explain event {asked}", f"the history has events 0 to {len(history.events) - 1}", "name one of them")
        return Why(f"event {event.seq}", "", path(history, event))
    event = _trouble(history, asked)
    if event is None:
        raise Refused(f"explain {asked}", "no trouble of such an object is in the history", "lab why RUN lists what can be asked")
    return Why(f"the first trouble of {asked}", "", path(history, event))


def lines(found: Why) -> list[str]:
    """The answer as text, the event first, its cause below it."""
    width = max((len(str(event.seq)) for event in found.path), default=0)
    head = [f"{found.asked}: {found.answer}" if found.answer else f"{found.asked}:"]
    rows = [f"  {f'#{event.seq}':>{width + 1}} {event.at_s:9.1f} s  {told(event)}" for event in found.path]
    return [*head, *(rows or ["  (no event of the history shows it)"])]


CAVEAT = (
    "Each line was set off by the one below it. Steps, faults and load carry their cause; of what the cluster did, the newest earlier event "
    "on the same object is named: what came before, not a proof."
)
"""Printed under every answer."""


def _is_step(event: Event) -> bool:
    return event.kind == "step" and event.get("state") == "begin"


def _of_earlier(history: History, verdict: Verdict, result: LinkResult) -> Event | None:
    """A link that is judged from other links (10) is shown by the one before it."""
    return None if result.after is None else witness(history, verdict.link(result.after))


def _trouble(history: History, name: str) -> Event | None:
    """The first trouble of an object; rather the change itself than Kubernetes' event about it."""
    found = list(_troubles(history, name))
    changes = (event for event in found if event.kind != "kube_event" and event.at_s <= found[0].at_s + TOLD_WITHIN_S)
    return next(changes, found[0] if found else None)


def _troubles(history: History, name: str) -> Iterator[Event]:
    watch = Watch.of(history)
    since_s = watch.steady_end_s if watch else 0.0
    for event in history.events:
        names = [str(event.get(key, "")).rpartition("/")[2] for key in ("node", "pod", "member", "object")]
        own = {"node": names[0], "pod": names[1], "member_change": names[2], "kube_event": names[3]}.get(event.kind)
        if own and name in {own, short_node(own)} and event.at_s >= since_s and is_trouble(event):
            yield event
