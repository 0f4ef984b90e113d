"""What a member makes of a message: alive, suspect, dead. The rules that let a pool forget, and remember the dead as living.

Source: memberlist state.go at 1b4c746, aliveNode (:940), suspectNode, deadNode, refute (:921), mergeState (:1311).
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.broadcasts import enqueue
from lab.sim.gossip.members import add_to_list, note_end, note_join, set_view
from lab.sim.gossip.outside import overhear
from lab.sim.gossip.state import (
    ABSENT,
    ALIVE,
    DEAD,
    FLAGS,
    INC_SHIFT,
    LEFT,
    MISTAKEN,
    NONE,
    NOW,
    REFUTATIONS,
    STATE_BITS,
    SUSPECT,
    SUSPECTED,
    SUSPECTING,
    SUSPICIONS,
    UPDATES,
    Pool,
)
from lab.sim.gossip.suspicion import begin_suspicion, confirm, drop_suspicion
from lab.sim.gossip.views import is_news


@compiled
def change_score(pool: Pool, member: int, delta: int) -> None:
    """Health score 0 .. 7; stays 0 without LHA-Probe.

    Source: memberlist awareness.go:32 ApplyDelta.
    """
    setting, process = pool.setting[0], pool.members[member]
    if setting.probe_lha:
        process.score = min(setting.scale_max - 1, max(0, process.score + delta))


@compiled
def refute(pool: Pool, row: int, accused_inc: int) -> None:
    """Say that one is alive, with an incarnation above the accusation, and trust oneself less."""
    member = pool.follows[row]
    pool.counts[row, REFUTATIONS] += 1
    change_score(pool, member, 1)
    announce(pool, row, max(pool.members[member].inc, accused_inc) + 1)


@compiled
def announce(pool: Pool, row: int, inc: int) -> None:
    """Tell all that one is alive, at a new incarnation."""
    member = pool.follows[row]
    pool.members[member].inc = inc
    pool.heard[row, member] = inc << INC_SHIFT | pool.heard[row, member] & STATE_BITS
    enqueue(pool, row, member, ALIVE, inc, member)


@compiled
def hear_alive(pool: Pool, row: int, subject: int, inc: int) -> None:
    """An unknown name is added whatever its incarnation; a known one needs a newer incarnation. Both are passed on."""
    heard, member = pool.heard[row, subject], pool.follows[row]
    if subject == member:
        if not pool.members[member].leaving and inc > heard >> INC_SHIFT:
            refute(pool, row, inc)
        return
    was = heard & STATE_BITS
    if was == ABSENT:
        add_to_list(pool, row, subject)
    elif inc <= heard >> INC_SHIFT:
        return
    drop_suspicion(pool, row, subject)
    enqueue(pool, row, subject, ALIVE, inc, subject)
    pool.counts[row, UPDATES] += 1
    set_view(pool, row, subject, ALIVE, inc)
    if was not in (ALIVE, SUSPECT):
        note_join(pool, row, subject)


@compiled
def hear_suspect(pool: Pool, row: int, subject: int, inc: int, accuser: int) -> None:
    """Unknown names and old incarnations are ignored; a running suspicion may be confirmed; oneself is refuted."""
    heard = pool.heard[row, subject]
    state = heard & STATE_BITS
    if state not in (ALIVE, SUSPECT) or inc < heard >> INC_SHIFT:
        return
    if state == SUSPECT:
        if confirm(pool, row, subject, accuser):
            enqueue(pool, row, subject, SUSPECT, inc, accuser)
            overhear(pool, row, subject, inc)
        return
    member = pool.follows[row]
    if subject == member:
        if not pool.members[member].leaving:
            refute(pool, row, inc)
        return
    enqueue(pool, row, subject, SUSPECT, inc, accuser)
    pool.counts[row, SUSPICIONS] += 1
    name = pool.names[subject]
    if name.ended_ms != NONE and name.first_suspected_ms == NONE:
        name.first_suspected_ms = pool.clock[NOW]
    set_view(pool, row, subject, SUSPECT, inc)
    begin_suspicion(pool, row, subject, accuser)
    overhear(pool, row, subject, inc)


@compiled
def hear_dead(pool: Pool, row: int, subject: int, inc: int, kind: int) -> None:
    """Told by gossip that a member is dead or left: believed at once, unless it is oneself."""
    heard = pool.heard[row, subject]
    if heard & STATE_BITS not in (ALIVE, SUSPECT) or inc < heard >> INC_SHIFT:
        return
    member = pool.follows[row]
    if subject == member:
        if not pool.members[member].leaving:
            refute(pool, row, inc)
        return
    drop_suspicion(pool, row, subject)
    _declare(pool, row, subject, inc, kind, NONE)
    note_end(pool, row, subject, kind, 0)
    overhear(pool, row, subject, inc)


@compiled
def suspicion_runs_out(pool: Pool, place: int) -> None:
    """Nobody refuted in time: dead, on this member's word."""
    row, subject = pool.suspicions[place, SUSPECTING], pool.suspicions[place, SUSPECTED]
    accuser = pool.follows[row] if pool.suspicions[place, FLAGS] == MISTAKEN else NONE
    drop_suspicion(pool, row, subject)
    if pool.members[pool.follows[row]].running:
        _declare(pool, row, subject, pool.heard[row, subject] >> INC_SHIFT, DEAD, accuser)
        note_end(pool, row, subject, DEAD, 1)


@compiled
def _declare(pool: Pool, row: int, subject: int, inc: int, kind: int, accuser: int) -> None:
    """Hold a member for dead or left, and pass it on. `accuser`: who says so by mistake and alone; of no effect but in a sampled pool."""
    enqueue(pool, row, subject, kind, inc, accuser)
    set_view(pool, row, subject, kind if pool.setting[0].left_state else DEAD, inc)


@compiled
def merge(pool: Pool, row: int, subject: int, heard: int) -> None:
    """One entry of a push/pull. A dead one is only suspected, as one's own accusation."""
    state, inc = heard & STATE_BITS, heard >> INC_SHIFT
    kind = state if state in (ALIVE, LEFT) else SUSPECT
    if is_news(pool.heard[row, subject], kind, inc):
        apply(pool, row, kind, subject, inc, pool.follows[row])


@compiled
def apply(pool: Pool, row: int, kind: int, subject: int, inc: int, accuser: int) -> None:
    """One gossiped message."""
    if kind == ALIVE:
        hear_alive(pool, row, subject, inc)
    elif kind == SUSPECT:
        hear_suspect(pool, row, subject, inc, accuser)
    else:
        hear_dead(pool, row, subject, inc, kind)
