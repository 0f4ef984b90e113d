"""Timers: one slot for each millisecond, each timer in at most one slot, so that setting, moving and cancelling take constant time.

Timers of one millisecond fire last set first; the order is part of the run and the same each time.
"""

from lab.sim.compiled import compiled
from lab.sim.constants import INDIRECT_NODES_MAX
from lab.sim.gossip.state import NONE, NOW, TIMERS_OPEN, WHEEL_MS, Pool

PROBE, EXCHANGE, UPKEEP, WAKE, RELAYS = 0, 1, 2, 3, 4
"""Kinds of a member's own timers, after the M x M suspicions: probe step, push/pull, reconnect, end of a blocked window, relays' nacks."""
OWN_TIMERS = 4 + INDIRECT_NODES_MAX


@compiled
def own_timer(pool: Pool, kind: int, member: int) -> int:
    """Number of a member's own timer; relay q has kind RELAYS + q."""
    total = len(pool.members)
    return total * total + kind * total + member


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
