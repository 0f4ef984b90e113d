"""Members that nobody follows: whether they answer, and what they do when they are accused. Of a sampled pool only.

Of such a member the truth is known (it runs, it is blocked until then, its incarnation), not what it knows: for that, rows of its tongue stand in. It
hears an accusation when a row drawn once for it, its ear, does: both are random members of the same pool. If it is blocked then, the accusation waits in
its socket, unless the socket is full by now, and is refuted when it wakes (memberlist state.go:921 refute).
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.groups import fits, random_row
from lab.sim.gossip.rumours import plant
from lab.sim.gossip.state import ALIVE, FILL_MS, NONE, NOW, REFUTATIONS, Pool
from lab.sim.gossip.views import holds
from lab.sim.gossip.wheel import set_timer, wake_timer

TRIES = 16
"""Rows that are tried to find a fitting one. Chosen: one in five fits in 97 of 100 cases; where fewer do, any is taken."""


@compiled
def asleep(pool: Pool, member: int) -> bool:
    """Is the member in a blocked window? One with a row is woken by a timer, of others the end of the window is looked at."""
    process = pool.members[member]
    if process.row != NONE:
        return bool(process.blocked)
    return bool(process.block_end_ms > pool.clock[NOW])


@compiled
def woke_ms(pool: Pool, member: int) -> int:
    """When its last blocked window ended, of a member that is awake."""
    process = pool.members[member]
    return int(process.woke_ms if process.row != NONE else process.block_end_ms)


@compiled
def stand_in(pool: Pool, member: int, row: int) -> int:
    """A row that does what a waking member without one would do, towards `row` (NONE: towards nobody that is followed); NONE if there is none awake.

    If possible one that `row` takes for running if it takes the member for that, and not otherwise: a pool whose halves hold each other dead stays two.
    """
    tongue = pool.members[member].group >> 1
    found = random_row(pool, tongue, row, 1)
    if row == NONE:
        return found
    running = holds(pool, row, member)
    for _ in range(TRIES):
        if found == NONE or holds(pool, row, pool.follows[found]) == running:
            return found
        found = random_row(pool, tongue, row, 1)
    return found


@compiled
def overhear(pool: Pool, row: int, subject: int, inc: int) -> None:
    """A row has heard an accusation: if it is the ear of the accused, the accused has, too."""
    process = pool.members[subject]
    if process.row != NONE or not process.running:
        return
    if process.ear == NONE or not fits(pool, process.ear, process.group >> 1, 0):
        process.ear = _new_ear(pool, subject)
    if process.ear == row:
        accused(pool, subject, inc)


@compiled
def _new_ear(pool: Pool, subject: int) -> int:
    """If possible a row that takes the subject for running: those are who it hears from."""
    tongue = pool.members[subject].group >> 1
    found = random_row(pool, tongue, NONE, 1)
    for _ in range(TRIES):
        if found == NONE or holds(pool, found, subject):
            return found
        found = random_row(pool, tongue, NONE, 1)
    return found


@compiled
def accused(pool: Pool, member: int, inc: int) -> None:
    """A member without a row is told that it is suspect or dead."""
    process = pool.members[member]
    if process.leaving or not process.running or inc < process.inc:
        return
    if not asleep(pool, member):
        _refute(pool, member, inc)
    elif pool.clock[NOW] - process.blocked_ms <= pool.pace[process.group >> 1, FILL_MS]:
        process.accused_inc = max(process.accused_inc, inc + 1)
        set_timer(pool, wake_timer(pool, member), process.block_end_ms + 1)


@compiled
def wake(pool: Pool, member: int) -> None:
    """The blocked window is over and the accusation is read."""
    process = pool.members[member]
    inc, process.accused_inc = process.accused_inc - 1, 0
    if inc != NONE and process.row == NONE:
        accused(pool, member, inc)


@compiled
def _refute(pool: Pool, member: int, inc: int) -> None:
    process = pool.members[member]
    process.inc = max(process.inc, inc) + 1
    pool.sums[process.anomalous, REFUTATIONS] += pool.setting[0].times
    plant(pool, process.group >> 1, ALIVE, member, process.inc, member, 0)
