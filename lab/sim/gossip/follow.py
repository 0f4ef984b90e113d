"""Whom the rows follow. Of a sampled pool only.

A member that nobody follows is, as far as the rows can tell, any of its group. So where a followed one ends, another of its group takes its row over with
all it holds; where a group has few rows for what it is worth, a member of it takes over a row of a large group; and a newcomer, who knows less than the
others, is followed with the chance R / N at which they are, in the place of one of them (the rule of a reservoir sample, A. Waterman in D. Knuth,
The Art of Computer Programming 2, 3.4.2, algorithm R).
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.broadcasts import drop, unlink
from lab.sim.gossip.chance import below, share
from lab.sim.gossip.groups import enter_row, leave_row
from lab.sim.gossip.members import add_to_list, end_row, set_view
from lab.sim.gossip.outside import asleep
from lab.sim.gossip.state import (
    ABSENT,
    ALIVE,
    DEAD,
    GROUPS,
    MEMBERS_N,
    NAMES_USED,
    NONE,
    NOW,
    ROWS_N,
    STATE_BITS,
    Pool,
)
from lab.sim.gossip.suspicion import drop_suspicion
from lab.sim.gossip.tally import flush
from lab.sim.gossip.wheel import OWN_TIMERS, PROBE, RELAYS, WAKE, cancel, own_timer, set_timer

FLOOR = 8
"""A group gets a row for each member until it has this share of all rows, 1 / FLOOR. Chosen: what hindered members see is counted from 16 of 128 rows
at least; a larger share takes rows from those that most members are like."""
TRIES = 256
"""Members that are tried to find one without a row. Chosen: of a group that makes up 1 % one is found in 92 of 100 cases."""


@compiled
def begin_row(pool: Pool, member: int) -> int:
    """A row for a newcomer that counts already in its group, or NONE: it is not followed."""
    for row in range(len(pool.rows)):
        if pool.follows[row] == NONE:
            _attach(pool, row, member)
            return row
    group = pool.members[member].group
    members, rows = pool.groups[group, MEMBERS_N], pool.groups[group, ROWS_N]
    if rows == 0 or share(pool) * members >= rows:
        return NONE
    row = _row_of(pool, group)
    _let_go(pool, row)
    _attach(pool, row, member)
    return row


@compiled
def _row_of(pool: Pool, group: int) -> int:
    """A random row of a group that has one."""
    total = len(pool.rows)
    row = below(pool, total)
    while not _is_of(pool, row, group):
        row = (row + 1) % total
    return row


@compiled
def _is_of(pool: Pool, row: int, group: int) -> bool:
    member = pool.follows[row]
    return bool(member != NONE and pool.members[member].group == group and not pool.members[member].observer)


@compiled
def _attach(pool: Pool, row: int, member: int) -> None:
    """An empty row follows a member that knows nobody yet."""
    pool.follows[row] = member
    pool.members[member].row = row
    enter_row(pool, row)


@compiled
def _let_go(pool: Pool, row: int) -> None:
    """The row's member goes on without being followed, and what it knew is forgotten."""
    process = pool.members[pool.follows[row]]
    flush(pool, row)
    leave_row(pool, row)
    end_row(pool, row)
    process.row = NONE
    process.blocked = 0
    process.waiting = 0
    _clear(pool, row)


@compiled
def _clear(pool: Pool, row: int) -> None:
    """As if nobody had ever been followed here."""
    pool.follows[row] = NONE
    for kind in range(OWN_TIMERS):
        cancel(pool, own_timer(pool, kind, row))
    for subject in range(pool.clock[NAMES_USED]):
        pair = pool.pairs[row, subject]
        drop_suspicion(pool, row, subject)
        if pair.message:
            unlink(pool, row, pair.message - 1)
            drop(pool, row, pair.message - 1)
        pool.heard[row, subject] = ABSENT
        pair.serf = ABSENT
    owner = pool.rows[row]
    owner.list_n = owner.alive_n = owner.failed_n = owner.probe_at = owner.laps = 0
    _reset_loops(pool, row)


@compiled
def _reset_loops(pool: Pool, row: int) -> None:
    """Nothing is under way: no probe, no packet in the socket, nobody to exchange lists with."""
    owner = pool.rows[row]
    owner.phase = owner.tick_waits = owner.gossip_waits = owner.exchange_waits = 0
    owner.inbox_n = owner.inbox_bytes = owner.handoff_n = owner.urgent_n = 0
    owner.serial += 1
    owner.partner = NONE
    cancel(pool, own_timer(pool, PROBE, row))
    for kind in range(RELAYS, OWN_TIMERS):
        cancel(pool, own_timer(pool, kind, row))


@compiled
def retire(pool: Pool, row: int) -> None:
    """The followed member has ended and left its group: another of the group takes over, or the row waits for a newcomer."""
    old = pool.follows[row]
    successor = NONE if pool.members[old].observer else _without_row(pool, row, pool.members[old].group)
    if successor != NONE:
        _hand_over(pool, row, successor)
        return
    end_row(pool, row)
    pool.members[old].row = NONE
    _clear(pool, row)


@compiled
def _without_row(pool: Pool, row: int, group: int) -> int:
    """A running member of the group that nobody follows, drawn from the row's list; NONE if none is found."""
    length = pool.rows[row].list_n
    for _ in range(TRIES):
        member = pool.order[row, below(pool, length)]
        process = pool.members[member]
        if process.running and process.known and process.row == NONE and process.group == group and not process.leaving:
            return int(member)
    return NONE


@compiled
def _hand_over(pool: Pool, row: int, member: int) -> None:
    """A member without a row takes one over: it knows what was known there. The row counts in no group meanwhile."""
    old, process = pool.members[pool.follows[row]], pool.members[member]
    process.score = old.score
    old.row = NONE
    old.blocked = 0
    old.waiting = 0
    _reset_loops(pool, row)
    cancel(pool, own_timer(pool, WAKE, row))
    pool.follows[row] = member
    if asleep(pool, member):
        process.blocked = 1
        set_timer(pool, own_timer(pool, WAKE, row), process.block_end_ms)
    process.woke_ms = process.block_end_ms
    process.row = row
    enter_row(pool, row)
    _know_itself(pool, row, member)


@compiled
def _know_itself(pool: Pool, row: int, member: int) -> None:
    """The row's new member is alive, to itself, at its own incarnation."""
    owner, pair = pool.rows[row], pool.pairs[row, member]
    drop_suspicion(pool, row, member)
    if pool.heard[row, member] & STATE_BITS == ABSENT:
        add_to_list(pool, row, member)
    set_view(pool, row, member, ALIVE, pool.members[member].inc)
    if pair.serf != ALIVE:
        owner.failed_n -= int(pair.serf == DEAD)
        owner.alive_n += 1
        pair.serf = ALIVE
        pair.serf_ms = pool.clock[NOW]


@compiled
def adopt(pool: Pool, member: int) -> None:
    """Follow a member without a row if its group has few: it takes over a row of the group that has most."""
    process = pool.members[member]
    group = process.group
    wanted = min(pool.groups[group, MEMBERS_N], len(pool.rows) // FLOOR)
    if process.row != NONE or pool.groups[group, ROWS_N] >= wanted:
        return
    largest = 0
    for other in range(GROUPS):
        if pool.groups[other, ROWS_N] > pool.groups[largest, ROWS_N]:
            largest = other
    if pool.groups[largest, ROWS_N] <= len(pool.rows) // FLOOR:
        return
    row = _row_of(pool, largest)
    flush(pool, row)
    leave_row(pool, row)
    _hand_over(pool, row, member)
