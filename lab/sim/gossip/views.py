"""One row's view of one name, in one number, and whether a message would change it.

Most messages tell what is known: each update reaches each member a dozen times. So a packet is first read against these numbers alone, 16 of
which share a line of the processor's cache.
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.state import ABSENT, ALIVE, DEAD, INC_SHIFT, NOW, SETTLED, STATE_BITS, SUSPECT, Pool


@compiled
def state_of(pool: Pool, row: int, subject: int) -> int:
    """ABSENT, ALIVE, SUSPECT, DEAD or LEFT."""
    return int(pool.heard[row, subject]) & STATE_BITS


@compiled
def inc_of(pool: Pool, row: int, subject: int) -> int:
    """The incarnation the row knows of."""
    return int(pool.heard[row, subject]) >> INC_SHIFT


@compiled
def is_news(heard: int, kind: int, inc: int) -> bool:
    """Would a message change the view `heard`, or confirm a suspicion that waits for it? Those that would not have no effect at all."""
    state, known = heard & STATE_BITS, heard >> INC_SHIFT
    if kind == ALIVE:
        return state == ABSENT or inc > known
    if inc < known:
        return False
    if kind == SUSPECT:
        return state == ALIVE or (state == SUSPECT and heard & SETTLED == 0)
    return state in (ALIVE, SUSPECT)


@compiled
def holds(pool: Pool, row: int, subject: int) -> bool:
    """Does the row take the subject for running: alive, or suspect?"""
    return state_of(pool, row, subject) in (ALIVE, SUSPECT)


@compiled
def hears(pool: Pool, row: int, target: int) -> bool:
    """Would the row gossip to the target: alive, suspect, or not dead for long?"""
    if target == pool.follows[row]:
        return False
    if holds(pool, row, target):
        return True
    lately_ms = pool.clock[NOW] - pool.pairs[row, target].changed_ms
    return bool(state_of(pool, row, target) == DEAD and lately_ms <= pool.setting[0].gossip_to_dead_ms)
