"""Push/pull: two members exchange their whole lists over TCP. Also how a member joins, and how serf looks for the lost.

Source: memberlist state.go pushPull, pushPullNode, mergeState; net.go handleConn; serf serf.go:1615 handleReconnect, reap.
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below, share
from lab.sim.gossip.rules import merge
from lab.sim.gossip.state import (
    ABSENT,
    ALIVE,
    DEAD,
    EXCHANGES,
    EXCHANGES_FAILED,
    EXCHANGES_REFUSED,
    LEFT,
    NONE,
    NOW,
    TCP_BYTES,
    Pool,
)
from lab.sim.gossip.suspicion import PUSH_PULL_MS
from lab.sim.gossip.views import state_of
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
    if not other.running or not other.blocked or owner.partner != NONE:
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
    if not other.running or other.blocked or not keyed:
        counts[EXCHANGES_FAILED] += 1
        return False
    facing = other.row
    if not _admitted(pool, partner, pool.rows[row].list_n + pool.rows[facing].list_n):
        counts[EXCHANGES_REFUSED] += 1
        return False
    counts[EXCHANGES] += 1
    counts[TCP_BYTES] += pool.rows[row].list_n * setting.entry_bytes
    pool.counts[facing, TCP_BYTES] += pool.rows[facing].list_n * setting.entry_bytes
    mine, theirs = _snapshot(pool, 0, row), _snapshot(pool, 1, facing)
    for line in range(mine):
        merge(pool, facing, pool.snapshot[0, line, 0], pool.snapshot[0, line, 1])
    for line in range(theirs):
        merge(pool, row, pool.snapshot[1, line, 0], pool.snapshot[1, line, 1])
    return True


@compiled
def _admitted(pool: Pool, partner: int, entries: int) -> bool:
    """Push/pulls are worked off one after the other; those that wait are the concurrent ones, which newer versions limit."""
    other, setting = pool.members[partner], pool.setting[0]
    slowdown = max(1.0, setting.messages_per_ms / other.rate) if other.rate > 0 else 1.0
    cost_ms = max(1, int(entries * setting.entry_us * slowdown / 1000))
    waiting_ms = max(0, other.served_until_ms - pool.clock[NOW])
    if setting.push_pulls_max > 0 and waiting_ms // cost_ms >= setting.push_pulls_max:
        return False
    other.served_until_ms = pool.clock[NOW] + waiting_ms + cost_ms
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
    if owner.list_n == 1 and process.home != NONE and not process.blocked:
        exchange(pool, row, process.home)
    _reap(pool, row)
    if owner.failed_n == 0 or process.blocked or share(pool) * owner.alive_n > owner.failed_n:
        return
    chosen = below(pool, owner.failed_n)
    for subject in range(len(pool.members)):
        if pool.pairs[row, subject].serf == DEAD:
            if chosen == 0:
                exchange(pool, row, subject)
                return
            chosen -= 1


@compiled
def _reap(pool: Pool, row: int) -> None:
    """Failed members are listed for 72 h, those that left for 24 h."""
    owner, setting, now = pool.rows[row], pool.setting[0], pool.clock[NOW]
    if now <= min(setting.failed_kept_ms, setting.left_kept_ms):
        return
    for subject in range(len(pool.members)):
        pair = pool.pairs[row, subject]
        age_ms = now - pair.serf_ms
        if pair.serf == DEAD and age_ms > setting.failed_kept_ms:
            pair.serf = ABSENT
            owner.failed_n -= 1
        elif pair.serf == LEFT and age_ms > setting.left_kept_ms:
            pair.serf = ABSENT
