"""The broadcast queue of a member: one message per name, fewest transmissions first, then larger ones, then newer ones.

Source: memberlist queue.go at 1b4c746. Before 2019-01-03 (PR #167) ties between equal transmission counts had no stated order; the same is used.
"""

from lab.sim.compiled import compiled
from lab.sim.constants import COMPOUND_MESSAGE_BYTES, COMPOUND_MESSAGES_MAX
from lab.sim.gossip.state import ALIVE, BLOCK, NONE, PLACES_MADE, Pool

RETRANSMITS = 1
"""Column of `tables`."""


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
