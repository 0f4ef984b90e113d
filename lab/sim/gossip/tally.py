"""From what rows count to what the pool counts: each row's counts times the members it stands for."""

from lab.sim.compiled import compiled
from lab.sim.gossip.groups import weight
from lab.sim.gossip.state import (
    BYTES,
    FAILURES,
    FALSE_POSITIVES,
    JOINS,
    MESSAGES,
    NONE,
    NOW,
    OF_NAMES,
    PACKETS,
    PHANTOMS,
    PINGS,
    REFUTATIONS,
    RUNNING_N,
    SAMPLED,
    Pool,
)


@compiled
def flush_all(pool: Pool) -> None:
    """Bring the sums up to date."""
    for row in range(len(pool.rows)):
        flush(pool, row)


@compiled
def flush(pool: Pool, row: int) -> None:
    """Add what a row has counted since the last time, at the weight it has now; packets are counted beside the queue until then.

    Refutations are counted one by one: members without a row refute, too, see outside.py.
    """
    member = pool.follows[row]
    if member == NONE:
        return
    owner, counts, flushed = pool.rows[row], pool.counts[row], pool.flushed[row]
    counts[PACKETS] += owner.packets
    counts[BYTES] += owner.bytes
    counts[MESSAGES] += owner.messages
    owner.packets = 0
    owner.bytes = 0
    owner.messages = 0
    stands_for, side, each = weight(pool, row), pool.members[member].anomalous, pool.setting[0].times
    for number in range(len(counts)):
        if counts[number] != flushed[number]:
            times = float(each) if number == REFUTATIONS else stands_for
            if number in OF_NAMES:
                times *= each
            pool.sums[side, number] += times * (counts[number] - flushed[number])
            flushed[number] = counts[number]


@compiled
def sample(pool: Pool) -> None:
    """Sums over running members; see SAMPLES."""
    number = pool.clock[SAMPLED]
    if number >= len(pool.samples):
        return
    pool.clock[SAMPLED] = number + 1
    flush_all(pool)
    line, times = pool.samples[number], pool.setting[0].times
    line[0] = pool.clock[NOW] / 1000
    line[1] = pool.clock[RUNNING_N] * times
    rows = 0
    for row in range(len(pool.rows)):
        member = pool.follows[row]
        if member == NONE or not pool.members[member].running:
            continue
        owner, stands_for = pool.rows[row], weight(pool, row)
        rows += 1
        line[2] += stands_for * times * owner.alive_n
        line[3] += stands_for * times * owner.failed_n
        line[5] += stands_for * times * owner.queued_n
        line[6] += stands_for * times * (owner.handoff_n + owner.urgent_n)
        line[7] += stands_for * pool.members[member].score
    line[4] = pool.clock[PHANTOMS] * times * (times * pool.clock[RUNNING_N] / max(1, rows))
    line[8] = pool.sums[0, JOINS] + pool.sums[1, JOINS]
    line[9] = pool.sums[0, FAILURES] + pool.sums[1, FAILURES]
    line[10] = pool.sums[0, FALSE_POSITIVES] + pool.sums[1, FALSE_POSITIVES]


@compiled
def remember(pool: Pool) -> None:
    """What the rows have done by the beginning of this second, to tell by its end what they do in one."""
    for row in range(len(pool.rows)):
        owner, counts = pool.rows[row], pool.counts[row]
        owner.was_pings = counts[PINGS]
        owner.was_packets = counts[PACKETS] + owner.packets
        owner.was_bytes = counts[BYTES] + owner.bytes
        owner.was_queued_id = owner.queued_id
