"""How a newcomer gets in: a push/pull with the member it was told of, tried again until it comes to that."""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below
from lab.sim.gossip.exchange import admitted, exchange
from lab.sim.gossip.members import watch
from lab.sim.gossip.outside import asleep, stand_in
from lab.sim.gossip.rules import hear_alive
from lab.sim.gossip.rumours import plant
from lab.sim.gossip.state import (
    ALIVE,
    EXCHANGES,
    EXCHANGES_FAILED,
    EXCHANGES_REFUSED,
    JOINS,
    NONE,
    NOW,
    RESURRECTIONS,
    SUSPECT,
    TCP_BYTES,
    UPDATES,
    WATCHED_N,
    Pool,
)
from lab.sim.gossip.views import state_of
from lab.sim.gossip.wheel import join_timer, set_timer

LOOKED_AT = 256
"""Names that are looked at to tell what a newcomer is told wrongly. Chosen: its error is at most 3 % of the names; a storm has tens of thousands."""


@compiled
def join_row(pool: Pool, row: int) -> None:
    """A followed newcomer joins; what it counts in doing so is its own, as `join` counts it for those that are not followed."""
    process, times = pool.members[pool.follows[row]], pool.setting[0].times
    if process.home == NONE:
        process.known = 1
    elif not process.blocked and exchange(pool, row, process.home):
        process.known = 1
        if pool.setting[0].sampled:
            for count in (JOINS, UPDATES, RESURRECTIONS):
                pool.sums[process.anomalous, count] += times * times * (pool.counts[row, count] - pool.flushed[row, count])
                pool.flushed[row, count] = pool.counts[row, count]


@compiled
def join(pool: Pool, member: int) -> None:
    """A newcomer without a row joins, or tries again within half a minute, as serf's upkeep would have it. Of a sampled pool only."""
    process = pool.members[member]
    if not process.running or process.known or process.row != NONE:
        return
    if process.home == NONE or _let_in(pool, member, process.home):
        process.known = 1
        plant(pool, process.group >> 1, ALIVE, member, process.inc, member, 0)
        if pool.setting[0].times > 1:
            watch(pool, member)
    else:
        set_timer(pool, join_timer(pool, member), pool.clock[NOW] + 1 + below(pool, pool.setting[0].reconnect_ms))


@compiled
def _let_in(pool: Pool, member: int, home: int) -> bool:
    """The push/pull with `home`: it is told of the newcomer, and the newcomer of all that a member like `home` holds."""
    process, other, setting, times = pool.members[member], pool.members[home], pool.setting[0], pool.setting[0].times
    sums = pool.sums[process.anomalous]
    keyed = (other.accepts >> process.key) & 1 and (process.accepts >> other.key) & 1
    row = other.row if other.row != NONE else stand_in(pool, home, NONE)
    if not other.running or asleep(pool, home) or not keyed or row < 0:
        sums[EXCHANGES_FAILED] += times
        return False
    owner = pool.rows[row]
    if not admitted(pool, home, times * (owner.list_n + 1), times):
        sums[EXCHANGES_REFUSED] += times
        return False
    sums[EXCHANGES] += times
    sums[TCP_BYTES] += times * times * (owner.list_n + 1) * setting.entry_bytes
    suspects, phantoms = _not_so(pool, row)
    sums[JOINS] += times * times * (owner.alive_n - suspects)
    sums[UPDATES] += times * times * (owner.alive_n - suspects)
    sums[RESURRECTIONS] += times * times * phantoms
    if other.row != NONE:
        hear_alive(pool, row, member, process.inc)
    return True


@compiled
def _not_so(pool: Pool, row: int) -> tuple[float, float]:
    """How many the row suspects, which a newcomer does not take up, and how many it holds alive that have ended, which it does.

    All such names are watched; of many, LOOKED_AT are drawn.
    """
    watched = pool.clock[WATCHED_N]
    looked_at = min(watched, LOOKED_AT)
    suspects, phantoms = 0, 0
    for number in range(looked_at):
        subject = pool.watch[number if watched <= LOOKED_AT else below(pool, watched)]
        state = state_of(pool, row, subject)
        suspects += int(state == SUSPECT)
        phantoms += int(state == ALIVE and pool.names[subject].ended_ms != NONE)
    share = watched / max(1, looked_at)
    return suspects * share, phantoms * share
