"""Running suspicions: their timers, and the confirmations that shorten them.

Source: memberlist suspicion.go at 1b4c746.
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.state import (
    ACCUSERS,
    CONFIRMED,
    FLAGS,
    NONE,
    NOW,
    SETTLED,
    SIZED,
    SUSPECTED,
    SUSPECTING,
    SUSPICIONS_FREE,
    SUSPICIONS_MADE,
    TOLD,
    Pool,
)
from lab.sim.gossip.wheel import cancel, set_timer, suspicion_timer

SHORTEST_MS, TRANSMISSIONS, PUSH_PULL_MS, LONG_MS = 0, 1, 2, 3
"""Columns of `tables`; from LONG_MS on, a suspicion's length with 0, 1 ... confirmations."""


@compiled
def begin_suspicion(pool: Pool, row: int, subject: int, accuser: int) -> None:
    """The clock against a member starts; the view says SUSPECT already."""
    place = _new_place(pool)
    suspicion, sized = pool.suspicions[place], pool.rows[row].list_n
    suspicion[SUSPECTING] = row
    suspicion[SUSPECTED] = subject
    suspicion[SIZED] = sized
    suspicion[CONFIRMED] = 0
    suspicion[FLAGS] = TOLD if accuser != pool.follows[row] else 0
    suspicion[ACCUSERS] = accuser
    pool.pairs[row, subject].suspicion = place + 1
    if _wanted(pool, sized) == 0:
        pool.heard[row, subject] |= SETTLED
    set_timer(pool, suspicion_timer(pool, place), pool.clock[NOW] + pool.tables[sized, LONG_MS])


@compiled
def confirm(pool: Pool, row: int, subject: int, accuser: int) -> bool:
    """A new accuser shortens the suspicion, up to the number wanted; True if it did, and is to be passed on."""
    pair = pool.pairs[row, subject]
    place = pair.suspicion - 1
    suspicion = pool.suspicions[place]
    wanted, confirmed = _wanted(pool, suspicion[SIZED]), suspicion[CONFIRMED]
    if confirmed >= wanted:
        return False
    for number in range(confirmed + 1):
        if suspicion[ACCUSERS + number] == accuser:
            return False
    confirmed += 1
    suspicion[CONFIRMED] = confirmed
    suspicion[ACCUSERS + confirmed] = accuser
    if confirmed >= wanted:
        pool.heard[row, subject] |= SETTLED
    set_timer(pool, suspicion_timer(pool, place), pair.changed_ms + pool.tables[suspicion[SIZED], LONG_MS + confirmed])
    return True


@compiled
def drop_suspicion(pool: Pool, row: int, subject: int) -> None:
    """The suspicion is over, one way or the other; fine if there is none."""
    pair = pool.pairs[row, subject]
    place = pair.suspicion - 1
    if place == NONE:
        return
    cancel(pool, suspicion_timer(pool, place))
    pair.suspicion = 0
    pool.suspicions[place, SUSPECTING] = pool.clock[SUSPICIONS_FREE]
    pool.clock[SUSPICIONS_FREE] = place + 1


@compiled
def _wanted(pool: Pool, sized: int) -> int:
    """Source: memberlist state.go:1210 suspectNode."""
    wanted = pool.setting[0].wanted
    return int(wanted) if sized - 2 >= wanted else 0


@compiled
def _new_place(pool: Pool) -> int:
    place = pool.clock[SUSPICIONS_FREE] - 1
    if place == NONE:
        place = pool.clock[SUSPICIONS_MADE]
        pool.clock[SUSPICIONS_MADE] = place + 1
        pool.timers[suspicion_timer(pool, place)].due_ms = NONE
    else:
        pool.clock[SUSPICIONS_FREE] = pool.suspicions[place, SUSPECTING]
    return int(place)
