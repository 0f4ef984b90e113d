"""The probe loop of a member: one target each interval, relays after the timeout, a verdict at the deadline.

A loop that is blocked stands where it wanted to send, while its timers run on: it wakes up with its deadline passed, and accuses.
Source: memberlist state.go:232-521 probe, probeNode; net.go handleIndirectPing.
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below
from lab.sim.gossip.members import reset_list
from lab.sim.gossip.network import append, open_packet, send, take_messages, transmit
from lab.sim.gossip.rules import change_score, hear_suspect
from lab.sim.gossip.state import ACK, ALIVE, DEAD, INDIRECT, NACK, NONE, NOW, PING, PINGS, SUSPECT, Pool
from lab.sim.gossip.wheel import PROBE, RELAYS, cancel, own_timer, set_timer

IDLE, PING_WAITS, PINGED, RELAYS_WAIT, RELAYED = 0, 1, 2, 3, 4
"""Phases of a probe; those that wait are blocked before sending."""


@compiled
def tick(pool: Pool, member: int) -> None:
    """The ticker fired; one tick is kept while the loop is busy, more are dropped."""
    owner = pool.members[member]
    if owner.phase == IDLE:
        begin(pool, member)
    else:
        owner.tick_waits = 1


@compiled
def begin(pool: Pool, member: int) -> None:
    """Choose the next member of the lap and ping it."""
    owner, setting = pool.members[member], pool.setting[0]
    target = _next_target(pool, member)
    if target == NONE:
        return
    view = pool.pairs[member, target]
    owner.target = target
    owner.target_inc = view.inc
    owner.target_state = view.state
    owner.serial += 1
    owner.deadline_ms = pool.clock[NOW] + setting.probe_interval_ms * (owner.score + 1)
    owner.expected = 0
    owner.nacks = 0
    owner.phase = PING_WAITS
    if not owner.blocked:
        _ping(pool, member)


@compiled
def _next_target(pool: Pool, member: int) -> int:
    """Round robin over the shuffled list; the dead and oneself are skipped without using the tick."""
    owner = pool.members[member]
    checked = 0
    while checked < owner.list_n:
        if owner.probe_at >= owner.list_n:
            reset_list(pool, member)
            owner.probe_at = 0
            checked += 1
            continue
        subject = pool.order[member, owner.probe_at]
        owner.probe_at += 1
        if subject != member and pool.pairs[member, subject].state < DEAD:
            return int(subject)
        checked += 1
    return NONE


@compiled
def _ping(pool: Pool, member: int) -> None:
    """Send the ping; to a suspect the Buddy system adds the accusation instead of other gossip."""
    owner, setting = pool.members[member], pool.setting[0]
    pool.counts[member, PINGS] += 1
    owner.phase = PINGED
    open_packet(pool, 0, PING, member, member, owner.serial)
    if setting.buddy and owner.target_state == SUSPECT:
        append(pool, 0, SUSPECT, owner.target, owner.target_inc, member)
        arrived = transmit(pool, 0, owner.target, setting.ping_bytes + setting.accusation_bytes)
    else:
        arrived = send(pool, 0, owner.target, setting.ping_bytes)
    if arrived:
        answer(pool, 0, owner.target)
    if owner.phase == PINGED and pool.clock[NOW] >= owner.deadline_ms:
        _ask_relays(pool, member)
    elif owner.phase == PINGED:
        due_ms = min(pool.clock[NOW] + setting.probe_timeout_ms, owner.deadline_ms)
        set_timer(pool, own_timer(pool, PROBE, member), due_ms)


@compiled
def answer(pool: Pool, slot: int, member: int) -> None:
    """A ping arrived: ack first, then pass on the gossip that came with it."""
    sender, origin, relay, serial = pool.packets[slot, 0, 1], pool.packets[slot, 0, 2], pool.packets[slot, 0, 3], pool.packets[slot, 0, 4]
    other = 1 - slot
    open_packet(pool, other, ACK, member, origin, serial)
    pool.packets[other, 0, 3] = relay
    arrived = send(pool, other, sender, pool.setting[0].ack_bytes)
    take_messages(pool, slot, member)
    if arrived:
        take_ack(pool, other, sender)


@compiled
def take_ack(pool: Pool, slot: int, member: int) -> None:
    """An ack arrived: at the prober, or at a relay, which passes it on."""
    origin, relay, serial = pool.packets[slot, 0, 2], pool.packets[slot, 0, 3], pool.packets[slot, 0, 4]
    if relay == NONE:
        take_messages(pool, slot, member)
        complete(pool, member, serial)
        return
    job = pool.relays[origin, relay]
    known = job.relay == member and job.serial == serial and not job.done
    if known:
        job.done = 1
        cancel(pool, own_timer(pool, RELAYS + relay, origin))
    other = 1 - slot
    take_messages(pool, slot, member)
    if known:
        open_packet(pool, other, ACK, member, origin, serial)
        if send(pool, other, origin, pool.setting[0].ack_bytes):
            take_messages(pool, other, origin)
            complete(pool, origin, serial)


@compiled
def complete(pool: Pool, member: int, serial: int) -> None:
    """The probe was answered in time."""
    owner = pool.members[member]
    if owner.serial != serial or owner.phase < PINGED or pool.clock[NOW] > owner.deadline_ms:
        return
    change_score(pool, member, -1)
    _finish(pool, member)


@compiled
def _finish(pool: Pool, member: int) -> None:
    """Back to waiting for ticks; a tick that came meanwhile counts now."""
    owner = pool.members[member]
    owner.phase = IDLE
    timer = own_timer(pool, PROBE, member)
    cancel(pool, timer)
    if owner.tick_waits:
        set_timer(pool, timer, pool.clock[NOW])


@compiled
def step(pool: Pool, member: int) -> None:
    """The loop's own timer fired: a kept tick, the ping's timeout, or the deadline."""
    owner = pool.members[member]
    if owner.phase == IDLE:
        if owner.tick_waits:
            owner.tick_waits = 0
            begin(pool, member)
    elif owner.phase == PINGED:
        owner.phase = RELAYS_WAIT
        if not owner.blocked:
            _ask_relays(pool, member)
    elif owner.phase == RELAYED:
        _decide(pool, member)


@compiled
def wake(pool: Pool, member: int) -> None:
    """The blocked window is over: send what was about to be sent."""
    phase = pool.members[member].phase
    if phase == PING_WAITS:
        _ping(pool, member)
    elif phase == RELAYS_WAIT:
        _ask_relays(pool, member)


@compiled
def _ask_relays(pool: Pool, member: int) -> None:
    """Indirect pings through random members that seem alive, and a direct ping over TCP."""
    owner, setting = pool.members[member], pool.setting[0]
    owner.phase = RELAYED
    owner.indirect_ms = pool.clock[NOW]
    serial, count = owner.serial, 0
    for _ in range(3 * owner.list_n):
        if count >= setting.relays:
            break
        relay = pool.order[member, below(pool, owner.list_n)]
        if relay in (member, owner.target) or pool.pairs[member, relay].state != ALIVE or _asked(pool, member, relay, count):
            continue
        job = pool.relays[member, count]
        job.relay, job.serial, job.done = relay, serial, 0
        count += 1
    owner.expected = count if setting.probe_lha else 0
    for number in range(count):
        _ask(pool, member, number)
    if owner.phase == RELAYED and pool.clock[NOW] >= owner.deadline_ms:
        _decide(pool, member)
    elif owner.phase == RELAYED:
        set_timer(pool, own_timer(pool, PROBE, member), owner.deadline_ms)


@compiled
def _asked(pool: Pool, member: int, relay: int, count: int) -> bool:
    found = False
    for number in range(count):
        found = found or pool.relays[member, number].relay == relay
    return found


@compiled
def _ask(pool: Pool, member: int, number: int) -> None:
    owner = pool.members[member]
    relay = pool.relays[member, number].relay
    open_packet(pool, 0, INDIRECT, member, number, owner.serial)
    pool.packets[0, 0, 3] = owner.target
    if send(pool, 0, relay, pool.setting[0].indirect_bytes):
        relay_ping(pool, 0, relay)


@compiled
def relay_ping(pool: Pool, slot: int, member: int) -> None:
    """An indirect ping arrived: ping the target for the asker, and say so if it does not answer."""
    asker, number, target, serial = pool.packets[slot, 0, 1], pool.packets[slot, 0, 2], pool.packets[slot, 0, 3], pool.packets[slot, 0, 4]
    setting = pool.setting[0]
    job, other = pool.relays[asker, number], 1 - slot
    open_packet(pool, other, PING, member, asker, serial)
    pool.packets[other, 0, 3] = number
    arrived = send(pool, other, target, setting.ping_bytes)
    take_messages(pool, slot, member)
    if setting.probe_lha and job.serial == serial and job.relay == member:
        set_timer(pool, own_timer(pool, RELAYS + number, asker), pool.clock[NOW] + setting.nack_ms + setting.relay_delay_ms)
    if arrived:
        answer(pool, other, target)


@compiled
def give_nack(pool: Pool, asker: int, number: int) -> None:
    """The relay's time is up: tell the asker that the relay at least is well."""
    job, setting = pool.relays[asker, number], pool.setting[0]
    relay = pool.members[job.relay]
    if not relay.running or job.done:
        return
    if relay.blocked:
        set_timer(pool, own_timer(pool, RELAYS + number, asker), relay.block_end_ms + 1)
        return
    open_packet(pool, 0, NACK, job.relay, asker, job.serial)
    if send(pool, 0, asker, setting.nack_bytes):
        take_messages(pool, 0, asker)
        count_nack(pool, asker, job.serial)


@compiled
def count_nack(pool: Pool, member: int, serial: int) -> None:
    """A nack for the probe under way."""
    owner = pool.members[member]
    if owner.phase == RELAYED and owner.serial == serial:
        owner.nacks += 1


@compiled
def _decide(pool: Pool, member: int) -> None:
    """The deadline passed without an ack: reachable over TCP after all, or suspected."""
    owner = pool.members[member]
    if _reachable_by_tcp(pool, member):
        change_score(pool, member, -1)
    else:
        missing = owner.expected - owner.nacks
        change_score(pool, member, missing if owner.expected > 0 else 1)
        hear_suspect(pool, member, owner.target, owner.target_inc, member)
    _finish(pool, member)


@compiled
def _reachable_by_tcp(pool: Pool, member: int) -> bool:
    """Did the target work at some time between the fallback ping and the deadline?"""
    owner = pool.members[member]
    target = pool.members[owner.target]
    keyed = (target.accepts >> owner.key) & 1 and (owner.accepts >> target.key) & 1
    if not target.running or not keyed or owner.blocked or owner.indirect_ms >= owner.deadline_ms:
        return False
    return bool(not target.blocked or target.woke_ms >= owner.indirect_ms)
