"""Bookkeeping behind the rules: the member list, serf's view, the counts, and the truth they are compared with."""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below
from lab.sim.gossip.state import (
    ABSENT,
    ALIVE,
    DEAD,
    FAILURES,
    FALSE_POSITIVES,
    FALSE_POSITIVES_OWN,
    JOINS,
    LEAVES,
    LEFT,
    LOG_LOST,
    LOG_N,
    NONE,
    NOW,
    RESURRECTIONS,
    RUNNING_N,
    SUSPECT,
    Pool,
)


@compiled
def set_state(pool: Pool, member: int, subject: int, state: int) -> None:
    """Change a view and count who still holds the subject alive or suspect."""
    view, name = pool.pairs[member, subject], pool.names[subject]
    knew = view.state in (ALIVE, SUSPECT)
    knows = state in (ALIVE, SUSPECT)
    if view.state != state:
        view.changed_ms = pool.clock[NOW]
    view.state = state
    if knows and not knew:
        name.knowers += 1
    elif knew and not knows:
        forget_knower(pool, subject)


@compiled
def forget_knower(pool: Pool, subject: int) -> None:
    """One running member less holds the subject alive; note when an ended one is known to be dead everywhere."""
    name = pool.names[subject]
    name.knowers -= 1
    if name.knowers == 0 and name.ended_ms != NONE and name.all_failed_ms == NONE:
        name.all_failed_ms = pool.clock[NOW]


@compiled
def add_to_list(pool: Pool, member: int, subject: int) -> None:
    """Append, then swap with a random place, so that a new member is probed soon on average.

    Source: memberlist state.go aliveNode, util.go randomOffset.
    """
    owner = pool.members[member]
    last = owner.list_n
    place = below(pool, max(1, last))
    pool.order[member, last] = pool.order[member, place]
    pool.order[member, place] = subject
    owner.list_n = last + 1


@compiled
def reset_list(pool: Pool, member: int) -> None:
    """At the end of a lap, forget who has been dead for long, and shuffle the rest.

    Source: memberlist state.go:565 resetNodes, util.go moveDeadNodes and shuffleNodes.
    """
    owner, kept_ms = pool.members[member], pool.setting[0].gossip_to_dead_ms
    kept = 0
    for place in range(owner.list_n):
        subject = pool.order[member, place]
        view = pool.pairs[member, subject]
        if view.state >= DEAD and pool.clock[NOW] - view.changed_ms > kept_ms:
            view.state = ABSENT
            view.inc = 0
        else:
            pool.order[member, kept] = subject
            kept += 1
    owner.list_n = kept
    for place in range(kept - 1, 0, -1):
        other = below(pool, place + 1)
        pool.order[member, place], pool.order[member, other] = pool.order[member, other], pool.order[member, place]


@compiled
def note_join(pool: Pool, member: int, subject: int) -> None:
    """Serf hears that a member is alive."""
    view, owner = pool.pairs[member, subject], pool.members[member]
    if view.serf == ALIVE:
        return
    if view.serf == DEAD:
        owner.failed_n -= 1
    view.serf = ALIVE
    view.serf_ms = pool.clock[NOW]
    owner.alive_n += 1
    pool.counts[member, JOINS] += 1
    if pool.names[subject].ended_ms != NONE:
        pool.counts[member, RESURRECTIONS] += 1
    _log(pool, member, subject, ALIVE, 0)


@compiled
def note_end(pool: Pool, member: int, subject: int, kind: int, own: int) -> None:
    """Serf hears that a member failed or left.

    Args:
        pool: the pool.
        member: who hears it.
        subject: of whom.
        kind: DEAD or LEFT.
        own: 1 if its own suspicion ran out, 0 if it was told.
    """
    view, owner = pool.pairs[member, subject], pool.members[member]
    if view.serf == ALIVE:
        owner.alive_n -= 1
    if view.serf != DEAD and kind == DEAD:
        owner.failed_n += 1
    view.serf = kind
    view.serf_ms = pool.clock[NOW]
    if kind == LEFT:
        pool.counts[member, LEAVES] += 1
    else:
        pool.counts[member, FAILURES] += 1
        _judge(pool, member, subject, own)
    _log(pool, member, subject, kind, own)


@compiled
def _judge(pool: Pool, member: int, subject: int, own: int) -> None:
    """Was that failure true?"""
    name = pool.names[subject]
    if name.first_failed_ms == NONE and (name.ended_ms != NONE or pool.members[subject].anomalous):
        name.first_failed_ms = pool.clock[NOW]
    if pool.members[subject].running and not pool.members[subject].anomalous:
        pool.counts[member, FALSE_POSITIVES] += 1
        pool.counts[member, FALSE_POSITIVES_OWN] += own


@compiled
def _log(pool: Pool, member: int, subject: int, event: int, own: int) -> None:
    if not pool.members[member].observer:
        return
    row = pool.clock[LOG_N]
    if row >= len(pool.log):
        pool.clock[LOG_LOST] += 1
        return
    entry = pool.log[row]
    entry[0] = pool.clock[NOW]
    entry[1] = member
    entry[2] = subject
    entry[3] = event
    entry[4] = own
    pool.clock[LOG_N] = row + 1


@compiled
def end_process(pool: Pool, member: int, left: int) -> None:
    """The process is gone: it says nothing more, and what it knew does not count."""
    owner, name = pool.members[member], pool.names[member]
    owner.running = 0
    owner.blocked = 0
    owner.inbox_n = 0
    owner.handoff_n = 0
    owner.urgent_n = 0
    pool.clock[RUNNING_N] -= 1
    name.ended_ms = pool.clock[NOW]
    name.left = left
    for place in range(owner.list_n):
        subject = pool.order[member, place]
        if pool.pairs[member, subject].state in (ALIVE, SUSPECT):
            forget_knower(pool, subject)
