"""Bookkeeping behind the rules: the member list, serf's view, the counts, and the truth they are compared with."""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below
from lab.sim.gossip.groups import count_view
from lab.sim.gossip.state import (
    ABSENT,
    ALIVE,
    DEAD,
    FAILURES,
    FALSE_POSITIVES,
    FALSE_POSITIVES_OWN,
    INC_SHIFT,
    JOINS,
    LEAVES,
    LEFT,
    LOG_LOST,
    LOG_N,
    NONE,
    NOW,
    PHANTOMS,
    RESURRECTIONS,
    RUNNING_N,
    STATE_BITS,
    SUSPECT,
    WATCHED_N,
    Pool,
)


@compiled
def set_view(pool: Pool, row: int, subject: int, state: int, inc: int) -> None:
    """Change a view and count who still holds the subject alive or suspect."""
    was = pool.heard[row, subject] & STATE_BITS
    knew = was in (ALIVE, SUSPECT)
    knows = state in (ALIVE, SUSPECT)
    name = pool.names[subject]
    if was != state:
        pool.pairs[row, subject].changed_ms = pool.clock[NOW]
    pool.heard[row, subject] = inc << INC_SHIFT | state
    if knows and not knew:
        name.knowers += 1
        pool.clock[PHANTOMS] += int(name.ended_ms != NONE)
    elif knew and not knows:
        forget_knower(pool, subject)
    if pool.setting[0].sampled:
        count_view(pool, row, subject, was, state)
        if state != ALIVE or name.ended_ms != NONE:
            watch(pool, subject)


@compiled
def watch(pool: Pool, subject: int) -> None:
    """Views of the subject may be wrong: look at it each second until they are not. Of a sampled pool."""
    if not pool.members[subject].watched:
        pool.members[subject].watched = 1
        pool.watch[pool.clock[WATCHED_N]] = subject
        pool.clock[WATCHED_N] += 1


@compiled
def forget_knower(pool: Pool, subject: int) -> None:
    """One running member less holds the subject alive; note when an ended one is known to be dead everywhere."""
    name = pool.names[subject]
    name.knowers -= 1
    if name.ended_ms != NONE:
        pool.clock[PHANTOMS] -= 1
        if name.knowers == 0 and name.all_failed_ms == NONE:
            name.all_failed_ms = pool.clock[NOW]


@compiled
def add_to_list(pool: Pool, row: int, subject: int) -> None:
    """Append, then swap with a random place, so that a new member is probed soon on average.

    Source: memberlist state.go aliveNode, util.go randomOffset.
    """
    owner = pool.rows[row]
    last = owner.list_n
    place = below(pool, max(1, last))
    pool.order[row, last] = pool.order[row, place]
    pool.order[row, place] = subject
    owner.list_n = last + 1


@compiled
def end_lap(pool: Pool, row: int) -> None:
    """The list was gone through once. Where each name stands for several, so many laps make one of the whole list."""
    owner = pool.rows[row]
    owner.laps += 1
    if owner.laps >= pool.setting[0].times:
        owner.laps = 0
        reset_list(pool, row)


@compiled
def reset_list(pool: Pool, row: int) -> None:
    """At the end of a lap, forget who has been dead for long, and shuffle the rest.

    Source: memberlist state.go:565 resetNodes, util.go moveDeadNodes and shuffleNodes.
    """
    owner, kept_ms = pool.rows[row], pool.setting[0].gossip_to_dead_ms
    kept = 0
    for place in range(owner.list_n):
        subject = pool.order[row, place]
        state = pool.heard[row, subject] & STATE_BITS
        if state >= DEAD and pool.clock[NOW] - pool.pairs[row, subject].changed_ms > kept_ms:
            pool.heard[row, subject] = ABSENT
            if pool.setting[0].sampled:
                count_view(pool, row, subject, state, ABSENT)
        else:
            pool.order[row, kept] = subject
            kept += 1
    owner.list_n = kept
    for place in range(kept - 1, 0, -1):
        other = below(pool, place + 1)
        pool.order[row, place], pool.order[row, other] = pool.order[row, other], pool.order[row, place]


@compiled
def note_join(pool: Pool, row: int, subject: int) -> None:
    """Serf hears that a member is alive."""
    pair, owner = pool.pairs[row, subject], pool.rows[row]
    if pair.serf == ALIVE:
        return
    if pair.serf == DEAD:
        owner.failed_n -= 1
    pair.serf = ALIVE
    pair.serf_ms = pool.clock[NOW]
    owner.alive_n += 1
    pool.counts[row, JOINS] += 1
    if pool.names[subject].ended_ms != NONE:
        pool.counts[row, RESURRECTIONS] += 1
    _log(pool, row, subject, ALIVE, 0)


@compiled
def note_end(pool: Pool, row: int, subject: int, kind: int, own: int) -> None:
    """Serf hears that a member failed or left.

    Args:
        pool: the pool.
        row: who hears it.
        subject: of whom.
        kind: DEAD or LEFT.
        own: 1 if its own suspicion ran out, 0 if it was told.
    """
    pair, owner = pool.pairs[row, subject], pool.rows[row]
    if pair.serf == ALIVE:
        owner.alive_n -= 1
    if pair.serf != DEAD and kind == DEAD:
        owner.failed_n += 1
    pair.serf = kind
    pair.serf_ms = pool.clock[NOW]
    if kind == LEFT:
        pool.counts[row, LEAVES] += 1
    else:
        pool.counts[row, FAILURES] += 1
        _judge(pool, row, subject, own)
    _log(pool, row, subject, kind, own)


@compiled
def _judge(pool: Pool, row: int, subject: int, own: int) -> None:
    """Was that failure true?"""
    name, accused = pool.names[subject], pool.members[subject]
    if name.first_failed_ms == NONE and (name.ended_ms != NONE or accused.anomalous):
        name.first_failed_ms = pool.clock[NOW]
    if accused.running and not accused.anomalous:
        pool.counts[row, FALSE_POSITIVES] += 1
        pool.counts[row, FALSE_POSITIVES_OWN] += own


@compiled
def _log(pool: Pool, row: int, subject: int, event: int, own: int) -> None:
    member = pool.follows[row]
    if not pool.members[member].observer:
        return
    line = pool.clock[LOG_N]
    if line >= len(pool.log):
        pool.clock[LOG_LOST] += 1
        return
    entry = pool.log[line]
    entry[0] = pool.clock[NOW]
    entry[1] = member
    entry[2] = subject
    entry[3] = event
    entry[4] = own
    pool.clock[LOG_N] = line + 1


@compiled
def end_process(pool: Pool, member: int) -> None:
    """The process is gone: it says nothing more."""
    process, name = pool.members[member], pool.names[member]
    process.running = 0
    process.blocked = 0
    process.waiting = 0
    pool.clock[RUNNING_N] -= 1
    pool.clock[PHANTOMS] += name.knowers
    name.ended_ms = pool.clock[NOW]
    name.left = process.leaving


@compiled
def end_row(pool: Pool, row: int) -> None:
    """What an ended process knew does not count any more."""
    owner = pool.rows[row]
    owner.inbox_n = 0
    owner.handoff_n = 0
    owner.urgent_n = 0
    for place in range(owner.list_n):
        subject = pool.order[row, place]
        if pool.heard[row, subject] & STATE_BITS in (ALIVE, SUSPECT):
            forget_knower(pool, subject)
