"""Push/pull: two members exchange their whole lists over TCP. Also how a member joins, and how serf looks for the lost.

Source: memberlist state.go pushPull, pushPullNode, mergeState; net.go handleConn; serf serf.go:1615 handleReconnect, reap.
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below, share
from lab.sim.gossip.rules import PUSH_PULL_MS, merge
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
from lab.sim.gossip.wheel import EXCHANGE, UPKEEP, own_timer, set_timer


@compiled
def exchange_due(pool: Pool, member: int) -> None:
    """The push/pull timer fired: choose a partner, or go on with one that was blocked."""
    owner = pool.members[member]
    if owner.blocked:
        owner.exchange_waits = 1
        return
    partner = owner.partner if owner.partner != NONE else _partner(pool, member)
    if partner != NONE and _postponed(pool, member, partner):
        return
    owner.partner = NONE
    if partner != NONE:
        exchange(pool, member, partner)
    set_timer(pool, own_timer(pool, EXCHANGE, member), pool.clock[NOW] + pool.tables[owner.list_n, PUSH_PULL_MS])


@compiled
def _partner(pool: Pool, member: int) -> int:
    """A random member that seems alive."""
    owner = pool.members[member]
    for _ in range(3 * owner.list_n):
        other = pool.order[member, below(pool, owner.list_n)]
        if other != member and pool.pairs[member, other].state == ALIVE:
            return int(other)
    return NONE


@compiled
def _postponed(pool: Pool, member: int, partner: int) -> bool:
    """A blocked partner answers when it wakes, if that is within the TCP timeout."""
    owner, other = pool.members[member], pool.members[partner]
    if not other.running or not other.blocked or owner.partner != NONE:
        return False
    wait_ms = other.block_end_ms + 1 - pool.clock[NOW]
    if wait_ms > pool.setting[0].tcp_timeout_ms:
        return False
    owner.partner = partner
    set_timer(pool, own_timer(pool, EXCHANGE, member), pool.clock[NOW] + wait_ms)
    return True


@compiled
def exchange(pool: Pool, member: int, partner: int) -> bool:
    """Both send what they hold, then both merge what they got; True if it came to that."""
    owner, other, setting = pool.members[member], pool.members[partner], pool.setting[0]
    counts = pool.counts[member]
    keyed = (other.accepts >> owner.key) & 1 and (owner.accepts >> other.key) & 1
    if not other.running or other.blocked or not keyed:
        counts[EXCHANGES_FAILED] += 1
        return False
    entries = owner.list_n + other.list_n
    if not _admitted(pool, partner, entries):
        counts[EXCHANGES_REFUSED] += 1
        return False
    counts[EXCHANGES] += 1
    counts[TCP_BYTES] += owner.list_n * setting.entry_bytes
    pool.counts[partner, TCP_BYTES] += other.list_n * setting.entry_bytes
    mine, theirs = _snapshot(pool, 0, member), _snapshot(pool, 1, partner)
    for row in range(mine):
        entry = pool.snapshot[0, row]
        merge(pool, partner, entry[0], entry[1], entry[2])
    for row in range(theirs):
        entry = pool.snapshot[1, row]
        merge(pool, member, entry[0], entry[1], entry[2])
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
def _snapshot(pool: Pool, side: int, member: int) -> int:
    """Copy a member's list as it is sent, and return its length."""
    length = pool.members[member].list_n
    for place in range(length):
        subject = pool.order[member, place]
        view = pool.pairs[member, subject]
        entry = pool.snapshot[side, place]
        entry[0], entry[1], entry[2] = subject, view.state, view.inc
    return int(length)


@compiled
def upkeep(pool: Pool, member: int) -> None:
    """Serf's turn every 30 s: forget who is gone for long, and try one failed member again, the more there are the likelier."""
    owner, setting = pool.members[member], pool.setting[0]
    set_timer(pool, own_timer(pool, UPKEEP, member), pool.clock[NOW] + setting.reconnect_ms)
    if owner.list_n == 1 and owner.home != NONE and not owner.blocked:
        exchange(pool, member, owner.home)
    _reap(pool, member)
    if owner.failed_n == 0 or owner.blocked or share(pool) * owner.alive_n > owner.failed_n:
        return
    chosen, total = below(pool, owner.failed_n), len(pool.members)
    for subject in range(total):
        if pool.pairs[member, subject].serf == DEAD:
            if chosen == 0:
                exchange(pool, member, subject)
                return
            chosen -= 1


@compiled
def _reap(pool: Pool, member: int) -> None:
    """Failed members are listed for 72 h, those that left for 24 h."""
    owner, setting, now = pool.members[member], pool.setting[0], pool.clock[NOW]
    if now <= min(setting.failed_kept_ms, setting.left_kept_ms):
        return
    for subject in range(len(pool.members)):
        view = pool.pairs[member, subject]
        age_ms = now - view.serf_ms
        if view.serf == DEAD and age_ms > setting.failed_kept_ms:
            view.serf = ABSENT
            owner.failed_n -= 1
        elif view.serf == LEFT and age_ms > setting.left_kept_ms:
            view.serf = ABSENT
