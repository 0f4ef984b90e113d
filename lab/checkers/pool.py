"""What a pool does after its agents died without a farewell: when it is calm, who comes back from the dead, what it says of the living.

Figures, not a link: they compare arms (Consul's version, encryption, pool size), and a run without killed agents has none of them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from statistics import fmean

from pydantic import Field

from lab.checkers.consul_slow import TIMEOUT_MS
from lab.checkers.gossip_churn import WINDOW_S, WRONGLY_FAILED, steady_pool
from lab.checkers.result import Strict
from lab.checkers.series import Point, between, censored, percentile, read
from lab.checkers.watch import Watch
from lab.core.agents import member
from lab.core.history import Event, History

KILLERS = ("kill-agents", "pause-agents", "churn-pods")
"""Faults whose end is the last kill, or the last time that an agent stood still."""
MORE = 1
"""Members that may change in a window beyond the steady state's most, and it is still calm. Chosen: one; a large pool has flaps of its own."""
WHOLE_SHARE = 0.9
"""Of the steady state's members that must be there for calm. Chosen: in a pool that hardly anybody is in, nobody changes; servers with a new key, whom three
of 70 agents had joined, were calm otherwise."""
CALM_S = 30.0
"""So long the watch must have seen calm. Chosen: longer than the window; less takes a pause between two waves for the end."""
AT_SERVER, AT_ANY, AT_HEALTHY = "gossip_false_positives", "gossip_fp", "gossip_fp_minus"
"""Living members held for failed, as one server sees it, as one random agent after the other does, and as those of them do that are healthy."""
MISSING = "gossip_missing"
LAST_S = 60.0
"""The end of the watch. Chosen: twelve of the slowest samples, and two of the 30 s in which serf tries a failed member again."""
HANDOFF = "gossip_handoff_dropped"
GAP_S_MAX = 15.0
"""A sample counts for the time to the next one, but at most so long. Chosen: the interval of the slowest of these probes and its time-out."""


class MemberTime(Strict):
    """How many living members were held for failed, or not held for alive, after the last kill."""

    peak: float
    member_s: float = Field(description="member-seconds: how many, for how long")
    at_end: float | None = Field(description="how many in the mean of the last 60 s of the watch; null: not measured in them")


class Latency(Strict):
    """Milliseconds of one kind of request; timed out ones count as long as they were waited for."""

    p50: float
    p99: float
    n: int
    failed: int = Field(description="refused or answered with an error, and in no percentile")


class Pool(Strict):
    """Seconds are on the run clock where they are moments (`_at_s`)."""

    last_kill_at_s: float
    watched_s: float = Field(description="how long was watched after it")
    calm_after_s: float | None = Field(
        description="from the last kill to the last moment at which more members changed within 20 s than in the steady state, more living ones were held for failed, or a tenth of its members was missing; null: calm was not seen"
    )
    phantoms: int = Field(description="returns of members whose process had ended: another agent had their place, or their pod was gone")
    phantom_members: int = Field(description="distinct members among them")
    waves: int = Field(description="the most such returns of one member")
    refuted: int = Field(description="returns of members that may have lived all along")
    false_positives: MemberTime | None = Field(description="as one server sees it")
    false_positives_at_any: MemberTime | None = Field(description="FP: as one random agent after the other sees it; null: not measured")
    false_positives_at_healthy: MemberTime | None = Field(description="FP-: as those of them see it that are healthy; null: not measured")
    missing: MemberTime | None = Field(
        None,
        description="living agents that one server does not hold for alive: failed, gone or never heard of; null: not measured. In a pool that hardly anybody is in, nobody is held for failed, and this tells",
    )
    handoff_dropped: int | None = Field(
        None,
        description="messages that agents threw away because their hand-off queue was full, from the end of the steady phase on; null: not measured",
    )
    agent_reads_steady: Latency | None
    agent_reads_after: Latency | None
    agent_reads_at_end: Latency | None = Field(None, description="in the last 60 s of the watch; null: not measured in them")
    server_reads_steady: Latency | None
    server_reads_after: Latency | None
    throttled_steady: float | None = Field(
        None,
        description="share of scheduler periods in which its CPU cap stopped a node with agents, mean of all such nodes; null: not measured",
    )
    throttled_at_end: float | None = Field(None, description="the same in the last 60 s of the watch; null: not measured in them")


def measure(history: History, watch: Watch) -> Pool | None:
    """The figures; None where no agents were killed or the kills had no end."""
    ends = [event.at_s for event in history.of("fault") if event["fault"] in KILLERS and event["change"] == "healed"]
    if not ends or max(ends) >= watch.end_s:
        return None
    killed_s = max(ends)
    phantoms, refuted = returns(history, killed_s, watch.end_s)
    returned = Counter(str(event["member"]) for event in phantoms)
    return Pool(
        last_kill_at_s=killed_s,
        watched_s=round(watch.end_s - killed_s, 3),
        calm_after_s=_calm_after_s(history, watch, killed_s),
        phantoms=returned.total(),
        phantom_members=len(returned),
        waves=max(returned.values(), default=0),
        refuted=len(refuted),
        false_positives=_member_time(history, AT_SERVER, killed_s, watch.end_s),
        false_positives_at_any=_member_time(history, AT_ANY, killed_s, watch.end_s),
        false_positives_at_healthy=_member_time(history, AT_HEALTHY, killed_s, watch.end_s),
        missing=_member_time(history, MISSING, killed_s, watch.end_s),
        handoff_dropped=_dropped(history, watch),
        agent_reads_steady=_latency(history, "agent_read_ms", watch.settled_s, watch.steady_end_s),
        agent_reads_after=_latency(history, "agent_read_ms", killed_s, watch.end_s),
        agent_reads_at_end=_latency(history, "agent_read_ms", max(killed_s, watch.end_s - LAST_S), watch.end_s),
        server_reads_steady=_latency(history, "consul_read_ms", watch.settled_s, watch.steady_end_s),
        server_reads_after=_latency(history, "consul_read_ms", killed_s, watch.end_s),
        throttled_steady=_throttled(history, watch.settled_s, watch.steady_end_s),
        throttled_at_end=_throttled(history, max(killed_s, watch.end_s - LAST_S), watch.end_s),
    )


def returns(history: History, begin_s: float, end_s: float) -> tuple[list[Event], list[Event]]:
    """Members that were gone and came back within a stretch of time: those known to be dead, and the others.

    Dead is whose process did not live at that moment. Where the run did not record that, dead is who shares a pod and whose successor has joined,
    and whose pod was deleted; without either a name that comes back may be an agent that was started again.
    """
    gone: set[str] = set()
    newest: dict[tuple[str, int], int] = {}
    deleted: set[str] = set()
    phantoms: list[Event] = []
    others: list[Event] = []
    for event in history.events:
        if event.kind == "pod" and event["change"] == "deleted":
            deleted.add(str(event["pod"]))
        if event.kind != "member_change":
            continue
        name = str(event["member"])
        who = member(name)
        if event["state"] != "alive":
            gone.add(name)
            continue
        newest[who.pod, who.slot] = max(who.life, newest.get((who.pod, who.slot), 0))
        if name in gone and begin_s <= event.at_s <= end_s:
            told = event.get("living")
            dead = who.life < newest[who.pod, who.slot] or who.pod in deleted if told is None else not told
            (phantoms if dead else others).append(event)
        gone.discard(name)
    return phantoms, others


def _calm_after_s(history: History, watch: Watch, killed_s: float) -> float | None:
    """Seconds from the last kill to the last restless moment; None if the watch ended too soon after that, or saw no members."""
    changes = [(event.at_s, str(event["member"])) for event in history.of("member_change") if event.at_s <= watch.end_s]
    seen = between((point for points in read(history, "members_alive").values() for point in points), killed_s, watch.end_s)
    size = steady_pool(history, watch)
    if not seen or seen[-1].value is None or not size:
        return None
    usual = max((_changed(changes, at_s) for at_s, _ in changes if watch.settled_s <= at_s < watch.steady_end_s), default=0)
    restless = [at_s for at_s, _ in changes if at_s > killed_s and _changed(changes, at_s) > usual + MORE]
    wrongly = [point for points in read(history, AT_SERVER).values() for point in points]
    slack = max((point.value or 0 for point in between(wrongly, watch.settled_s, watch.steady_end_s)), default=0) + WRONGLY_FAILED
    restless += [point.at_s for point in between(wrongly, killed_s, watch.end_s) if point.value is not None and point.value > slack]
    restless += [point.at_s for point in seen if point.value is not None and point.value < WHOLE_SHARE * size]
    last_s = max(restless, default=killed_s)
    return None if last_s > watch.end_s - CALM_S else round(last_s - killed_s, 3)


def _changed(changes: Sequence[tuple[float, str]], at_s: float) -> int:
    """Distinct members that changed in the window up to a moment; `changes` are in the order of time."""
    first, last = (bisect_right(changes, moment_s, key=itemgetter(0)) for moment_s in (at_s - WINDOW_S, at_s))
    return len({name for _, name in changes[first:last]})


def _member_time(history: History, series: str, begin_s: float, end_s: float) -> MemberTime | None:
    points = sorted((point for points in read(history, series).values() for point in points), key=lambda point: point.at_s)
    known = [(point.at_s, point.value) for point in between(points, begin_s, end_s) if point.value is not None]
    if not known:
        return None
    last = [value for at_s, value in known if at_s >= end_s - LAST_S]
    lasts = [min(later - at_s, GAP_S_MAX) for (at_s, _), later in zip(known, [*(at_s for at_s, _ in known[1:]), end_s], strict=True)]
    total = sum(value * last_s for (_, value), last_s in zip(known, lasts, strict=True))
    return MemberTime(peak=max(value for _, value in known), member_s=round(total, 1), at_end=round(fmean(last), 1) if last else None)


def _dropped(history: History, watch: Watch) -> int | None:
    """Counters of the nodes only grow; what a node counted before the first kill is not counted here."""
    grown: list[float] = []
    for points in read(history, HANDOFF).values():
        counts = [(point.at_s, point.value) for point in points if point.value is not None and point.at_s <= watch.end_s]
        before = [value for at_s, value in counts if at_s < watch.steady_end_s]
        grown += [counts[-1][1] - (before[-1] if before else 0)] if counts else []
    return round(sum(grown)) if grown else None


def _throttled(history: History, begin_s: float, end_s: float) -> float | None:
    """Nodes with agents are those whose agents' logs are read."""
    stopped = read(history, "node_throttled_ratio")
    points = [point for node in history.targets(HANDOFF) for point in between(stopped.get(node, ()), begin_s, end_s)]
    known = [point.value for point in points if point.value is not None]
    return round(fmean(known), 3) if known else None


def _latency(history: History, series: str, begin_s: float, end_s: float) -> Latency | None:
    asked: list[Point] = [point for points in read(history, series).values() for point in between(points, begin_s, end_s) if point.asked]
    numbers = [point.value for point in censored(asked, TIMEOUT_MS) if point.value is not None]
    if not numbers:
        return None
    return Latency(p50=percentile(numbers, 0.5), p99=percentile(numbers, 0.99), n=len(numbers), failed=len(asked) - len(numbers))
