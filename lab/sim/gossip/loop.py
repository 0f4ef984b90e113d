"""The run: millisecond after millisecond, script, timers, tickers, what waits, and a sample each second."""

from lab.sim.compiled import compiled, entry
from lab.sim.gossip import probe, script
from lab.sim.gossip.exchange import exchange_due, upkeep
from lab.sim.gossip.network import take, work_off
from lab.sim.gossip.rules import suspicion_runs_out
from lab.sim.gossip.state import (
    ACK,
    BUSY_N,
    FAILURES,
    FALSE_POSITIVES,
    INDIRECT,
    JOINS,
    NACK,
    NONE,
    NOW,
    PING,
    SAMPLED,
    TIMERS_OPEN,
    Pool,
)
from lab.sim.gossip.wheel import EXCHANGE, PROBE, RELAYS, UPKEEP, WAKE, pop

SAMPLE_MS = 1000


@entry
def run_until(pool: Pool, end_ms: int) -> None:
    """Go on from the pool's time to `end_ms`."""
    while pool.clock[NOW] < end_ms:
        pool.clock[TIMERS_OPEN] = 1
        script.act(pool)
        _fire_timers(pool)
        pool.clock[TIMERS_OPEN] = 0
        _tick_probes(pool)
        _tick_gossip(pool)
        _serve(pool)
        if pool.clock[NOW] % SAMPLE_MS == 0:
            _sample(pool)
        pool.clock[NOW] += 1


@compiled
def _fire_timers(pool: Pool) -> None:
    total = len(pool.members)
    timer = pop(pool)
    while timer != NONE:
        if timer < total * total:
            suspicion_runs_out(pool, timer // total, timer % total)
        else:
            own = timer - total * total
            if pool.members[own % total].running:
                _fire_own(pool, own // total, own % total)
        timer = pop(pool)


@compiled
def _fire_own(pool: Pool, kind: int, member: int) -> None:
    if kind == PROBE:
        probe.step(pool, member)
    elif kind == EXCHANGE:
        exchange_due(pool, member)
    elif kind == UPKEEP:
        upkeep(pool, member)
    elif kind == WAKE:
        script.wake(pool, member)
    else:
        probe.give_nack(pool, member, kind - RELAYS)


@compiled
def _tick_probes(pool: Pool) -> None:
    phase = pool.clock[NOW] % pool.setting[0].probe_interval_ms
    for place in range(pool.probe_starts[phase], pool.probe_starts[phase + 1]):
        member = pool.by_probe_ms[place]
        if pool.members[member].running and not pool.members[member].leaving:
            probe.tick(pool, member)


@compiled
def _tick_gossip(pool: Pool) -> None:
    phase = pool.clock[NOW] % pool.setting[0].gossip_interval_ms
    for place in range(pool.gossip_starts[phase], pool.gossip_starts[phase + 1]):
        member = pool.by_gossip_ms[place]
        if pool.members[member].running:
            script.gossip_tick(pool, member)


@compiled
def _serve(pool: Pool) -> None:
    """One millisecond of work for each member that has something waiting and is not blocked."""
    kept, waiting = 0, pool.clock[BUSY_N]
    for place in range(waiting):
        member = pool.busy[place]
        owner = pool.members[member]
        if not owner.running:
            owner.busy = 0
            continue
        if not owner.blocked:
            _drain(pool, member)
            work_off(pool, member)
        if owner.inbox_n + owner.handoff_n + owner.urgent_n > 0:
            pool.busy[kept] = member
            kept += 1
        else:
            owner.busy = 0
    for place in range(waiting, pool.clock[BUSY_N]):
        pool.busy[kept] = pool.busy[place]
        kept += 1
    pool.clock[BUSY_N] = kept


@compiled
def _drain(pool: Pool, member: int) -> None:
    """The listener takes from the socket what one millisecond allows."""
    owner, ring = pool.members[member], pool.inbox.shape[1]
    for _ in range(pool.setting[0].messages_per_ms):
        if owner.inbox_n == 0:
            return
        row = pool.inbox[member, owner.inbox_at]
        owner.inbox_at = (owner.inbox_at + 1) % ring
        owner.inbox_n -= 1
        owner.inbox_bytes -= row[5]
        if row[0] < PING:
            take(pool, member, row[0], row[1], row[2], row[3])
        else:
            for column in range(5):
                pool.packets[0, 0, column] = row[column]
            pool.packet_n[0] = 1
            _take_head(pool, member, row[0])


@compiled
def _take_head(pool: Pool, member: int, kind: int) -> None:
    serial = pool.packets[0, 0, 4]
    if kind == PING:
        probe.answer(pool, 0, member)
    elif kind == ACK:
        probe.take_ack(pool, 0, member)
    elif kind == NACK:
        probe.count_nack(pool, member, serial)
    elif kind == INDIRECT:
        probe.relay_ping(pool, 0, member)


@compiled
def _sample(pool: Pool) -> None:
    """Sums over running members; see SAMPLES."""
    number = pool.clock[SAMPLED]
    if number >= len(pool.samples):
        return
    pool.clock[SAMPLED] = number + 1
    row = pool.samples[number]
    row[0] = pool.clock[NOW] / 1000
    for member in range(len(pool.members)):
        owner = pool.members[member]
        if pool.names[member].ended_ms != NONE:
            row[4] += pool.names[member].knowers
        row[8] += pool.counts[member, JOINS]
        row[9] += pool.counts[member, FAILURES]
        row[10] += pool.counts[member, FALSE_POSITIVES]
        if owner.running:
            row[1] += 1
            row[2] += owner.alive_n
            row[3] += owner.failed_n
            row[5] += owner.queued_n
            row[6] += owner.handoff_n + owner.urgent_n
            row[7] += owner.score
