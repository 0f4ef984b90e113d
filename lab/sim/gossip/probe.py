"""The probe loop of a member: one target each interval, relays after the timeout, a verdict at the deadline.

A loop that is blocked stands where it wanted to send, while its timers run on: it wakes up with its deadline passed, and accuses.
Source: memberlist state.go:232-521 probe, probeNode; net.go handleIndirectPing.
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below
from lab.sim.gossip.members import end_lap
from lab.sim.gossip.network import OUTSIDE, append, open_packet, send, take_messages, transmit
from lab.sim.gossip.outside import accused, asleep, stand_in, woke_ms
from lab.sim.gossip.rules import change_score, hear_suspect
from lab.sim.gossip.state import (
    ACK,
    ALIVE,
    DEAD,
    FLAGS,
    INC_SHIFT,
    INDIRECT,
    MISTAKEN,
    NACK,
    NONE,
    NOW,
    PING,
    PINGS,
    STATE_BITS,
    SUSPECT,
    Pool,
)
from lab.sim.gossip.views import state_of
from lab.sim.gossip.wheel import PROBE, RELAYS, cancel, own_timer, set_timer

IDLE, PING_WAITS, PINGED, RELAYS_WAIT, RELAYED = 0, 1, 2, 3, 4
"""Phases of a probe; those that wait are blocked before sending."""


@compiled
def tick(pool: Pool, row: int) -> None:
    """The ticker fired; one tick is kept while the loop is busy, more are dropped."""
    owner = pool.rows[row]
    if owner.phase == IDLE:
        begin(pool, row)
    else:
        owner.tick_waits = 1


@compiled
def begin(pool: Pool, row: int) -> None:
    """Choose the next member of the lap and ping it."""
    owner, setting, prober = pool.rows[row], pool.setting[0], pool.members[pool.follows[row]]
    target = _next_target(pool, row)
    if target == NONE:
        return
    heard = pool.heard[row, target]
    owner.target = target
    owner.target_inc = heard >> INC_SHIFT
    owner.target_state = heard & STATE_BITS
    owner.serial += 1
    owner.deadline_ms = pool.clock[NOW] + setting.probe_interval_ms * (prober.score + 1)
    owner.expected = 0
    owner.nacks = 0
    owner.phase = PING_WAITS
    if not prober.blocked:
        _ping(pool, row)


@compiled
def _next_target(pool: Pool, row: int) -> int:
    """Round robin over the shuffled list; the dead and oneself are skipped without using the tick."""
    owner, member = pool.rows[row], pool.follows[row]
    checked = 0
    while checked < owner.list_n:
        if owner.probe_at >= owner.list_n:
            end_lap(pool, row)
            owner.probe_at = 0
            checked += 1
            continue
        subject = pool.order[row, owner.probe_at]
        owner.probe_at += 1
        if subject != member and state_of(pool, row, subject) < DEAD:
            return int(subject)
        checked += 1
    return NONE


@compiled
def _ping(pool: Pool, row: int) -> None:
    """Send the ping; to a suspect the Buddy system adds the accusation instead of other gossip."""
    owner, setting, member = pool.rows[row], pool.setting[0], pool.follows[row]
    pool.counts[row, PINGS] += 1
    owner.phase = PINGED
    open_packet(pool, 0, PING, member, member, owner.serial)
    if setting.buddy and owner.target_state == SUSPECT:
        target = pool.members[owner.target]
        if target.row == NONE and (target.accepts >> pool.members[member].key) & 1:
            accused(pool, owner.target, owner.target_inc)
        append(pool, 0, SUSPECT, owner.target, owner.target_inc, member)
        taker = transmit(pool, 0, owner.target, setting.ping_bytes + setting.accusation_bytes)
    else:
        taker = send(pool, 0, owner.target, setting.ping_bytes)
    if taker >= 0:
        answer(pool, 0, taker)
    elif taker == OUTSIDE:
        complete(pool, row, owner.serial)
    if owner.phase == PINGED and pool.clock[NOW] >= owner.deadline_ms:
        _ask_relays(pool, row)
    elif owner.phase == PINGED:
        due_ms = min(pool.clock[NOW] + setting.probe_timeout_ms, owner.deadline_ms)
        set_timer(pool, own_timer(pool, PROBE, row), due_ms)


@compiled
def answer(pool: Pool, slot: int, row: int) -> None:
    """A ping arrived: ack first, then pass on the gossip that came with it."""
    sender, origin, relay, serial = pool.packets[slot, 0, 1], pool.packets[slot, 0, 2], pool.packets[slot, 0, 3], pool.packets[slot, 0, 4]
    other = 1 - slot
    open_packet(pool, other, ACK, pool.follows[row], origin, serial)
    pool.packets[other, 0, 3] = relay
    taker = send(pool, other, sender, pool.setting[0].ack_bytes)
    take_messages(pool, slot, row)
    if taker >= 0:
        take_ack(pool, other, taker)


@compiled
def take_ack(pool: Pool, slot: int, row: int) -> None:
    """An ack arrived: at the prober, or at a relay, which passes it on."""
    origin, relay, serial = pool.packets[slot, 0, 2], pool.packets[slot, 0, 3], pool.packets[slot, 0, 4]
    asker = pool.members[origin].row
    if NONE in (relay, asker):
        take_messages(pool, slot, row)
        if row == asker:
            complete(pool, row, serial)
        return
    job = pool.relays[asker, relay]
    known = job.relay == pool.follows[row] and job.serial == serial and not job.done
    if known:
        job.done = 1
        cancel(pool, own_timer(pool, RELAYS + relay, asker))
    other = 1 - slot
    take_messages(pool, slot, row)
    if known:
        open_packet(pool, other, ACK, pool.follows[row], origin, serial)
        if send(pool, other, origin, pool.setting[0].ack_bytes) >= 0:
            take_messages(pool, other, asker)
            complete(pool, asker, serial)


@compiled
def complete(pool: Pool, row: int, serial: int) -> None:
    """The probe was answered in time."""
    owner = pool.rows[row]
    if owner.serial != serial or owner.phase < PINGED or pool.clock[NOW] > owner.deadline_ms:
        return
    change_score(pool, pool.follows[row], -1)
    _finish(pool, row)


@compiled
def _finish(pool: Pool, row: int) -> None:
    """Back to waiting for ticks; a tick that came meanwhile counts now."""
    owner = pool.rows[row]
    owner.phase = IDLE
    timer = own_timer(pool, PROBE, row)
    cancel(pool, timer)
    if owner.tick_waits:
        set_timer(pool, timer, pool.clock[NOW])


@compiled
def step(pool: Pool, row: int) -> None:
    """The loop's own timer fired: a kept tick, the ping's timeout, or the deadline."""
    owner = pool.rows[row]
    if owner.phase == IDLE:
        if owner.tick_waits:
            owner.tick_waits = 0
            begin(pool, row)
    elif owner.phase == PINGED:
        owner.phase = RELAYS_WAIT
        if not pool.members[pool.follows[row]].blocked:
            _ask_relays(pool, row)
    elif owner.phase == RELAYED:
        _decide(pool, row)


@compiled
def wake(pool: Pool, row: int) -> None:
    """The blocked window is over: send what was about to be sent."""
    phase = pool.rows[row].phase
    if phase == PING_WAITS:
        _ping(pool, row)
    elif phase == RELAYS_WAIT:
        _ask_relays(pool, row)


@compiled
def _ask_relays(pool: Pool, row: int) -> None:
    """Indirect pings through random members that seem alive, and a direct ping over TCP."""
    owner, setting, member = pool.rows[row], pool.setting[0], pool.follows[row]
    owner.phase = RELAYED
    owner.indirect_ms = pool.clock[NOW]
    serial, count = owner.serial, 0
    for _ in range(3 * owner.list_n):
        if count >= setting.relays:
            break
        relay = _present(pool, row, pool.order[row, below(pool, owner.list_n)])
        if relay in (member, owner.target) or state_of(pool, row, relay) != ALIVE or _asked(pool, row, relay, count):
            continue
        job = pool.relays[row, count]
        job.relay, job.serial, job.done = relay, serial, 0
        count += 1
    owner.expected = count if setting.probe_lha else 0
    for number in range(count):
        _ask(pool, row, number)
    if owner.phase == RELAYED and pool.clock[NOW] >= owner.deadline_ms:
        _decide(pool, row)
    elif owner.phase == RELAYED:
        set_timer(pool, own_timer(pool, PROBE, row), owner.deadline_ms)


@compiled
def _present(pool: Pool, row: int, relay: int) -> int:
    """The relay itself, or who stands in for it if it has no row."""
    if pool.members[relay].row != NONE or not pool.members[relay].running or asleep(pool, relay):
        return relay
    other = stand_in(pool, relay, row)
    return relay if other == NONE else int(pool.follows[other])


@compiled
def _asked(pool: Pool, row: int, relay: int, count: int) -> bool:
    found = False
    for number in range(count):
        found = found or pool.relays[row, number].relay == relay
    return found


@compiled
def _ask(pool: Pool, row: int, number: int) -> None:
    owner = pool.rows[row]
    open_packet(pool, 0, INDIRECT, pool.follows[row], number, owner.serial)
    pool.packets[0, 0, 3] = owner.target
    taker = send(pool, 0, pool.relays[row, number].relay, pool.setting[0].indirect_bytes)
    if taker >= 0:
        relay_ping(pool, 0, taker)


@compiled
def relay_ping(pool: Pool, slot: int, row: int) -> None:
    """An indirect ping arrived: ping the target for the asker, and say so if it does not answer."""
    asker, number, target, serial = pool.packets[slot, 0, 1], pool.packets[slot, 0, 2], pool.packets[slot, 0, 3], pool.packets[slot, 0, 4]
    setting, asking = pool.setting[0], pool.members[asker].row
    if asking == NONE:
        take_messages(pool, slot, row)
        return
    job, other = pool.relays[asking, number], 1 - slot
    open_packet(pool, other, PING, pool.follows[row], asker, serial)
    pool.packets[other, 0, 3] = number
    taker = send(pool, other, target, setting.ping_bytes)
    take_messages(pool, slot, row)
    if setting.probe_lha and job.serial == serial and job.relay == pool.follows[row]:
        set_timer(pool, own_timer(pool, RELAYS + number, asking), pool.clock[NOW] + setting.nack_ms + setting.relay_delay_ms)
    if taker >= 0:
        answer(pool, other, taker)


@compiled
def give_nack(pool: Pool, asking: int, number: int) -> None:
    """The relay's time is up: tell the asker that the relay at least is well."""
    job, setting, asker = pool.relays[asking, number], pool.setting[0], pool.follows[asking]
    relay = pool.members[job.relay]
    if not relay.running or job.done or relay.row == NONE:
        return
    if relay.blocked:
        set_timer(pool, own_timer(pool, RELAYS + number, asking), relay.block_end_ms + 1)
        return
    open_packet(pool, 0, NACK, job.relay, asker, job.serial)
    if send(pool, 0, asker, setting.nack_bytes) >= 0:
        take_messages(pool, 0, asking)
        count_nack(pool, asking, job.serial)


@compiled
def count_nack(pool: Pool, row: int, serial: int) -> None:
    """A nack for the probe under way."""
    owner = pool.rows[row]
    if owner.phase == RELAYED and owner.serial == serial:
        owner.nacks += 1


@compiled
def _decide(pool: Pool, row: int) -> None:
    """The deadline passed without an ack: reachable over TCP after all, or suspected."""
    owner, member, setting = pool.rows[row], pool.follows[row], pool.setting[0]
    if _reachable_by_tcp(pool, row):
        change_score(pool, member, -1)
    else:
        mistaken, missing = setting.sampled and _is_mistaken(pool, row), owner.expected - owner.nacks
        change_score(pool, member, missing if owner.expected > 0 else 1)
        hear_suspect(pool, row, owner.target, owner.target_inc, member)
        if mistaken and pool.pairs[row, owner.target].suspicion:
            pool.suspicions[pool.pairs[row, owner.target].suspicion - 1, FLAGS] |= MISTAKEN
    _finish(pool, row)


@compiled
def _is_mistaken(pool: Pool, row: int) -> bool:
    """Is it about to suspect a member that ran and was not blocked from the ping to the deadline?"""
    owner, setting, now = pool.rows[row], pool.setting[0], pool.clock[NOW]
    target, prober = pool.members[owner.target], pool.members[pool.follows[row]]
    if not target.running or not (target.accepts >> prober.key) & 1 or not (prober.accepts >> target.key) & 1:
        return False
    began_ms = owner.deadline_ms - setting.probe_interval_ms * (prober.score + 1)
    silent = asleep(pool, owner.target) and target.blocked_ms <= began_ms
    return bool(now > owner.deadline_ms or not silent)


@compiled
def _reachable_by_tcp(pool: Pool, row: int) -> bool:
    """Did the target work at some time between the fallback ping and the deadline?"""
    owner, prober = pool.rows[row], pool.members[pool.follows[row]]
    target = pool.members[owner.target]
    keyed = (target.accepts >> prober.key) & 1 and (prober.accepts >> target.key) & 1
    if not target.running or not keyed or prober.blocked or owner.indirect_ms >= owner.deadline_ms:
        return False
    return not asleep(pool, owner.target) or woke_ms(pool, owner.target) >= owner.indirect_ms
