"""The broadcast queue of a member: one message per name, fewest transmissions first, then larger ones, then newer ones.

Source: memberlist queue.go at 1b4c746. Before 2019-01-03 (PR #167) ties between equal transmission counts had no stated order; the same is used.
"""

from lab.sim.compiled import compiled
from lab.sim.constants import COMPOUND_MESSAGE_BYTES, COMPOUND_MESSAGES_MAX
from lab.sim.gossip.state import ALIVE, LEVELS, NONE, Pool

RETRANSMITS = 1
"""Column of `tables`."""


@compiled
def unlink(pool: Pool, member: int, subject: int) -> None:
    """Take the message about `subject` out of its list."""
    message = pool.queued[member, subject]
    size = 0 if message.kind == ALIVE else 1
    ends = pool.ends[member, message.level, size]
    if message.previous == NONE:
        ends[0] = message.next
    else:
        pool.queued[member, message.previous].next = message.next
    if message.next == NONE:
        ends[1] = message.previous
    else:
        pool.queued[member, message.next].previous = message.previous
    message.level = NONE
    pool.members[member].queued_n -= 1


@compiled
def link(pool: Pool, member: int, subject: int, level: int) -> None:
    """Put the message about `subject` into the list of those sent `level` times, the newest first.

    A list is emptied from its newest end, so what comes down from it is mostly older than all that came before: the last place is tried first.
    """
    message = pool.queued[member, subject]
    ends = pool.ends[member, level, 0 if message.kind == ALIVE else 1]
    before, after = ends[1], NONE
    if before != NONE and pool.queued[member, before].number < message.number:
        before, after = NONE, ends[0]
        while pool.queued[member, after].number > message.number:
            before, after = after, pool.queued[member, after].next
    message.level, message.previous, message.next = level, before, after
    if before == NONE:
        ends[0] = subject
    else:
        pool.queued[member, before].next = subject
    if after == NONE:
        ends[1] = subject
    else:
        pool.queued[member, after].previous = subject
    pool.members[member].queued_n += 1


@compiled
def enqueue(pool: Pool, member: int, subject: int, kind: int, inc: int, accuser: int) -> None:
    """Broadcast a message; an older one about the same name is dropped."""
    message = pool.queued[member, subject]
    if message.level != NONE:
        unlink(pool, member, subject)
    sender = pool.members[member]
    sender.queued_id += 1
    message.number = sender.queued_id
    message.kind = kind
    message.inc = inc
    message.accuser = accuser
    link(pool, member, subject, 0)


@compiled
def fill(pool: Pool, member: int, slot: int, room: int) -> int:
    """Append queued messages to the packet in `slot` and return the bytes they take.

    Args:
        pool: the pool.
        member: whose queue.
        slot: packet under construction.
        room: bytes left in the packet.
    """
    queued = pool.members[member].queued_n
    if queued == 0:
        return 0
    setting = pool.setting[0]
    first = row = pool.packet_n[slot]
    used = level = 0
    while level < LEVELS and row - first < queued and row < COMPOUND_MESSAGES_MAX:
        free = room - used - COMPOUND_MESSAGE_BYTES
        if free < setting.accusation_bytes:
            break
        subject, size = pool.ends[member, level, 0, 0], setting.alive_bytes
        if subject == NONE or size > free:
            subject, size = pool.ends[member, level, 1, 0], setting.accusation_bytes
        if subject == NONE:
            level += 1
            continue
        _take(pool, member, subject, slot, row)
        row += 1
        used += size + COMPOUND_MESSAGE_BYTES
    pool.packet_n[slot] = row
    _put_back(pool, member, slot, first)
    return used


@compiled
def _take(pool: Pool, member: int, subject: int, slot: int, row: int) -> None:
    message = pool.queued[member, subject]
    packet = pool.packets[slot, row]
    packet[0] = message.kind
    packet[1] = subject
    packet[2] = message.inc
    packet[3] = message.accuser
    packet[4] = message.level
    unlink(pool, member, subject)


@compiled
def _put_back(pool: Pool, member: int, slot: int, first: int) -> None:
    """What was sent goes one list down, until it reaches the limit."""
    limit = pool.tables[pool.members[member].list_n, RETRANSMITS]
    for row in range(first, pool.packet_n[slot]):
        packet = pool.packets[slot, row]
        if packet[4] + 1 < limit:
            link(pool, member, packet[1], packet[4] + 1)
