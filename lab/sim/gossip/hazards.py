"""What members without a row do to each other, as rates. Of a sampled pool only.

Each second, for each name whose views may be wrong (`watch`), and for each tongue. N members speak it, N' = N less its rows are not followed; h, s, d, a
are the shares that hold the name alive, suspect, dead, and not at all, by the rows (groups.py). A steady member probes p others of the A that it holds
alive each second, makes a push/pull each P, and looks for one of its F failed members each 30 s with probability F / A. Events are Poisson:

- a process that ended, or cannot be reached, is accused by members that hold it: N' (h + s) p / A, a probe's deadline later
  (memberlist state.go:232-521); so is one in a blocked window that ends after the deadline;
- one that ended is learnt as alive by one that has forgotten it: 2 N' h a / P (state.go mergeState, aliveNode: "added whatever its incarnation"), and a
  holder of it is told of its death: 2 N' h d / P, which only makes it suspect;
- a running one hears what is said of it: by a ping with the suspicion, N' s p / A (Buddy, state.go:356); by one that looks for its failed members,
  N' d / (30 s max(A, F)) (serf serf.go:1615 handleReconnect), which then learns that it is alive if it has refuted already; and by its own push/pull, d / P;
- in a thinned pool, one that a storm has kept unknown tells of itself by its own push/pull, a / P. (Where all names are held it waits until somebody accuses it.)

Derived: each of N' members does with probability per second what its loop does once a lap or a period. `plant` turns an event into a rumour.
"""

from lab.sim.compiled import compiled
from lab.sim.constants import COMPOUND_MESSAGE_BYTES
from lab.sim.gossip.chance import below, poisson
from lab.sim.gossip.follow import adopt
from lab.sim.gossip.groups import random_row, regroup, share_of
from lab.sim.gossip.members import watch
from lab.sim.gossip.outside import TRIES, accused
from lab.sim.gossip.rules import hear_suspect
from lab.sim.gossip.rumours import plant
from lab.sim.gossip.state import (
    ACCEPTS,
    ALIVE,
    ALL_MEMBERS,
    ALL_ROWS,
    BYTES,
    CONTACTS_PER_S,
    FAILED,
    FILL_MS,
    HINDERED,
    HOLD_ALIVE,
    HOLD_ENDED,
    HOLD_SUSPECT,
    KEY,
    LISTED,
    NAMES_USED,
    NONE,
    NOW,
    PACKETS,
    PERIOD_S,
    PINGS,
    PROBES_PER_S,
    QUEUED_EACH,
    RETUNED,
    SUSPECT,
    TONGUES,
    TRANSMISSIONS_EACH,
    WATCHED_N,
    Pool,
)
from lab.sim.gossip.suspicion import PUSH_PULL_MS, TRANSMISSIONS
from lab.sim.gossip.views import inc_of, is_news, state_of

TURN_MS = 1000
SHARE_MIN = 1e-6
"""Shares below are nothing but rounding."""
CALM_EVERY_MS = 30_000
"""How often members are looked at that may not be hindered any more. Chosen: half of CALM_MS."""


@compiled
def turn(pool: Pool) -> None:
    """The second that ends now."""
    if pool.clock[NOW] % CALM_EVERY_MS == 0:
        _calm(pool)
    if pool.clock[RETUNED]:
        pool.clock[RETUNED] = 0
        _watch_all(pool)
    kept, waiting = 0, pool.clock[WATCHED_N]
    for place in range(waiting):
        subject = pool.watch[place]
        if _is_open(pool, subject):
            pool.watch[kept] = subject
            kept += 1
        else:
            pool.members[subject].watched = 0
    for place in range(waiting, pool.clock[WATCHED_N]):
        pool.watch[kept] = pool.watch[place]
        kept += 1
    pool.clock[WATCHED_N] = kept


@compiled
def _calm(pool: Pool) -> None:
    """Members that have not been hindered for long count as steady again."""
    for member in range(pool.clock[NAMES_USED]):
        process = pool.members[member]
        if process.running and process.group & 1 == HINDERED and regroup(pool, member):
            adopt(pool, member)


@compiled
def _watch_all(pool: Pool) -> None:
    """Gossip keys have changed: anybody may be out of somebody's reach."""
    for member in range(pool.clock[NAMES_USED]):
        if pool.members[member].running:
            watch(pool, member)


@compiled
def _is_open(pool: Pool, subject: int) -> bool:
    """The events about one name in this second; False when all views of it are right."""
    process, found = pool.members[subject], False
    if process.running and process.block_end_ms > pool.clock[NOW] - TURN_MS:
        found = True
    for tongue in range(TONGUES):
        members, rows = pool.tongues[tongue, ALL_MEMBERS], pool.tongues[tongue, ALL_ROWS]
        if rows == 0 or (members == rows and not process.running):
            continue
        alive, suspect = share_of(pool, tongue, subject, HOLD_ALIVE), share_of(pool, tongue, subject, HOLD_SUSPECT)
        dead = share_of(pool, tongue, subject, HOLD_ENDED)
        if not process.running:
            found = found or alive + suspect > 0
            _of_an_ended(pool, tongue, subject, alive, suspect, dead)
        elif not _reaches(pool, tongue, process.group >> 1):
            found = found or alive + suspect > 0
            _accusations(pool, tongue, subject, alive + suspect)
        else:
            found = found or suspect + dead > 0
            _of_a_running(pool, tongue, subject, alive, suspect, dead)
            if pool.setting[0].times > 1 and process.row == NONE:
                found = _introduces_itself(pool, tongue, subject, 1 - alive - suspect - dead) or found
    return found


@compiled
def _reaches(pool: Pool, tongue: int, other: int) -> bool:
    """Do members of both tongues understand each other?"""
    mine, theirs = pool.tongues[tongue], pool.tongues[other]
    return tongue == other or bool((theirs[ACCEPTS] >> mine[KEY]) & 1 and (mine[ACCEPTS] >> theirs[KEY]) & 1)


@compiled
def _of_an_ended(pool: Pool, tongue: int, subject: int, alive: float, suspect: float, dead: float) -> None:
    if alive + suspect <= 0:
        return
    inc, outside = pool.members[subject].inc, _outside(pool, tongue)
    _accusations(pool, tongue, subject, alive + suspect)
    meetings = 2 * (outside + (pool.setting[0].times - 1) * pool.tongues[tongue, ALL_MEMBERS]) * alive / pool.pace[tongue, PERIOD_S]
    for _ in range(poisson(pool, meetings * max(0.0, 1 - alive - suspect - dead))):
        plant(pool, tongue, ALIVE, subject, inc, subject, below(pool, TURN_MS))
    for _ in range(poisson(pool, meetings * dead)):
        plant(pool, tongue, SUSPECT, subject, inc, _somebody(pool, tongue), below(pool, TURN_MS))


@compiled
def _of_a_running(pool: Pool, tongue: int, subject: int, alive: float, suspect: float, dead: float) -> None:
    process, outside = pool.members[subject], _outside(pool, tongue)
    if process.block_end_ms > pool.clock[NOW] - TURN_MS:
        _accusations(pool, tongue, subject, alive + suspect)
    exchanges = outside * dead / (pool.setting[0].reconnect_ms / 1000 * max(pool.pace[tongue, LISTED], pool.pace[tongue, FAILED]))
    if process.row == NONE:
        exchanges += dead / pool.pace[tongue, PERIOD_S]
    for _ in range(poisson(pool, exchanges)):
        inc = _wrong_inc(pool, tongue, subject)
        if process.inc > inc:
            plant(pool, tongue, ALIVE, subject, process.inc, subject, below(pool, TURN_MS))
        else:
            _tell(pool, tongue, subject, inc)
    pings = outside * suspect * pool.pace[tongue, PROBES_PER_S] / pool.pace[tongue, LISTED] if pool.setting[0].buddy else 0.0
    for _ in range(poisson(pool, pings)):
        _tell(pool, tongue, subject, _wrong_inc(pool, tongue, subject))


@compiled
def _introduces_itself(pool: Pool, tongue: int, subject: int, unknown: float) -> bool:
    """Its own push/pulls tell of it where it is not known; False when it is everywhere."""
    if unknown < SHARE_MIN or not pool.members[subject].known:
        return False
    for _ in range(poisson(pool, unknown / pool.pace[tongue, PERIOD_S])):
        plant(pool, tongue, ALIVE, subject, pool.members[subject].inc, subject, below(pool, TURN_MS))
    return True


@compiled
def _wrong_inc(pool: Pool, tongue: int, subject: int) -> int:
    """The incarnation at which a random row holds the subject suspect or dead; -1 if no such row is found."""
    for _ in range(TRIES):
        row = random_row(pool, tongue, NONE, 0)
        if row != NONE and state_of(pool, row, subject) >= SUSPECT:
            return inc_of(pool, row, subject)
    return NONE


@compiled
def _tell(pool: Pool, tongue: int, subject: int, inc: int) -> None:
    """The subject hears that it is accused; of an incarnation that it has refuted, it makes nothing."""
    process = pool.members[subject]
    if process.row == NONE:
        accused(pool, subject, inc)
    elif not process.blocked:
        hear_suspect(pool, process.row, subject, inc, _somebody(pool, tongue))


@compiled
def _accusations(pool: Pool, tongue: int, subject: int, holding: float) -> None:
    """Probes of the past second that fail: at a random moment, and noticed at their deadline. A random row knows what the prober knows."""
    if holding <= 0:
        return
    process = pool.members[subject]
    mean = _outside(pool, tongue) * pool.pace[tongue, PROBES_PER_S] / pool.pace[tongue, LISTED]
    for _ in range(poisson(pool, mean)):
        ago_ms = below(pool, TURN_MS)
        at_ms = pool.clock[NOW] - ago_ms
        row = random_row(pool, tongue, NONE, 0)
        if row == NONE or not is_news(pool.heard[row, subject], SUSPECT, process.inc):
            continue
        deadline_ms = at_ms + pool.setting[0].probe_interval_ms * (pool.members[pool.follows[row]].score + 1)
        if _fails(pool, subject, tongue, at_ms, deadline_ms):
            after_ms = max(0, deadline_ms - pool.clock[NOW])
            plant(pool, tongue, SUSPECT, subject, process.inc, _somebody(pool, tongue), after_ms)


@compiled
def _fails(pool: Pool, subject: int, tongue: int, at_ms: int, deadline_ms: int) -> bool:
    """A probe that began then: was the process gone, out of reach, or blocked until after the deadline?"""
    process = pool.members[subject]
    if not process.running:
        return bool(pool.names[subject].ended_ms <= at_ms)
    if not _reaches(pool, tongue, process.group >> 1):
        return True
    return bool(process.blocked_ms <= at_ms and process.block_end_ms > deadline_ms)


@compiled
def _outside(pool: Pool, tongue: int) -> int:
    return int(max(0, pool.tongues[tongue, ALL_MEMBERS] - pool.tongues[tongue, ALL_ROWS]))


@compiled
def _somebody(pool: Pool, tongue: int) -> int:
    """The name of a member of the tongue, most likely one without a row."""
    row = random_row(pool, tongue, NONE, 0)
    if row == NONE:
        return NONE
    for _ in range(16):
        member = pool.order[row, below(pool, pool.rows[row].list_n)]
        if pool.members[member].running and pool.members[member].group >> 1 == tongue:
            return int(member)
    return int(pool.follows[row])


@compiled
def measure(pool: Pool) -> None:
    """The paces of the past second, from steady rows of each tongue if there are any, else from all of its rows."""
    for tongue in range(TONGUES):
        if pool.tongues[tongue, ALL_ROWS] > 0 and not _measure_rows(pool, tongue, HINDERED):
            _measure_rows(pool, tongue, NONE)


@compiled
def _measure_rows(pool: Pool, tongue: int, but: int) -> bool:
    pace, setting = pool.pace[tongue], pool.setting[0]
    probes, packets, size, listed, failed, news, count = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0
    period_ms, limit, queued = 0.0, 0.0, 0.0
    for row in range(len(pool.rows)):
        member = pool.follows[row]
        if member == NONE or not pool.members[member].running:
            continue
        if pool.members[member].group >> 1 != tongue or pool.members[member].group & 1 == but:
            continue
        owner, counts = pool.rows[row], pool.counts[row]
        count += 1
        probes += counts[PINGS] - owner.was_pings
        packets += counts[PACKETS] + owner.packets - owner.was_packets
        size += counts[BYTES] + owner.bytes - owner.was_bytes
        news += owner.queued_id - owner.was_queued_id
        listed += owner.alive_n
        failed += owner.failed_n
        period_ms += pool.tables[owner.list_n, PUSH_PULL_MS]
        limit += pool.tables[owner.list_n, TRANSMISSIONS]
        queued += owner.queued_n
    if count == 0:
        return False
    pace[LISTED], pace[FAILED], pace[PERIOD_S] = max(1.0, listed / count), failed / count, period_ms / count / 1000
    if pool.clock[NOW] > 0:
        pace[PROBES_PER_S] = probes / count
    pace[CONTACTS_PER_S] = setting.gossip_nodes * 1000 / setting.gossip_interval_ms + 2 * pace[PROBES_PER_S]
    room = pace[CONTACTS_PER_S] * (setting.packet_room // (setting.alive_bytes + COMPOUND_MESSAGE_BYTES)) / setting.times
    pace[TRANSMISSIONS_EACH] = max(1.0, min(limit / count, room * count / max(1.0, news)))
    charge = size / max(1.0, packets) + setting.packet_bytes
    pace[QUEUED_EACH] = queued / count
    pace[FILL_MS] = 1000 * setting.socket_bytes / (charge * max(1.0, packets / count))
    return True
