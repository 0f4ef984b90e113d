"""What is done to members from outside, at stated times: start, kill, leave, block, slow down, change the gossip key."""

from lab.sim.compiled import compiled, entry
from lab.sim.gossip import probe
from lab.sim.gossip.broadcasts import enqueue, fill
from lab.sim.gossip.chance import below
from lab.sim.gossip.exchange import exchange_due
from lab.sim.gossip.follow import adopt, begin_row, retire
from lab.sim.gossip.groups import enter_group, leave_group, regroup
from lab.sim.gossip.join import join, join_row
from lab.sim.gossip.members import add_to_list, end_process, end_row, reset_list, set_view, watch
from lab.sim.gossip.network import mark_busy, open_packet, room_of, take_messages, transmit
from lab.sim.gossip.outside import asleep
from lab.sim.gossip.rules import announce
from lab.sim.gossip.rumours import plant
from lab.sim.gossip.spread import spread
from lab.sim.gossip.state import ALIVE, DEAD, LEFT, NAMES_USED, NONE, NOW, RETUNED, RUNNING_N, SCRIPT_AT, Pool
from lab.sim.gossip.suspicion import PUSH_PULL_MS
from lab.sim.gossip.tally import flush
from lab.sim.gossip.views import hears
from lab.sim.gossip.wheel import EXCHANGE, UPKEEP, WAKE, own_timer, set_timer

START, KILL, LEAVE, BLOCK, RATE, KEY, ACCEPT, UPDATE = range(8)
"""Actions. The argument: of START the member to join through, of BLOCK the ms when it ends, of RATE messages per second (0: no limit), of KEY the
key (0: plaintext), of ACCEPT a bit for each key that is accepted; both may be set before the member starts. UPDATE makes a member announce itself anew, as after a change of its tags."""


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
        elif action in (KEY, ACCEPT):
            _change_key(pool, action, member, argument)
        elif pool.members[member].running:
            _change(pool, action, member, argument)


@compiled
def _change_key(pool: Pool, action: int, member: int, argument: int) -> None:
    """A running process changes its keyring, or one that will start is given it."""
    process = pool.members[member]
    if action == KEY:
        process.key = argument
    else:
        process.accepts = argument
    if pool.setting[0].sampled and process.running and regroup(pool, member):
        pool.clock[RETUNED] = 1
        adopt(pool, member)


@compiled
def _change(pool: Pool, action: int, member: int, argument: int) -> None:
    process = pool.members[member]
    if action == KILL:
        _kill(pool, member)
    elif action == LEAVE:
        if not process.leaving:
            process.leaving = 1
            _say_goodbye(pool, member)
    elif action == BLOCK:
        _block(pool, member, argument)
    elif action == RATE:
        process.rate = argument / 1000 / pool.setting[0].times
        _hinder(pool, member)
    elif process.row != NONE:
        announce(pool, process.row, process.inc + 1)
    else:
        process.inc += 1
        plant(pool, process.group >> 1, ALIVE, member, process.inc, member, 0)


@compiled
def _kill(pool: Pool, member: int) -> None:
    row = pool.members[member].row
    if not pool.setting[0].sampled:
        end_process(pool, member)
        end_row(pool, row)
        return
    if row != NONE:
        flush(pool, row)
    leave_group(pool, member)
    end_process(pool, member)
    watch(pool, member)
    if row != NONE:
        retire(pool, row)


@compiled
def _block(pool: Pool, member: int, end_ms: int) -> None:
    process = pool.members[member]
    if not asleep(pool, member):
        process.blocked_ms = pool.clock[NOW]
    process.block_end_ms = max(process.block_end_ms, end_ms)
    if process.row != NONE:
        process.blocked = 1
        set_timer(pool, own_timer(pool, WAKE, process.row), process.block_end_ms)
    _hinder(pool, member)
    if pool.setting[0].sampled and process.block_end_ms - pool.clock[NOW] >= pool.setting[0].probe_interval_ms:
        watch(pool, member)


@compiled
def _hinder(pool: Pool, member: int) -> None:
    """The member is not like the steady ones, for a while."""
    if pool.setting[0].sampled:
        pool.members[member].hindered_ms = pool.clock[NOW]
        if regroup(pool, member):
            adopt(pool, member)


@entry
def mark(pool: Pool, member: int) -> None:
    """The member is anomalous from now on: failures of it are true."""
    pool.members[member].anomalous = 1
    if pool.setting[0].sampled and regroup(pool, member):
        adopt(pool, member)


@compiled
def start(pool: Pool, member: int, home: int) -> None:
    """A process begins: it knows itself, says so, and joins through `home` (NONE: through nobody)."""
    process = pool.members[member]
    if process.running or pool.names[member].ended_ms != NONE:
        return
    process.running = 1
    process.home = home
    process.inc = 1
    pool.clock[RUNNING_N] += 1
    pool.clock[NAMES_USED] = max(pool.clock[NAMES_USED], member + 1)
    if pool.setting[0].sampled:
        enter_group(pool, member)
        if begin_row(pool, member) == NONE:
            join(pool, member)
            return
    row = process.row
    add_to_list(pool, row, member)
    set_view(pool, row, member, ALIVE, 1)
    pool.pairs[row, member].serf = ALIVE
    pool.rows[row].alive_n = 1
    enqueue(pool, row, member, ALIVE, 1, member)
    stagger_ms = below(pool, pool.tables[1, PUSH_PULL_MS])
    begin_timers(pool, row, stagger_ms + pool.tables[1, PUSH_PULL_MS])
    join_row(pool, row)


@compiled
def begin_timers(pool: Pool, row: int, first_ms: int) -> None:
    """The first push/pull after `first_ms`, upkeep at a random moment. Source: memberlist state.go pushPullTrigger."""
    set_timer(pool, own_timer(pool, EXCHANGE, row), pool.clock[NOW] + first_ms)
    set_timer(pool, own_timer(pool, UPKEEP, row), pool.clock[NOW] + 1 + below(pool, pool.setting[0].reconnect_ms))


@entry
def acquaint(pool: Pool, count: int) -> None:
    """The first `count` members run, know each other alive at incarnation 1, have nothing to tell, and are anywhere in their laps."""
    pool.clock[RUNNING_N] = count
    pool.clock[NAMES_USED] = count if pool.setting[0].sampled else len(pool.members)
    for member in range(count):
        process = pool.members[member]
        process.running = process.inc = process.known = 1
        if pool.setting[0].sampled:
            enter_group(pool, member)
    for row in range(len(pool.rows)):
        if pool.follows[row] != NONE and pool.members[pool.follows[row]].running:
            _know_all(pool, row, count)


@compiled
def _know_all(pool: Pool, row: int, count: int) -> None:
    owner = pool.rows[row]
    owner.alive_n = owner.list_n = count
    for subject in range(count):
        set_view(pool, row, subject, ALIVE, 1)
        pool.pairs[row, subject].serf = ALIVE
        pool.order[row, subject] = subject
    reset_list(pool, row)
    owner.probe_at = below(pool, count)
    if pool.setting[0].times > 1:
        owner.laps = below(pool, pool.setting[0].times)
    begin_timers(pool, row, below(pool, pool.tables[count, PUSH_PULL_MS]))


@compiled
def _say_goodbye(pool: Pool, member: int) -> None:
    """Say that one has left, from oneself; the process ends when the script kills it."""
    process = pool.members[member]
    row = process.row
    if row == NONE:
        plant(pool, process.group >> 1, LEFT, member, process.inc, member, 0)
        return
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
    member = pool.follows[row]
    for number in range(_choose(pool, row)):
        if pool.rows[row].queued_n == 0:
            return
        open_packet(pool, 0, NONE, member, NONE, NONE)
        payload_bytes = fill(pool, row, 0, room_of(pool, row))
        if pool.setting[0].sampled:
            spread(pool, row, pool.chosen[number], payload_bytes)
            continue
        taker = transmit(pool, 0, pool.chosen[number], payload_bytes)
        if taker >= 0:
            take_messages(pool, 0, taker)


@compiled
def _choose(pool: Pool, row: int) -> int:
    """Targets of a round, each another, into `chosen`; how many there are.

    The first draws are made together, as their reads then overlap in the processor; what was drawn in vain is drawn again.
    Source: memberlist util.go kRandomNodes: at most 3 n draws.
    """
    length, wanted, tries = pool.rows[row].list_n, pool.setting[0].gossip_nodes, 0
    count = 0
    while count < wanted and tries < 3 * length:
        drawn = count
        for place in range(count, wanted):
            pool.chosen[place] = pool.order[row, below(pool, length)]
        tries += wanted - count
        for place in range(drawn, wanted):
            target = pool.chosen[place]
            if hears(pool, row, target) and not _is_chosen(pool, target, count):
                pool.chosen[count] = target
                count += 1
    return count


@compiled
def _is_chosen(pool: Pool, target: int, count: int) -> bool:
    found = False
    for place in range(count):
        found = found or pool.chosen[place] == target
    return found
