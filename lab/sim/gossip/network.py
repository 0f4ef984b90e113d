"""Packets: what is sent, what holds it back on the way into a member, and how a member works it off.

A packet passes the socket (bounded in bytes, filled while the listener is blocked), the listener (answers pings itself) and the hand-off queue
(bounded in messages, drained by the handler at its rate). Source: memberlist net.go packetListen, packetHandler.
"""

from lab.sim.compiled import compiled
from lab.sim.constants import COMPOUND_HEADER_BYTES, COMPOUND_MESSAGE_BYTES, ENCRYPTION_BYTES
from lab.sim.gossip.broadcasts import fill
from lab.sim.gossip.chance import share
from lab.sim.gossip.outside import asleep, stand_in
from lab.sim.gossip.rules import apply
from lab.sim.gossip.state import (
    ALIVE,
    BUSY_N,
    DROPPED_HANDOFF,
    DROPPED_KEY,
    DROPPED_SOCKET,
    NONE,
    NOW,
    Pool,
)
from lab.sim.gossip.views import is_news

OUTSIDE = -2
"""Instead of a row: a member that nobody follows."""


@compiled
def open_packet(pool: Pool, slot: int, kind: int, sender: int, origin: int, serial: int) -> None:
    """Begin a packet with a head; `kind` NONE for plain gossip."""
    head = pool.packets[slot, 0]
    head[0] = kind
    head[1] = sender
    head[2] = origin
    head[3] = NONE
    head[4] = serial
    pool.packet_n[slot] = 1


@compiled
def append(pool: Pool, slot: int, kind: int, subject: int, inc: int, accuser: int) -> None:
    """One message more."""
    row = pool.packet_n[slot]
    packet = pool.packets[slot, row]
    packet[0] = kind
    packet[1] = subject
    packet[2] = inc
    packet[3] = accuser
    pool.packet_n[slot] = row + 1


@compiled
def send(pool: Pool, slot: int, target: int, head_bytes: int) -> int:
    """Fill a headed packet with broadcasts and send it; who takes it, see `transmit`.

    Source: memberlist net.go:802 sendMsg: whatever room a ping or ack leaves carries gossip.
    """
    row = pool.members[pool.packets[slot, 0, 1]].row
    room = room_of(pool, row) - head_bytes - COMPOUND_MESSAGE_BYTES
    return transmit(pool, slot, target, head_bytes + fill(pool, row, slot, room))


@compiled
def room_of(pool: Pool, row: int) -> int:
    """Bytes of a packet that messages may take; encryption costs some."""
    room = pool.setting[0].packet_room
    return int(room - ENCRYPTION_BYTES if pool.members[pool.follows[row]].key > 0 else room)


@compiled
def transmit(pool: Pool, slot: int, target: int, payload_bytes: int) -> int:
    """Count the packet, lose it, hold it back, or hand it over.

    Returns:
        The row that takes it at once, NONE if none does, OUTSIDE if a member takes it that nobody follows and no row can stand in for.
    """
    setting = pool.setting[0]
    sender = pool.members[pool.packets[slot, 0, 1]]
    size = count_packet(pool, slot, sender.row, payload_bytes)
    receiver = pool.members[target]
    if not receiver.running or (setting.loss > 0 and share(pool) < setting.loss):
        return NONE
    row = receiver.row
    if not (receiver.accepts >> sender.key) & 1:
        pool.counts[row, DROPPED_KEY] += int(row != NONE)
        return NONE
    if row == NONE:
        if asleep(pool, target):
            return NONE
        row = stand_in(pool, target, sender.row)
        if row == NONE:
            return OUTSIDE
        receiver = pool.members[pool.follows[row]]
    if receiver.blocked or receiver.waiting:
        _wait_in_socket(pool, slot, row, size)
        return NONE
    return int(row)


@compiled
def count_packet(pool: Pool, slot: int, row: int, payload_bytes: int) -> int:
    """Count what the row sends; its size in bytes."""
    owner, size = pool.rows[row], payload_bytes + COMPOUND_HEADER_BYTES
    if pool.members[pool.follows[row]].key > 0:
        size += ENCRYPTION_BYTES
    owner.packets += 1
    owner.bytes += size
    owner.messages += pool.packet_n[slot] - 1
    return size


@compiled
def deliver(pool: Pool, slot: int, row: int, size: int) -> None:
    """A packet of plain gossip arrives at a row."""
    receiver = pool.members[pool.follows[row]]
    if receiver.blocked or receiver.waiting:
        _wait_in_socket(pool, slot, row, size)
    else:
        take_messages(pool, slot, row)


@compiled
def _wait_in_socket(pool: Pool, slot: int, row: int, size: int) -> None:
    """Into the socket's buffer; a packet that does not fit is lost whole."""
    receiver, setting = pool.rows[row], pool.setting[0]
    charge, lines = size + setting.packet_bytes, pool.packet_n[slot]
    first = 0 if pool.packets[slot, 0, 0] != NONE else 1
    ring = pool.inbox.shape[1]
    if receiver.inbox_bytes + charge > setting.socket_bytes or receiver.inbox_n + lines > ring:
        pool.counts[row, DROPPED_SOCKET] += 1
        return
    for line in range(first, lines):
        place = (receiver.inbox_at + receiver.inbox_n) % ring
        for column in range(5):
            pool.inbox[row, place, column] = pool.packets[slot, line, column]
        pool.inbox[row, place, 5] = charge if line == lines - 1 else 0
        receiver.inbox_n += 1
    receiver.inbox_bytes += charge
    pool.members[pool.follows[row]].waiting = 1
    mark_busy(pool, row)


@compiled
def mark_busy(pool: Pool, row: int) -> None:
    """The row has something waiting and is looked at each millisecond."""
    if not pool.rows[row].busy:
        pool.rows[row].busy = 1
        pool.busy[pool.clock[BUSY_N]] = row
        pool.clock[BUSY_N] += 1


@compiled
def take_messages(pool: Pool, slot: int, row: int) -> None:
    """The listener passes the gossip of a packet on, in order; a handler that keeps up looks at what is news only.

    First all views are read, then the rules applied: a dozen independent reads overlap in the processor, where one after the other would wait.
    """
    lines = pool.packet_n[slot]
    if pool.members[pool.follows[row]].rate > 0:
        for line in range(1, lines):
            packet = pool.packets[slot, line]
            take(pool, row, packet[0], packet[1], packet[2], packet[3])
        return
    news = 0
    for line in range(1, lines):
        packet = pool.packets[slot, line]
        if is_news(pool.heard[row, packet[1]], packet[0], packet[2]):
            pool.news[slot, news] = line
            news += 1
    for number in range(news):
        packet = pool.packets[slot, pool.news[slot, number]]
        apply(pool, row, packet[0], packet[1], packet[2], packet[3])


@compiled
def take(pool: Pool, row: int, kind: int, subject: int, inc: int, accuser: int) -> None:
    """Worked off at once by a handler that keeps up, else into the hand-off queue."""
    owner = pool.rows[row]
    if pool.members[pool.follows[row]].rate <= 0:
        apply(pool, row, kind, subject, inc, accuser)
        return
    _refill(pool, row)
    if owner.credit >= 1 and owner.handoff_n + owner.urgent_n == 0:
        owner.credit -= 1
        apply(pool, row, kind, subject, inc, accuser)
    else:
        _hand_off(pool, row, kind, subject, inc, accuser)


@compiled
def _refill(pool: Pool, row: int) -> None:
    """What the handler may take by now; it cannot save up more than a millisecond's work, or one message."""
    owner, now = pool.rows[row], pool.clock[NOW]
    rate = pool.members[pool.follows[row]].rate
    owner.credit = min(owner.credit + rate * (now - owner.credit_ms), max(1.0, rate))
    owner.credit_ms = now


@compiled
def _hand_off(pool: Pool, row: int, kind: int, subject: int, inc: int, accuser: int) -> None:
    """Queue for the handler; what finds the queue full is dropped.

    Source: memberlist net.go:524 handleCommand: "handler queue full, dropping message".
    """
    owner, setting = pool.rows[row], pool.setting[0]
    urgent = 1 if setting.alive_first and kind == ALIVE else 0
    waiting = owner.urgent_n if urgent else owner.handoff_n
    if waiting >= setting.handoff_depth:
        pool.counts[row, DROPPED_HANDOFF] += 1
        return
    place = waiting if setting.alive_first else (owner.handoff_at + waiting) % setting.handoff_depth
    message = pool.handoff[row, urgent, place]
    message[0] = kind
    message[1] = subject
    message[2] = inc
    message[3] = accuser
    if urgent:
        owner.urgent_n += 1
    else:
        owner.handoff_n += 1
    mark_busy(pool, row)


@compiled
def work_off(pool: Pool, row: int) -> None:
    """One millisecond of the handler: alive first and last in, first out; or in order of arrival; as the version has it."""
    owner, setting = pool.rows[row], pool.setting[0]
    limited = pool.members[pool.follows[row]].rate > 0
    _refill(pool, row)
    while owner.urgent_n + owner.handoff_n > 0 and (not limited or owner.credit >= 1):
        owner.credit -= 1
        urgent = 1 if owner.urgent_n > 0 else 0
        if urgent:
            owner.urgent_n -= 1
            place = owner.urgent_n
        else:
            owner.handoff_n -= 1
            place = owner.handoff_n if setting.alive_first else owner.handoff_at
            if not setting.alive_first:
                owner.handoff_at = (owner.handoff_at + 1) % setting.handoff_depth
        message = pool.handoff[row, urgent, place]
        apply(pool, row, message[0], message[1], message[2], message[3])
