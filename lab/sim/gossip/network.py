"""Packets: what is sent, what holds it back on the way into a member, and how a member works it off.

A packet passes the socket (bounded in bytes, filled while the listener is blocked), the listener (answers pings itself) and the hand-off queue
(bounded in messages, drained by the handler at its rate). Source: memberlist net.go packetListen, packetHandler.
"""

from lab.sim.compiled import compiled
from lab.sim.constants import COMPOUND_HEADER_BYTES, COMPOUND_MESSAGE_BYTES, ENCRYPTION_BYTES
from lab.sim.gossip.broadcasts import fill
from lab.sim.gossip.chance import share
from lab.sim.gossip.rules import apply
from lab.sim.gossip.state import (
    ALIVE,
    BUSY_N,
    BYTES,
    DROPPED_HANDOFF,
    DROPPED_KEY,
    DROPPED_SOCKET,
    MESSAGES,
    NONE,
    NOW,
    PACKETS,
    Pool,
)


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
def send(pool: Pool, slot: int, target: int, head_bytes: int) -> bool:
    """Fill a headed packet with broadcasts and send it; True if the target takes it at once.

    Source: memberlist net.go:802 sendMsg: whatever room a ping or ack leaves carries gossip.
    """
    sender = pool.packets[slot, 0, 1]
    room = room_of(pool, sender) - head_bytes - COMPOUND_MESSAGE_BYTES
    return transmit(pool, slot, target, head_bytes + fill(pool, sender, slot, room))


@compiled
def room_of(pool: Pool, member: int) -> int:
    """Bytes of a packet that messages may take; encryption costs some."""
    room = pool.setting[0].packet_room
    return int(room - ENCRYPTION_BYTES if pool.members[member].key > 0 else room)


@compiled
def transmit(pool: Pool, slot: int, target: int, payload_bytes: int) -> bool:
    """Count the packet, lose it, hold it back, or hand it over: True only in the last case."""
    sender, setting = pool.packets[slot, 0, 1], pool.setting[0]
    size = payload_bytes + COMPOUND_HEADER_BYTES
    counts = pool.counts[sender]
    counts[PACKETS] += 1
    counts[BYTES] += size
    counts[MESSAGES] += pool.packet_n[slot] - 1
    receiver = pool.members[target]
    if not receiver.running or (setting.loss > 0 and share(pool) < setting.loss):
        return False
    if not (receiver.accepts >> pool.members[sender].key) & 1:
        pool.counts[target, DROPPED_KEY] += 1
        return False
    if receiver.blocked or receiver.inbox_n > 0:
        _wait_in_socket(pool, slot, target, size)
        return False
    return True


@compiled
def _wait_in_socket(pool: Pool, slot: int, target: int, size: int) -> None:
    """Into the socket's buffer; a packet that does not fit is lost whole."""
    receiver, setting = pool.members[target], pool.setting[0]
    charge, rows = size + setting.packet_bytes, pool.packet_n[slot]
    first = 0 if pool.packets[slot, 0, 0] != NONE else 1
    ring = pool.inbox.shape[1]
    if receiver.inbox_bytes + charge > setting.socket_bytes or receiver.inbox_n + rows > ring:
        pool.counts[target, DROPPED_SOCKET] += 1
        return
    for row in range(first, rows):
        place = (receiver.inbox_at + receiver.inbox_n) % ring
        for column in range(5):
            pool.inbox[target, place, column] = pool.packets[slot, row, column]
        pool.inbox[target, place, 5] = charge if row == rows - 1 else 0
        receiver.inbox_n += 1
    receiver.inbox_bytes += charge
    mark_busy(pool, target)


@compiled
def mark_busy(pool: Pool, member: int) -> None:
    """The member has something waiting and is looked at each millisecond."""
    if not pool.members[member].busy:
        pool.members[member].busy = 1
        pool.busy[pool.clock[BUSY_N]] = member
        pool.clock[BUSY_N] += 1


@compiled
def take_messages(pool: Pool, slot: int, member: int) -> None:
    """The listener passes the gossip of a packet on, in order."""
    for row in range(1, pool.packet_n[slot]):
        packet = pool.packets[slot, row]
        take(pool, member, packet[0], packet[1], packet[2], packet[3])


@compiled
def take(pool: Pool, member: int, kind: int, subject: int, inc: int, accuser: int) -> None:
    """Worked off at once by a handler that keeps up, else into the hand-off queue."""
    owner = pool.members[member]
    if owner.rate <= 0:
        apply(pool, member, kind, subject, inc, accuser)
        return
    _refill(pool, member)
    if owner.credit >= 1 and owner.handoff_n + owner.urgent_n == 0:
        owner.credit -= 1
        apply(pool, member, kind, subject, inc, accuser)
    else:
        _hand_off(pool, member, kind, subject, inc, accuser)


@compiled
def _refill(pool: Pool, member: int) -> None:
    """What the handler may take by now; it cannot save up more than a millisecond's work, or one message."""
    owner, now = pool.members[member], pool.clock[NOW]
    owner.credit = min(owner.credit + owner.rate * (now - owner.credit_ms), max(1.0, owner.rate))
    owner.credit_ms = now


@compiled
def _hand_off(pool: Pool, member: int, kind: int, subject: int, inc: int, accuser: int) -> None:
    """Queue for the handler; what finds the queue full is dropped.

    Source: memberlist net.go:524 handleCommand: "handler queue full, dropping message".
    """
    owner, setting = pool.members[member], pool.setting[0]
    urgent = 1 if setting.alive_first and kind == ALIVE else 0
    waiting = owner.urgent_n if urgent else owner.handoff_n
    if waiting >= setting.handoff_depth:
        pool.counts[member, DROPPED_HANDOFF] += 1
        return
    place = waiting if setting.alive_first else (owner.handoff_at + waiting) % setting.handoff_depth
    message = pool.handoff[member, urgent, place]
    message[0] = kind
    message[1] = subject
    message[2] = inc
    message[3] = accuser
    if urgent:
        owner.urgent_n += 1
    else:
        owner.handoff_n += 1
    mark_busy(pool, member)


@compiled
def work_off(pool: Pool, member: int) -> None:
    """One millisecond of the handler: alive first and last in, first out; or in order of arrival; as the version has it."""
    owner, setting = pool.members[member], pool.setting[0]
    _refill(pool, member)
    while owner.urgent_n + owner.handoff_n > 0 and (owner.rate <= 0 or owner.credit >= 1):
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
        message = pool.handoff[member, urgent, place]
        apply(pool, member, message[0], message[1], message[2], message[3])
