"""The run: millisecond after millisecond, script, timers, tickers, what waits, and a sample each second."""

from lab.sim.compiled import compiled, entry
from lab.sim.gossip import hazards, outside, probe, script
from lab.sim.gossip.arrivals import arrive
from lab.sim.gossip.exchange import exchange_due, upkeep
from lab.sim.gossip.join import join, join_row
from lab.sim.gossip.network import take, work_off
from lab.sim.gossip.rules import suspicion_runs_out
from lab.sim.gossip.state import ACK, BUSY_N, INDIRECT, NACK, NONE, NOW, PING, TIMERS_OPEN, Pool
from lab.sim.gossip.tally import flush_all, remember, sample
from lab.sim.gossip.wheel import EXCHANGE, PROBE, RELAYS, UPKEEP, WAKE, pop

SAMPLE_MS = 1000


@entry
def run_until(pool: Pool, end_ms: int) -> None:
    """Go on from the pool's time to `end_ms`."""
    while pool.clock[NOW] < end_ms:
        whole_second = pool.clock[NOW] % SAMPLE_MS == 0
        if whole_second:
            if pool.setting[0].sampled:
                hazards.measure(pool)
            remember(pool)
        pool.clock[TIMERS_OPEN] = 1
        script.act(pool)
        _fire_timers(pool)
        pool.clock[TIMERS_OPEN] = 0
        _tick_probes(pool)
        _tick_gossip(pool)
        _serve(pool)
        if whole_second:
            sample(pool)
            if pool.setting[0].sampled:
                flush_all(pool)
                hazards.turn(pool)
        pool.clock[NOW] += 1
    flush_all(pool)


@compiled
def _fire_timers(pool: Pool) -> None:
    setting, rows = pool.setting[0], len(pool.rows)
    timer = pop(pool)
    while timer != NONE:
        if timer >= setting.suspicions_from:
            suspicion_runs_out(pool, timer - setting.suspicions_from)
        elif timer >= setting.joins_from:
            _fire_outside(pool, timer)
        elif _runs(pool, timer % rows):
            _fire_own(pool, timer // rows, timer % rows)
        timer = pop(pool)


@compiled
def _fire_outside(pool: Pool, timer: int) -> None:
    setting = pool.setting[0]
    if timer >= setting.rumours_from:
        arrive(pool, timer - setting.rumours_from)
    elif timer >= setting.wakes_from:
        outside.wake(pool, timer - setting.wakes_from)
    else:
        join(pool, timer - setting.joins_from)


@compiled
def _runs(pool: Pool, row: int) -> bool:
    member = pool.follows[row]
    return bool(member != NONE and pool.members[member].running)


@compiled
def _fire_own(pool: Pool, kind: int, row: int) -> None:
    if kind == PROBE:
        probe.step(pool, row)
    elif kind == EXCHANGE:
        exchange_due(pool, row)
    elif kind == UPKEEP:
        if pool.rows[row].list_n == 1:
            join_row(pool, row)
        upkeep(pool, row)
    elif kind == WAKE:
        script.wake(pool, row)
    else:
        probe.give_nack(pool, row, kind - RELAYS)


@compiled
def _tick_probes(pool: Pool) -> None:
    phase = pool.clock[NOW] % pool.setting[0].probe_interval_ms
    for place in range(pool.probe_starts[phase], pool.probe_starts[phase + 1]):
        row = pool.by_probe_ms[place]
        if _runs(pool, row) and not pool.members[pool.follows[row]].leaving:
            probe.tick(pool, row)


@compiled
def _tick_gossip(pool: Pool) -> None:
    phase = pool.clock[NOW] % pool.setting[0].gossip_interval_ms
    for place in range(pool.gossip_starts[phase], pool.gossip_starts[phase + 1]):
        row = pool.by_gossip_ms[place]
        if pool.rows[row].queued_n > 0 and _runs(pool, row):
            script.gossip_tick(pool, row)


@compiled
def _serve(pool: Pool) -> None:
    """One millisecond of work for each member that has something waiting and is not blocked."""
    kept, waiting = 0, pool.clock[BUSY_N]
    for place in range(waiting):
        row = pool.busy[place]
        owner = pool.rows[row]
        if not _runs(pool, row):
            owner.busy = 0
            continue
        if not pool.members[pool.follows[row]].blocked:
            _drain(pool, row)
            work_off(pool, row)
        if owner.inbox_n + owner.handoff_n + owner.urgent_n > 0:
            pool.busy[kept] = row
            kept += 1
        else:
            owner.busy = 0
    for place in range(waiting, pool.clock[BUSY_N]):
        pool.busy[kept] = pool.busy[place]
        kept += 1
    pool.clock[BUSY_N] = kept


@compiled
def _drain(pool: Pool, row: int) -> None:
    """The listener takes from the socket what one millisecond allows."""
    owner, ring, taken = pool.rows[row], pool.inbox.shape[1], 0
    while taken < pool.setting[0].messages_per_ms:
        if owner.inbox_n == 0:
            return
        line = pool.inbox[row, owner.inbox_at]
        owner.inbox_at = (owner.inbox_at + 1) % ring
        owner.inbox_n -= 1
        owner.inbox_bytes -= line[5]
        if owner.inbox_n == 0:
            pool.members[pool.follows[row]].waiting = 0
        taken += pool.setting[0].times if line[0] < PING else 1
        if line[0] < PING:
            take(pool, row, line[0], line[1], line[2], line[3])
        else:
            for column in range(5):
                pool.packets[0, 0, column] = line[column]
            pool.packet_n[0] = 1
            _take_head(pool, row, line[0])


@compiled
def _take_head(pool: Pool, row: int, kind: int) -> None:
    if kind == PING:
        probe.answer(pool, 0, row)
    elif kind == ACK:
        probe.take_ack(pool, 0, row)
    elif kind == NACK:
        probe.count_nack(pool, row, pool.packets[0, 0, 4])
    elif kind == INDIRECT:
        probe.relay_ping(pool, 0, row)
