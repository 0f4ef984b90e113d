"""What is done to members from outside, at stated times: start, kill, leave, block, slow down, change the gossip key."""

from lab.sim.compiled import compiled, entry
from lab.sim.gossip import probe
from lab.sim.gossip.broadcasts import enqueue, fill
from lab.sim.gossip.chance import below
from lab.sim.gossip.exchange import exchange, exchange_due
from lab.sim.gossip.members import add_to_list, end_process, reset_list, set_state
from lab.sim.gossip.network import mark_busy, open_packet, room_of, take_messages, transmit
from lab.sim.gossip.rules import PUSH_PULL_MS
from lab.sim.gossip.state import ALIVE, DEAD, LEFT, NONE, NOW, RUNNING_N, SCRIPT_AT, SUSPECT, Pool
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
    owner = pool.members[member]
    if action == KILL:
        end_process(pool, member, owner.leaving)
    elif action == LEAVE:
        leave(pool, member)
    elif action == BLOCK:
        owner.blocked = 1
        owner.block_end_ms = max(owner.block_end_ms, argument)
        set_timer(pool, own_timer(pool, WAKE, member), owner.block_end_ms)
    elif action == RATE:
        owner.rate = argument / 1000
    elif action == KEY:
        owner.key = argument
    elif action == ACCEPT:
        owner.accepts = argument
    else:
        view = pool.pairs[member, member]
        view.inc += 1
        enqueue(pool, member, member, ALIVE, view.inc, member)


@compiled
def start(pool: Pool, member: int, home: int) -> None:
    """A process begins: it knows itself, says so, and joins through `home` (NONE: through nobody)."""
    owner, view = pool.members[member], pool.pairs[member, member]
    if owner.running or pool.names[member].ended_ms != NONE:
        return
    owner.running = 1
    owner.home = home
    pool.clock[RUNNING_N] += 1
    add_to_list(pool, member, member)
    view.inc = 1
    set_state(pool, member, member, ALIVE)
    view.serf = ALIVE
    owner.alive_n = 1
    enqueue(pool, member, member, ALIVE, 1, member)
    stagger_ms = below(pool, pool.tables[1, PUSH_PULL_MS])
    begin_timers(pool, member, stagger_ms + pool.tables[1, PUSH_PULL_MS])
    if home != NONE:
        exchange(pool, member, home)


@compiled
def begin_timers(pool: Pool, member: int, first_ms: int) -> None:
    """The first push/pull after `first_ms`, upkeep at a random moment. Source: memberlist state.go pushPullTrigger."""
    set_timer(pool, own_timer(pool, EXCHANGE, member), pool.clock[NOW] + first_ms)
    set_timer(pool, own_timer(pool, UPKEEP, member), pool.clock[NOW] + 1 + below(pool, pool.setting[0].reconnect_ms))


@entry
def acquaint(pool: Pool, count: int) -> None:
    """The first `count` members run, know each other alive at incarnation 1, have nothing to tell, and are anywhere in their laps."""
    pool.clock[RUNNING_N] = count
    for member in range(count):
        owner = pool.members[member]
        owner.running = 1
        owner.alive_n = owner.list_n = count
        pool.names[member].knowers = count
        for subject in range(count):
            view = pool.pairs[member, subject]
            view.state = view.serf = ALIVE
            view.inc = 1
            pool.order[member, subject] = subject
        reset_list(pool, member)
        owner.probe_at = below(pool, count)
        begin_timers(pool, member, below(pool, pool.tables[count, PUSH_PULL_MS]))


@compiled
def leave(pool: Pool, member: int) -> None:
    """Say goodbye: the message that one has left, from oneself; the process ends when the script kills it."""
    owner = pool.members[member]
    if owner.leaving:
        return
    owner.leaving = 1
    enqueue(pool, member, member, LEFT, pool.pairs[member, member].inc, member)
    set_state(pool, member, member, LEFT if pool.setting[0].left_state else DEAD)


@compiled
def wake(pool: Pool, member: int) -> None:
    """A blocked window is over: the loops go on where they stood, then the socket is worked off."""
    owner = pool.members[member]
    if not owner.running:
        return
    owner.blocked = 0
    owner.woke_ms = pool.clock[NOW]
    probe.wake(pool, member)
    rounds, owner.gossip_waits = owner.gossip_waits, 0
    for _ in range(rounds):
        gossip(pool, member)
    if owner.exchange_waits:
        owner.exchange_waits = 0
        exchange_due(pool, member)
    if owner.inbox_n > 0:
        mark_busy(pool, member)


@compiled
def gossip_tick(pool: Pool, member: int) -> None:
    """The ticker fired. A blocked loop stands before its first packet and keeps one more tick."""
    owner = pool.members[member]
    if owner.queued_n == 0:
        return
    if owner.blocked:
        owner.gossip_waits = min(2, owner.gossip_waits + 1)
    else:
        gossip(pool, member)


@compiled
def gossip(pool: Pool, member: int) -> None:
    """A packet of broadcasts each to a few random members: alive, suspect, or not dead for long.

    Source: memberlist state.go:590 gossip.
    """
    owner, setting = pool.members[member], pool.setting[0]
    chosen, first, second = 0, NONE, NONE
    for _ in range(3 * owner.list_n):
        if chosen >= setting.gossip_nodes or owner.queued_n == 0:
            return
        target = pool.order[member, below(pool, owner.list_n)]
        if target in (member, first, second) or not _hears(pool, member, target):
            continue
        first, second = target, first
        chosen += 1
        open_packet(pool, 0, NONE, member, NONE, NONE)
        payload_bytes = fill(pool, member, 0, room_of(pool, member))
        if transmit(pool, 0, target, payload_bytes):
            take_messages(pool, 0, target)


@compiled
def _hears(pool: Pool, member: int, target: int) -> bool:
    view = pool.pairs[member, target]
    if view.state in (ALIVE, SUSPECT):
        return True
    return bool(view.state == DEAD and pool.clock[NOW] - view.changed_ms <= pool.setting[0].gossip_to_dead_ms)
