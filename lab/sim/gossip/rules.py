"""What a member makes of a message: alive, suspect, dead. The rules that let a pool forget, and remember the dead as living.

Source: memberlist state.go at 1b4c746, aliveNode (:940), suspectNode, deadNode, refute (:921), mergeState (:1311).
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.broadcasts import enqueue
from lab.sim.gossip.members import add_to_list, note_end, note_join, set_state
from lab.sim.gossip.state import (
    ABSENT,
    ALIVE,
    DEAD,
    LEFT,
    NONE,
    NOW,
    REFUTATIONS,
    SUSPECT,
    SUSPICIONS,
    UPDATES,
    Pool,
)
from lab.sim.gossip.wheel import cancel, set_timer

SHORTEST_MS, TRANSMISSIONS, PUSH_PULL_MS, LONG_MS = 0, 1, 2, 3
"""Columns of `tables`; from LONG_MS on, a suspicion's length with 0, 1 ... confirmations."""


@compiled
def change_score(pool: Pool, member: int, delta: int) -> None:
    """Health score 0 .. 7; stays 0 without LHA-Probe.

    Source: memberlist awareness.go:32 ApplyDelta.
    """
    setting, owner = pool.setting[0], pool.members[member]
    if setting.probe_lha:
        owner.score = min(setting.scale_max - 1, max(0, owner.score + delta))


@compiled
def refute(pool: Pool, member: int, accused_inc: int) -> None:
    """Say that one is alive, with an incarnation above the accusation, and trust oneself less."""
    view = pool.pairs[member, member]
    view.inc = max(view.inc, accused_inc) + 1
    pool.counts[member, REFUTATIONS] += 1
    change_score(pool, member, 1)
    enqueue(pool, member, member, ALIVE, view.inc, member)


@compiled
def hear_alive(pool: Pool, member: int, subject: int, inc: int) -> None:
    """An unknown name is added whatever its incarnation; a known one needs a newer incarnation. Both are passed on."""
    view = pool.pairs[member, subject]
    if subject == member:
        if not pool.members[member].leaving and inc > view.inc:
            refute(pool, member, inc)
        return
    if view.state == ABSENT:
        add_to_list(pool, member, subject)
        view.inc = 0
        set_state(pool, member, subject, DEAD)
    if inc <= view.inc:
        return
    cancel(pool, member * len(pool.members) + subject)
    enqueue(pool, member, subject, ALIVE, inc, subject)
    pool.counts[member, UPDATES] += 1
    view.inc = inc
    was = view.state
    if was != ALIVE:
        set_state(pool, member, subject, ALIVE)
    if was >= DEAD:
        note_join(pool, member, subject)


@compiled
def hear_suspect(pool: Pool, member: int, subject: int, inc: int, accuser: int) -> None:
    """Unknown names and old incarnations are ignored; a running suspicion may be confirmed; oneself is refuted."""
    view = pool.pairs[member, subject]
    if view.state == ABSENT or inc < view.inc:
        return
    timer = member * len(pool.members) + subject
    if pool.timers[timer].due_ms >= 0:
        _confirm(pool, member, subject, inc, accuser)
        return
    if view.state != ALIVE:
        return
    if subject == member:
        if not pool.members[member].leaving:
            refute(pool, member, inc)
        return
    enqueue(pool, member, subject, SUSPECT, inc, accuser)
    pool.counts[member, SUSPICIONS] += 1
    if pool.names[subject].ended_ms != NONE and pool.names[subject].first_suspected_ms == NONE:
        pool.names[subject].first_suspected_ms = pool.clock[NOW]
    view.inc = inc
    set_state(pool, member, subject, SUSPECT)
    view.confirmed = 0
    view.sized = pool.members[member].list_n
    pool.accusers[member, subject, 0] = accuser
    set_timer(pool, timer, pool.clock[NOW] + pool.tables[view.sized, LONG_MS])


@compiled
def _confirm(pool: Pool, member: int, subject: int, inc: int, accuser: int) -> None:
    """A new accuser shortens the suspicion and is passed on; up to the number wanted.

    Source: memberlist suspicion.go:105 Confirm.
    """
    view, setting = pool.pairs[member, subject], pool.setting[0]
    wanted = setting.wanted if view.sized - 2 >= setting.wanted else 0
    if view.confirmed >= wanted:
        return
    for place in range(view.confirmed + 1):
        if pool.accusers[member, subject, place] == accuser:
            return
    view.confirmed += 1
    pool.accusers[member, subject, view.confirmed] = accuser
    timer = member * len(pool.members) + subject
    set_timer(pool, timer, view.changed_ms + pool.tables[view.sized, LONG_MS + view.confirmed])
    enqueue(pool, member, subject, SUSPECT, inc, accuser)


@compiled
def hear_dead(pool: Pool, member: int, subject: int, inc: int, kind: int) -> None:
    """Told by gossip that a member is dead or left: believed at once, unless it is oneself."""
    view = pool.pairs[member, subject]
    if view.state == ABSENT or inc < view.inc:
        return
    cancel(pool, member * len(pool.members) + subject)
    if view.state >= DEAD:
        return
    if subject == member:
        if not pool.members[member].leaving:
            refute(pool, member, inc)
        return
    declare(pool, member, subject, inc, kind)


@compiled
def declare(pool: Pool, member: int, subject: int, inc: int, kind: int) -> None:
    """Hold a member for dead or left, and pass it on."""
    _end(pool, member, subject, inc, kind)
    note_end(pool, member, subject, kind, 0)


@compiled
def suspicion_runs_out(pool: Pool, member: int, subject: int) -> None:
    """Nobody refuted in time: dead, on this member's word."""
    view = pool.pairs[member, subject]
    if not pool.members[member].running or view.state != SUSPECT:
        return
    _end(pool, member, subject, view.inc, DEAD)
    note_end(pool, member, subject, DEAD, 1)


@compiled
def _end(pool: Pool, member: int, subject: int, inc: int, kind: int) -> None:
    view = pool.pairs[member, subject]
    enqueue(pool, member, subject, kind, inc, subject if kind == LEFT else member)
    view.inc = inc
    set_state(pool, member, subject, kind if pool.setting[0].left_state else DEAD)


@compiled
def merge(pool: Pool, member: int, subject: int, state: int, inc: int) -> None:
    """One entry of a push/pull. A dead one is only suspected, as one's own accusation."""
    if state == ALIVE:
        hear_alive(pool, member, subject, inc)
    elif state == LEFT:
        hear_dead(pool, member, subject, inc, LEFT)
    else:
        hear_suspect(pool, member, subject, inc, member)


@compiled
def apply(pool: Pool, member: int, kind: int, subject: int, inc: int, accuser: int) -> None:
    """One gossiped message."""
    if kind == ALIVE:
        hear_alive(pool, member, subject, inc)
    elif kind == SUSPECT:
        hear_suspect(pool, member, subject, inc, accuser)
    else:
        hear_dead(pool, member, subject, inc, kind)
