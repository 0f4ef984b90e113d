"""What happened, in one sentence that a person reads first."""

from lab.checkers.neighbour import NeighbourVerdict
from lab.checkers.pool import Pool
from lab.checkers.result import LinkResult
from lab.checkers.verdict import Verdict
from lab.checkers.watch import Watch
from lab.core.history import History
from lab.report.words import counted, listed, number, short_node


def what_happened(history: History, verdict: Verdict) -> str:
    """One sentence, from the causes to what became of it; of a simulated run it says so first."""
    return f"{'Simulated: ' if is_simulated(history) else ''}{_happened(history, verdict)}"


def is_simulated(history: History) -> bool:
    """No container ran."""
    return bool(history.header.get("world") == "simulated")


def _happened(history: History, verdict: Verdict) -> str:
    watch = Watch.of(history)
    if watch is None or (verdict.verdict == "unknown" and not _fired(verdict)):
        return f"This run cannot be judged: {_short(verdict.reasons[0])}."
    if not _fired(verdict):
        return _nothing(history, watch, verdict)
    opening = _opening(history, verdict, watch)
    effects, users = ([told(verdict.link(link), watch) for link, told in table.items()] for table in (_EFFECTS, _USERS))
    happened = [text for text in (*effects, _slow(verdict), *users) if text]
    if not happened:
        return f"{opening} nothing else left its steady state{_outcome(history, verdict)}."
    return f"{opening} {listed(happened)}{_outcome(history, verdict)}."


def what_the_pool_did(pool: Pool) -> str:
    """What became of a pool whose agents were killed, in one sentence."""
    calm = (
        f"calm {pool.calm_after_s:.0f} s after the last kill"
        if pool.calm_after_s is not None
        else f"not calm within {pool.watched_s:.0f} s"
    )
    wrongly = f", {pool.false_positives.member_s:,.0f} member-seconds of living ones held for failed" if pool.false_positives else ""
    returned = f"{counted(pool.phantoms, 'return')} of {counted(pool.phantom_members, 'member')} known to be dead"
    return f"The pool: {calm}; {returned}{wrongly}."


def what_became_of_the_neighbour(found: NeighbourVerdict) -> str:
    """How a second cluster fared that nothing was done to, in one sentence; why it is so called stands among the verdict's reasons."""
    where = "in the same pool" if found.pool == "shared" else "with a pool of its own"
    told = [f"The neighbour, {where}, {'cannot be judged' if found.condition == 'unknown' else f'was {found.condition}'}"]
    told.append(f"its own living agents were held for failed {counted(found.held_for_failed, 'time')}")
    after = found.after_the_kills
    if after is not None and after.false_positives is not None:
        told.append(f"its agents held living ones for failed for {after.false_positives.member_s:,.0f} member-seconds")
    if after is not None and after.agent_reads_steady and after.agent_reads_after:
        before, later = (number(reads.p99, "ms") for reads in (after.agent_reads_steady, after.agent_reads_after))
        told.append(f"p99 at its agents was {before} before and {later} after the kills")
    return f"{'; '.join(told)}."


def also(verdict: Verdict) -> list[str]:
    """What the sentence has no room for: the pool after the kills, and a second cluster."""
    found = verdict.evidence
    pool = [] if found.pool is None else [what_the_pool_did(found.pool)]
    return [*pool, *([] if found.neighbour is None else [what_became_of_the_neighbour(found.neighbour)])]


def _short(reason: str) -> str:
    """Its first line, without what another program said at length."""
    first = reason.strip().partition("\n")[0].rstrip(" .:")
    return first if len(first) <= REASON_MAX else first[:REASON_MAX].rsplit(" ", 1)[0] + " ..."


KILLED = {
    "kill-agents": "Consul agents were killed without a farewell",
    "pause-agents": "Consul agents were frozen and thawed",
    "churn-pods": "Pods came and went",
}
REASON_MAX = 200
"""Characters. Chosen: two lines on a screen."""


def _fired(verdict: Verdict) -> bool:
    return any(result.status == "fired" for result in verdict.links)


def _nothing(history: History, watch: Watch, verdict: Verdict) -> str:
    deploys = verdict.link(9)
    went = f", and {deploys.evidence['deploys']} deploys went through" if deploys.status == "quiet" and not deploys.peak else ""
    nodes = len({event["node"] for event in history.of("node")})
    watched_s = watch.end_s - watch.steady_end_s
    return (
        f"Nothing left its steady state in {watched_s:.0f} s: {counted(nodes, 'node')} stayed Ready, no pod was evicted, "
        f"gossip stayed calm and Consul answered as fast as before{went}."
    )


def _opening(history: History, verdict: Verdict, watch: Watch) -> str:
    away, flood = verdict.link(0), verdict.link(1)
    if away.status == "fired" and watch.release_s is not None:
        return f"Kafka was away for {away.peak or 0:.0f} s{' and the logs piled up' if flood.status == 'fired' else ''}; then"
    if away.status == "fired":
        return "Kafka went away, and"
    if flood.status != "fired" and (killed := [KILLED[e["fault"]] for e in history.of("fault") if e["fault"] in KILLED]):
        return f"{killed[0]}, and"
    return (
        "The broker answered all along, but logs came down on it in a flood, and"
        if flood.status == "fired"
        else "Without any outage or flood,"
    )


def _starved(result: LinkResult, _: Watch) -> str:
    if result.status != "fired":
        return ""
    return f"{counted(len(result.evidence['nodes']), 'node')} had no CPU left for kubelet and runtime"


def _lost(result: LinkResult, watch: Watch) -> str:
    if result.status != "fired" or result.fired_at_s is None:
        return ""
    nodes = [short_node(node) for node in result.evidence["nodes"]]
    if watch.release_s is None:
        return f"{counted(len(nodes), 'node')} became NotReady"
    after_s = result.fired_at_s - watch.release_s
    when = f"{abs(after_s):.0f} s {'after' if after_s >= 0 else 'before'} Kafka's return"
    return f"{counted(len(nodes), 'node')} became NotReady ({'the first ' if len(nodes) > 1 else ''}{when})"


def _evicted(result: LinkResult, _: Watch) -> str:
    if result.status != "fired":
        return ""
    share, total, pods = result.evidence["share"], result.evidence["evicted"], result.evidence["pods"]
    first = min(total, round(share * pods))
    again = f", and {total - first} of their replacements again" if total > first else ""
    return f"{first} of {pods} pods were evicted{again}"


def _churned(result: LinkResult, _: Watch) -> str:
    if result.status != "fired":
        return ""
    return f"{result.evidence['members_gone']} members of a gossip pool of {result.evidence['pool']} failed or left"


def _slow(verdict: Verdict) -> str:
    """In the figures that a cascade is judged by, which the page shows right below; without them in those of the link."""
    result, claims = verdict.link(6), verdict.evidence.claims
    if result.status != "fired" or result.steady is None:
        return ""
    before_ms: float | None = result.steady.high
    after_ms = result.peak
    if claims is not None and (claims.agent_read_p99_ratio or 0.0) > 1.0:
        before_ms, after_ms = claims.agent_read_ms_p99_steady, claims.agent_read_ms_p99_after_release
    return f"Consul's p99 at a pod's own agent rose from {number(before_ms, 'ms')} to {number(after_ms, 'ms')}"


def _no_vault(result: LinkResult, _: Watch) -> str:
    return f"Vault was down ({result.reason})" if result.status == "fired" else ""


def _stale(result: LinkResult, _: Watch) -> str:
    return f"the load balancer failed its users ({result.reason})" if result.status == "fired" else ""


def _no_deploys(result: LinkResult, _: Watch) -> str:
    if result.status != "fired":
        return ""
    return f"{result.evidence['failed']} of {result.evidence['deploys']} deploys failed"


_EFFECTS = {2: _starved, 3: _lost, 4: _evicted, 5: _churned}
_USERS = {7: _no_vault, 8: _stale, 9: _no_deploys}
"""What comes after Consul is slow."""


def _outcome(history: History, verdict: Verdict) -> str:
    calm = verdict.metastable
    if calm.verdict is None or not any(result.status == "fired" for result in verdict.links if 3 <= result.link < 10):
        return ""
    if calm.verdict:
        back = f"until {calm.recovered_at_s:.0f} s" if calm.recovered_at_s is not None else "to the end of the watch"
        waited_s = float(history.header["experiment"]["metastable_after_s"])
        return f"; {waited_s:.0f} s after the cause was gone it had not calmed down, and it lasted {back}"
    return f"; all was back by {calm.recovered_at_s:.0f} s" if calm.recovered_at_s is not None else "; it calmed down again"
