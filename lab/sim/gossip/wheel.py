"""Timers: one slot for each millisecond, each timer in at most one slot, so that setting, moving and cancelling take constant time.

Timers of one millisecond fire last set first; the order is part of the run and the same each time.
"""

from lab.sim.compiled import compiled
from lab.sim.constants import INDIRECT_NODES_MAX
from lab.sim.gossip.state import NONE, NOW, TIMERS_OPEN, WHEEL_MS, Pool

PROBE, EXCHANGE, UPKEEP, WAKE, RELAYS = 0, 1, 2, 3, 4
"""Kinds of a row's own timers: probe step, push/pull, reconnect, end of a blocked window, relays' nacks. After them come, in a sampled pool, the next
try to join and the end of a blocked window of each name that has no row, and the rumours on their way; then the suspicions."""
OWN_TIMERS = 4 + INDIRECT_NODES_MAX


@compiled
def own_timer(pool: Pool, kind: int, row: int) -> int:
    """Number of a row's own timer; relay q has kind RELAYS + q."""
    return kind * len(pool.rows) + row


@compiled
def join_timer(pool: Pool, member: int) -> int:
    """Number of the timer of a member without a row that tries to join again."""
    return int(pool.setting[0].joins_from) + member


@compiled
def wake_timer(pool: Pool, member: int) -> int:
    """Number of the timer of a member without a row that wakes up accused."""
    return int(pool.setting[0].wakes_from) + member


@compiled
def suspicion_timer(pool: Pool, place: int) -> int:
    """Number of the timer of the suspicion at `place`."""
    return int(pool.setting[0].suspicions_from) + place


@compiled
def cancel(pool: Pool, timer: int) -> None:
    """Take the timer out; fine if it is not set."""
    entry = pool.timers[timer]
    if entry.due_ms < 0:
        return
    if entry.previous == NONE:
        pool.slots[entry.due_ms & (WHEEL_MS - 1)] = entry.next
    else:
        pool.timers[entry.previous].next = entry.next
    if entry.next != NONE:
        pool.timers[entry.next].previous = entry.previous
    entry.due_ms = NONE


@compiled
def set_timer(pool: Pool, timer: int, due_ms: int) -> None:
    """Fire `timer` at `due_ms`; one that was set is moved. What is due in the past fires as soon as it can.

    Raises:
        ValueError: further away than the wheel reaches.
    """
    cancel(pool, timer)
    now = pool.clock[NOW]
    due = max(due_ms, now + 1 - pool.clock[TIMERS_OPEN])
    if due - now >= WHEEL_MS:
        raise ValueError("a timer lies beyond the wheel")
    slot = due & (WHEEL_MS - 1)
    first = pool.slots[slot]
    entry = pool.timers[timer]
    entry.due_ms = due
    entry.next = first
    entry.previous = NONE
    if first != NONE:
        pool.timers[first].previous = timer
    pool.slots[slot] = timer


@compiled
def pop(pool: Pool) -> int:
    """A timer that is due now, taken out; NONE when there is none left."""
    timer = pool.slots[pool.clock[NOW] & (WHEEL_MS - 1)]
    if timer != NONE:
        cancel(pool, timer)
    return int(timer)
