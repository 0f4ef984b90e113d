"""What is done to members from outside, at stated times: start, kill, leave, block, slow down, change the gossip key."""

from lab.sim.compiled import compiled, entry
from lab.sim.gossip import probe
from lab.sim.gossip.broadcasts import enqueue, fill
from lab.sim.gossip.chance import below
from lab.sim.gossip.exchange import exchange, exchange_due
from lab.sim.gossip.members import add_to_list, end_process, reset_list, set_view
from lab.sim.gossip.network import mark_busy, open_packet, room_of, take_messages, transmit
from lab.sim.gossip.rules import announce
from lab.sim.gossip.state import ALIVE, DEAD, INC_SHIFT, LEFT, NONE, NOW, RUNNING_N, SCRIPT_AT, SUSPECT, Pool
from lab.sim.gossip.suspicion import PUSH_PULL_MS
from lab.sim.gossip.views import state_of
from lab.sim.gossip.wheel import EXCHANGE, UPKEEP, WAKE, own_timer, set_timer

START, KILL, LEAVE, BLOCK, RATE, KEY, ACCEPT, UPDATE = range(8)
"""Actions. The argument: of START the member to join through, of BLOCK the ms when it ends, of RATE messages per second (0: no limit), of KEY the
key (0: plaintext), of ACCEPT a bit for each key that is accepted. UPDATE makes a member announce itself anew, as after a change of its tags."""


@compiled
def act(pool: Pool) -> None:
    """Carry out what the script has for this millisecond."""
    while pool.clock[SCRIPT_AT] < len(pool.script):
        line = pool.script[pool.clock[SCRIPT_AT]]
        if line[0] > pool.clock[NOW]:
            return
        pool.clock[SCRIPT_AT] += 1
        action, member, argument = line[1], line[2], line[3]
        if action == START:
            start(pool, member, argument)
        elif pool.members[member].running:
            _change(pool, action, member, argument)


@compiled
def _change(pool: Pool, action: int, member: int, argument: int) -> None:
    process = pool.members[member]
    if action == KILL:
        end_process(pool, member, process.leaving)
    elif action == LEAVE:
        leave(pool, process.row)
    elif action == BLOCK:
        process.blocked = 1
        process.block_end_ms = max(process.block_end_ms, argument)
        set_timer(pool, own_timer(pool, WAKE, process.row), process.block_end_ms)
    elif action == RATE:
        process.rate = argument / 1000
    elif action == KEY:
        process.key = argument
    elif action == ACCEPT:
        process.accepts = argument
    else:
        announce(pool, process.row, process.inc + 1)


@compiled
def start(pool: Pool, member: int, home: int) -> None:
    """A process begins: it knows itself, says so, and joins through `home` (NONE: through nobody)."""
    process = pool.members[member]
    if process.running or pool.names[member].ended_ms != NONE:
        return
    process.running = 1
    process.home = home
    pool.clock[RUNNING_N] += 1
    row = process.row
    pool.follows[row] = member
    add_to_list(pool, row, member)
    set_view(pool, row, member, ALIVE, 1)
    pool.pairs[row, member].serf = ALIVE
    pool.rows[row].alive_n = 1
    announce(pool, row, 1)
    stagger_ms = below(pool, pool.tables[1, PUSH_PULL_MS])
    begin_timers(pool, row, stagger_ms + pool.tables[1, PUSH_PULL_MS])
    if home != NONE:
        exchange(pool, row, home)


@compiled
def begin_timers(pool: Pool, row: int, first_ms: int) -> None:
    """The first push/pull after `first_ms`, upkeep at a random moment. Source: memberlist state.go pushPullTrigger."""
    set_timer(pool, own_timer(pool, EXCHANGE, row), pool.clock[NOW] + first_ms)
    set_timer(pool, own_timer(pool, UPKEEP, row), pool.clock[NOW] + 1 + below(pool, pool.setting[0].reconnect_ms))


@entry
def acquaint(pool: Pool, count: int) -> None:
    """The first `count` members run, know each other alive at incarnation 1, have nothing to tell, and are anywhere in their laps."""
    pool.clock[RUNNING_N] = count
    for member in range(count):
        pool.members[member].running = 1
        pool.members[member].inc = 1
    for row in range(min(count, len(pool.rows))):
        owner = pool.rows[row]
        owner.alive_n = owner.list_n = count
        for subject in range(count):
            pool.heard[row, subject] = 1 << INC_SHIFT | ALIVE
            pool.pairs[row, subject].serf = ALIVE
            pool.order[row, subject] = subject
            pool.names[subject].knowers += 1
        reset_list(pool, row)
        owner.probe_at = below(pool, count)
        begin_timers(pool, row, below(pool, pool.tables[count, PUSH_PULL_MS]))


@compiled
def leave(pool: Pool, row: int) -> None:
    """Say goodbye: the message that one has left, from oneself; the process ends when the script kills it."""
    member = pool.follows[row]
    process = pool.members[member]
    if process.leaving:
        return
    process.leaving = 1
    enqueue(pool, row, member, LEFT, process.inc, member)
    set_view(pool, row, member, LEFT if pool.setting[0].left_state else DEAD, process.inc)


@compiled
def wake(pool: Pool, row: int) -> None:
    """A blocked window is over: the loops go on where they stood, then the socket is worked off."""
    owner, process = pool.rows[row], pool.members[pool.follows[row]]
    process.blocked = 0
    process.woke_ms = pool.clock[NOW]
    probe.wake(pool, row)
    rounds, owner.gossip_waits = owner.gossip_waits, 0
    for _ in range(rounds):
        gossip(pool, row)
    if owner.exchange_waits:
        owner.exchange_waits = 0
        exchange_due(pool, row)
    if owner.inbox_n > 0:
        mark_busy(pool, row)


@compiled
def gossip_tick(pool: Pool, row: int) -> None:
    """The ticker fired. A blocked loop stands before its first packet and keeps one more tick."""
    if pool.members[pool.follows[row]].blocked:
        pool.rows[row].gossip_waits = min(2, pool.rows[row].gossip_waits + 1)
    else:
        gossip(pool, row)


@compiled
def gossip(pool: Pool, row: int) -> None:
    """A packet of broadcasts each to a few random members: alive, suspect, or not dead for long.

    Source: memberlist state.go:590 gossip.
    """
    owner, setting, member = pool.rows[row], pool.setting[0], pool.follows[row]
    chosen, first, second = 0, NONE, NONE
    for _ in range(3 * owner.list_n):
        if chosen >= setting.gossip_nodes or owner.queued_n == 0:
            return
        target = pool.order[row, below(pool, owner.list_n)]
        if target in (member, first, second) or not _hears(pool, row, target):
            continue
        first, second = target, first
        chosen += 1
        open_packet(pool, 0, NONE, member, NONE, NONE)
        payload_bytes = fill(pool, row, 0, room_of(pool, row))
        taker = transmit(pool, 0, target, payload_bytes)
        if taker != NONE:
            take_messages(pool, 0, taker)


@compiled
def _hears(pool: Pool, row: int, target: int) -> bool:
    state = state_of(pool, row, target)
    if state in (ALIVE, SUSPECT):
        return True
    return bool(state == DEAD and pool.clock[NOW] - pool.pairs[row, target].changed_ms <= pool.setting[0].gossip_to_dead_ms)
