"""The broadcast queue of a member: one message per name, fewest transmissions first, then larger ones, then newer ones.

Source: memberlist queue.go at 1b4c746. Before 2019-01-03 (PR #167) ties between equal transmission counts had no stated order; the same is used.
"""

from lab.sim.compiled import compiled
from lab.sim.constants import COMPOUND_MESSAGE_BYTES, COMPOUND_MESSAGES_MAX
from lab.sim.gossip.state import ALIVE, BLOCK, NONE, PLACES_MADE, QUEUED_EACH, Pool

RETRANSMITS = 1
"""Column of `tables`."""
SHAPE = 0.1
"""Of the law of queues' lengths. Chosen: a newcomer has a thousand times as many messages queued as the others; a larger one takes its queue for a short one."""


@compiled
def unlink(pool: Pool, row: int, place: int) -> None:
    """Take the message at `place` out of its list."""
    message, owner = pool.queued[place], pool.rows[row]
    long = message.kind == ALIVE
    ends = pool.ends[row, message.level, 0 if long else 1]
    if message.previous == NONE:
        ends[0] = message.next
        if message.next == NONE and long:
            owner.long_levels ^= 1 << message.level
        elif message.next == NONE:
            owner.short_levels ^= 1 << message.level
    else:
        pool.queued[message.previous].next = message.next
    if message.next == NONE:
        ends[1] = message.previous
    else:
        pool.queued[message.next].previous = message.previous
    if ends[2] == place:
        ends[2] = message.previous if message.next == NONE else message.next
    owner.queued_n -= 1


@compiled
def link(pool: Pool, row: int, place: int, level: int) -> None:
    """Put the message at `place` into the list of those sent `level` times, the newest first.

    Those of one packet come down one after the other, each next to the one before: where the last one was put is looked at first.
    """
    message, owner = pool.queued[place], pool.rows[row]
    long = message.kind == ALIVE
    ends = pool.ends[row, level, 0 if long else 1]
    before = ends[2]
    while before != NONE and pool.queued[before].number < message.number:
        before = pool.queued[before].previous
    after = ends[0] if before == NONE else pool.queued[before].next
    while after != NONE and pool.queued[after].number > message.number:
        before, after = after, pool.queued[after].next
    ends[2] = place
    message.level, message.previous, message.next = level, before, after
    if before == NONE:
        ends[0] = place
    else:
        pool.queued[before].next = place
    if after == NONE:
        ends[1] = place
    else:
        pool.queued[after].previous = place
    if long:
        owner.long_levels |= 1 << level
    else:
        owner.short_levels |= 1 << level
    owner.queued_n += 1


@compiled
def enqueue(pool: Pool, row: int, subject: int, kind: int, inc: int, accuser: int) -> None:
    """Broadcast a message; an older one about the same name is dropped."""
    place = pool.pairs[row, subject].message - 1
    if place == NONE:
        place = _new_place(pool, row)
        pool.pairs[row, subject].message = place + 1
    else:
        unlink(pool, row, place)
    message, sender = pool.queued[place], pool.rows[row]
    sender.queued_id += 1
    message.number = sender.queued_id
    message.subject = subject
    message.kind = kind
    message.inc = inc
    message.accuser = accuser
    link(pool, row, place, 0)


@compiled
def _new_place(pool: Pool, row: int) -> int:
    """A free place of the row's own, from a new block if there is none."""
    owner = pool.rows[row]
    if owner.free_place == 0:
        first = pool.clock[PLACES_MADE]
        pool.clock[PLACES_MADE] = first + BLOCK
        for place in range(first, first + BLOCK):
            pool.queued[place].next = place + 2 if place + 1 < first + BLOCK else 0
        owner.free_place = first + 1
    place = owner.free_place - 1
    owner.free_place = pool.queued[place].next
    return int(place)


@compiled
def drop(pool: Pool, row: int, place: int) -> None:
    """A message that is in no list any more is forgotten."""
    message = pool.queued[place]
    pool.pairs[row, message.subject].message = 0
    message.next = pool.rows[row].free_place
    pool.rows[row].free_place = place + 1


@compiled
def fill(pool: Pool, row: int, slot: int, room: int) -> int:
    """Append queued messages to the packet in `slot` and return the bytes they take.

    Where each name stands for several, `fill_part` does it.

    Args:
        pool: the pool.
        row: whose queue.
        slot: packet under construction.
        room: bytes left in the packet.
    """
    owner, setting = pool.rows[row], pool.setting[0]
    queued = owner.queued_n
    first = at = pool.packet_n[slot]
    used = level = 0
    if setting.times > 1:
        return _fill_part(pool, row, slot, room)
    while at - first < queued and at < COMPOUND_MESSAGES_MAX:
        free = room - used - COMPOUND_MESSAGE_BYTES
        if free < setting.accusation_bytes:
            break
        long, short = owner.long_levels >> level, owner.short_levels >> level
        if long | short == 0:
            break
        while (long | short) & 1 == 0:
            long, short, level = long >> 1, short >> 1, level + 1
        if long & 1 and setting.alive_bytes <= free:
            place, size = pool.ends[row, level, 0, 0], setting.alive_bytes
        elif short & 1:
            place, size = pool.ends[row, level, 1, 0], setting.accusation_bytes
        else:
            level += 1
            continue
        _take(pool, row, place, slot, at)
        at += 1
        used += size + COMPOUND_MESSAGE_BYTES
    pool.packet_n[slot] = at
    _put_back(pool, row, slot, first)
    return used


@compiled
def _fill_part(pool: Pool, row: int, slot: int, room: int) -> int:
    """As `fill`, where each name stands for k (thinned.py): messages of these names have a part of the room, the others of the whole queue the rest.

    The part is q / Q of what is filled of a packet (half an accusation, on average, is left empty), q messages being queued here and Q = q + (k - 1) m in the whole queue, see `_others_queued`. What the last
    message took beyond the part is taken from the next packet's. Derived.

    Returns:
        Bytes that all messages of the packet take.
    """
    owner, setting = pool.rows[row], pool.setting[0]
    queued = owner.queued_n
    if queued == 0:
        return 0
    first = at = pool.packet_n[slot]
    parts = 1 + _others_queued(pool, row) / queued
    filled = max(0, room - setting.accusation_bytes // 2)
    part = owner.owing + filled / parts
    used = level = 0
    while at - first < queued and at < COMPOUND_MESSAGES_MAX and used < part:
        long, short = owner.long_levels >> level, owner.short_levels >> level
        if long | short == 0:
            break
        while (long | short) & 1 == 0:
            long, short, level = long >> 1, short >> 1, level + 1
        kind, size = (0, setting.alive_bytes) if long & 1 else (1, setting.accusation_bytes)
        _take(pool, row, pool.ends[row, level, kind, 0], slot, at)
        at += 1
        used += size + COMPOUND_MESSAGE_BYTES
    owner.owing = min(0.0, part - used)
    pool.packet_n[slot] = at
    _put_back(pool, row, slot, first)
    return int(filled if used >= part and at > first else min(filled, parts * used))


@compiled
def _others_queued(pool: Pool, row: int) -> float:
    """Messages in the row's whole queue about names that are not kept, (k - 1) m. Of a thinned pool only.

    Each of the k - 1 names that a kept one stands for has as many in this queue as it has, but for chance. That the kept ones have q is one draw of a Poisson
    number; queues have the mean q' and differ much, as a gamma law of shape a has them. So the mean that q is a draw of is m = (a + q) / (a / q' + 1).
    Source: A. Gelman and others, Bayesian Data Analysis (2013), 2.6.
    """
    queued, mean = pool.rows[row].queued_n, pool.pace[pool.members[pool.follows[row]].group >> 1, QUEUED_EACH]
    if mean <= 0:
        return 0.0
    return float((pool.setting[0].times - 1) * (SHAPE + queued) / (SHAPE / mean + 1))


@compiled
def _take(pool: Pool, row: int, place: int, slot: int, at: int) -> None:
    message, packet = pool.queued[place], pool.packets[slot, at]
    packet[0] = message.kind
    packet[1] = message.subject
    packet[2] = message.inc
    packet[3] = message.accuser
    packet[4] = message.level
    packet[5] = place
    unlink(pool, row, place)


@compiled
def _put_back(pool: Pool, row: int, slot: int, first: int) -> None:
    """What was sent goes one list down, until it reaches the limit."""
    limit = pool.tables[pool.rows[row].list_n, RETRANSMITS]
    for at in range(first, pool.packet_n[slot]):
        packet = pool.packets[slot, at]
        if packet[4] + 1 < limit:
            link(pool, row, packet[5], packet[4] + 1)
        else:
            drop(pool, row, packet[5])
