"""Push/pull: two members exchange their whole lists over TCP. Also how a member joins, and how serf looks for the lost.

Source: memberlist state.go pushPull, pushPullNode, mergeState; net.go handleConn; serf serf.go:1615 handleReconnect, reap.
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below, share
from lab.sim.gossip.outside import accused, asleep, stand_in
from lab.sim.gossip.rules import merge
from lab.sim.gossip.state import (
    ABSENT,
    ALIVE,
    DEAD,
    EXCHANGES,
    EXCHANGES_FAILED,
    EXCHANGES_REFUSED,
    LEFT,
    NAMES_USED,
    NONE,
    NOW,
    SUSPECT,
    TCP_BYTES,
    Pool,
)
from lab.sim.gossip.suspicion import PUSH_PULL_MS
from lab.sim.gossip.views import inc_of, state_of
from lab.sim.gossip.wheel import EXCHANGE, UPKEEP, own_timer, set_timer


@compiled
def exchange_due(pool: Pool, row: int) -> None:
    """The push/pull timer fired: choose a partner, or go on with one that was blocked."""
    owner = pool.rows[row]
    if pool.members[pool.follows[row]].blocked:
        owner.exchange_waits = 1
        return
    partner = owner.partner if owner.partner != NONE else _partner(pool, row)
    if partner != NONE and _postponed(pool, row, partner):
        return
    owner.partner = NONE
    if partner != NONE:
        exchange(pool, row, partner)
    set_timer(pool, own_timer(pool, EXCHANGE, row), pool.clock[NOW] + pool.tables[owner.list_n, PUSH_PULL_MS])


@compiled
def _partner(pool: Pool, row: int) -> int:
    """A random member that seems alive."""
    owner, member = pool.rows[row], pool.follows[row]
    for _ in range(3 * owner.list_n):
        other = pool.order[row, below(pool, owner.list_n)]
        if other != member and state_of(pool, row, other) == ALIVE:
            return int(other)
    return NONE


@compiled
def _postponed(pool: Pool, row: int, partner: int) -> bool:
    """A blocked partner answers when it wakes, if that is within the TCP timeout."""
    owner, other = pool.rows[row], pool.members[partner]
    if not other.running or not asleep(pool, partner) or owner.partner != NONE:
        return False
    wait_ms = other.block_end_ms + 1 - pool.clock[NOW]
    if wait_ms > pool.setting[0].tcp_timeout_ms:
        return False
    owner.partner = partner
    set_timer(pool, own_timer(pool, EXCHANGE, row), pool.clock[NOW] + wait_ms)
    return True


@compiled
def exchange(pool: Pool, row: int, partner: int) -> bool:
    """Both send what they hold, then both merge what they got; True if it came to that."""
    member, other, setting = pool.members[pool.follows[row]], pool.members[partner], pool.setting[0]
    counts = pool.counts[row]
    keyed = (other.accepts >> member.key) & 1 and (member.accepts >> other.key) & 1
    facing = other.row if other.row != NONE else stand_in(pool, partner, row)
    if not other.running or asleep(pool, partner) or not keyed or facing < 0:
        counts[EXCHANGES_FAILED] += 1
        return False
    if not admitted(pool, partner, setting.times * (pool.rows[row].list_n + pool.rows[facing].list_n), 1):
        counts[EXCHANGES_REFUSED] += 1
        return False
    counts[EXCHANGES] += 1
    counts[TCP_BYTES] += pool.rows[row].list_n * setting.times * setting.entry_bytes
    pool.counts[facing, TCP_BYTES] += pool.rows[facing].list_n * setting.times * setting.entry_bytes
    if other.row == NONE and state_of(pool, row, partner) > SUSPECT:
        accused(pool, partner, inc_of(pool, row, partner))
    mine, theirs = _snapshot(pool, 0, row), _snapshot(pool, 1, facing)
    for line in range(mine):
        merge(pool, facing, pool.snapshot[0, line, 0], pool.snapshot[0, line, 1])
    for line in range(theirs):
        merge(pool, row, pool.snapshot[1, line, 0], pool.snapshot[1, line, 1])
    return True


@compiled
def admitted(pool: Pool, partner: int, entries: int, times: int) -> bool:
    """Push/pulls are worked off one after the other; those that wait are the concurrent ones, which newer versions limit.

    Args:
        pool: the pool.
        partner: who is asked.
        entries: of both lists.
        times: such push/pulls that this one stands for.
    """
    other, setting = pool.members[partner], pool.setting[0]
    slowdown = max(1.0, setting.messages_per_ms / other.rate) if other.rate > 0 else 1.0
    cost_ms = max(1, int(entries * setting.entry_us * slowdown / 1000))
    waiting_ms = max(0, other.served_until_ms - pool.clock[NOW])
    if setting.push_pulls_max > 0 and waiting_ms // cost_ms >= setting.push_pulls_max:
        return False
    other.served_until_ms = pool.clock[NOW] + waiting_ms + times * cost_ms
    return True


@compiled
def _snapshot(pool: Pool, side: int, row: int) -> int:
    """Copy a member's list as it is sent, and return its length."""
    length = pool.rows[row].list_n
    for place in range(length):
        subject = pool.order[row, place]
        pool.snapshot[side, place, 0] = subject
        pool.snapshot[side, place, 1] = pool.heard[row, subject]
    return int(length)


@compiled
def upkeep(pool: Pool, row: int) -> None:
    """Serf's turn every 30 s: forget who is gone for long, and try one failed member again, the more there are the likelier."""
    owner, setting, process = pool.rows[row], pool.setting[0], pool.members[pool.follows[row]]
    set_timer(pool, own_timer(pool, UPKEEP, row), pool.clock[NOW] + setting.reconnect_ms)
    _reap(pool, row)
    if owner.failed_n > 0 and not process.blocked and share(pool) * owner.alive_n <= owner.failed_n:
        exchange(pool, row, _failed_one(pool, row))


@compiled
def _failed_one(pool: Pool, row: int) -> int:
    """A random one of those that serf lists as failed: names are drawn until one is."""
    total = pool.clock[NAMES_USED]
    for _ in range(64):
        subject = below(pool, total)
        if pool.pairs[row, subject].serf == DEAD:
            return subject
    chosen = below(pool, pool.rows[row].failed_n)
    for subject in range(total):
        if pool.pairs[row, subject].serf == DEAD:
            if chosen == 0:
                return subject
            chosen -= 1
    raise ValueError("fewer failed members than were counted")


@compiled
def _reap(pool: Pool, row: int) -> None:
    """Failed members are listed for 72 h, those that left for 24 h."""
    owner, setting, now = pool.rows[row], pool.setting[0], pool.clock[NOW]
    if now <= min(setting.failed_kept_ms, setting.left_kept_ms):
        return
    for subject in range(pool.clock[NAMES_USED]):
        pair = pool.pairs[row, subject]
        age_ms = now - pair.serf_ms
        if pair.serf == DEAD and age_ms > setting.failed_kept_ms:
            pair.serf = ABSENT
            owner.failed_n -= 1
        elif pair.serf == LEFT and age_ms > setting.left_kept_ms:
            pair.serf = ABSENT
