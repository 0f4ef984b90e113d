"""Groups of members that are alike, and how many members a row stands for. Of a sampled pool only.

A group is a tongue (a gossip key and the keys that are accepted) and whether its members are steady or hindered (blocked windows, a slow handler). Group g
has N_g members, R_g of them followed; a row of it stands for w = N_g / R_g members. The share of a tongue's members that hold a view of a name is
estimated as sum over its groups of N_g x (rows that hold it / R_g), over the sum of N_g: a stratified sample, see W. G. Cochran, Sampling Techniques
(1977), 5.3. Observers are followed for what they see; they are outside the sample and stand for themselves.
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below
from lab.sim.gossip.state import (
    ABSENT,
    ACCEPTS,
    ALIVE,
    ALL_MEMBERS,
    ALL_ROWS,
    HINDERED,
    HOLD_ALIVE,
    HOLD_ENDED,
    HOLD_SUSPECT,
    KEY,
    MEMBERS_N,
    NONE,
    NOW,
    PACES,
    ROWS_N,
    STATE_BITS,
    STEADY,
    SUSPECT,
    TONGUES,
    Pool,
)

CALM_MS = 60_000
"""A member counts as hindered until so long after its last blocked window. Chosen: its health score needs 8 probes to recover and its suspicions up
to a minute to run out; longer mixes what has recovered with what has not."""


@compiled
def tongue_of(pool: Pool, key: int, accepts: int) -> int:
    """Number of a tongue; one that nobody speaks any more makes room for a new one.

    Raises:
        ValueError: more tongues at once than TONGUES.
    """
    free = NONE
    for tongue in range(TONGUES):
        entry = pool.tongues[tongue]
        if entry[ALL_MEMBERS] == 0:
            free = tongue if free == NONE else free
        elif entry[KEY] == key and entry[ACCEPTS] == accepts:
            return tongue
    if free == NONE:
        raise ValueError("more gossip keys at once than the groups hold")
    _take_over_paces(pool, free)
    pool.tongues[free, KEY] = key
    pool.tongues[free, ACCEPTS] = accepts
    return free


@compiled
def _take_over_paces(pool: Pool, tongue: int) -> None:
    """Until it is measured itself, a new tongue has the paces of the largest."""
    largest = 0
    for other in range(TONGUES):
        if pool.tongues[other, ALL_MEMBERS] > pool.tongues[largest, ALL_MEMBERS]:
            largest = other
    for number in range(PACES):
        pool.pace[tongue, number] = pool.pace[largest, number]


@compiled
def _group_of(pool: Pool, member: int) -> int:
    process = pool.members[member]
    recently = process.hindered_ms != NONE and pool.clock[NOW] - process.hindered_ms < CALM_MS
    hindered = process.anomalous != 0 or process.rate > 0 or recently
    return 2 * tongue_of(pool, process.key, process.accepts) + (HINDERED if hindered else STEADY)


@compiled
def enter_group(pool: Pool, member: int) -> None:
    """A member that runs now, or has changed, counts where it belongs; so does its row."""
    pool.members[member].group = _group_of(pool, member)
    _count_member(pool, member, 1)
    row = pool.members[member].row
    if row != NONE:
        enter_row(pool, row)


@compiled
def leave_group(pool: Pool, member: int) -> None:
    """The reverse of `enter_group`."""
    row = pool.members[member].row
    if row != NONE:
        leave_row(pool, row)
    _count_member(pool, member, -1)


@compiled
def regroup(pool: Pool, member: int) -> bool:
    """Move a running member to where it belongs by now; True if it moved."""
    if pool.members[member].group == _group_of(pool, member):
        return False
    leave_group(pool, member)
    enter_group(pool, member)
    return True


@compiled
def _count_member(pool: Pool, member: int, sign: int) -> None:
    group = pool.members[member].group
    pool.tongues[group >> 1, ALL_MEMBERS] += sign
    if not pool.members[member].observer:
        pool.groups[group, MEMBERS_N] += sign


@compiled
def enter_row(pool: Pool, row: int) -> None:
    """The row counts in the group of the member it follows, with all it holds."""
    _count_row(pool, row, 1)


@compiled
def leave_row(pool: Pool, row: int) -> None:
    """The reverse of `enter_row`."""
    _count_row(pool, row, -1)


@compiled
def _count_row(pool: Pool, row: int, sign: int) -> None:
    process = pool.members[pool.follows[row]]
    pool.tongues[process.group >> 1, ALL_ROWS] += sign
    if process.observer:
        return
    pool.groups[process.group, ROWS_N] += sign
    for place in range(pool.rows[row].list_n):
        subject = pool.order[row, place]
        pool.held[subject, process.group, _column(pool.heard[row, subject] & STATE_BITS)] += sign


@compiled
def _column(state: int) -> int:
    if state == ALIVE:
        return HOLD_ALIVE
    return HOLD_SUSPECT if state == SUSPECT else HOLD_ENDED


@compiled
def count_view(pool: Pool, row: int, subject: int, was: int, state: int) -> None:
    """A row's view of a name has changed."""
    process = pool.members[pool.follows[row]]
    if process.observer or was == state:
        return
    if was != ABSENT:
        pool.held[subject, process.group, _column(was)] -= 1
    if state != ABSENT:
        pool.held[subject, process.group, _column(state)] += 1


@compiled
def share_of(pool: Pool, tongue: int, subject: int, column: int) -> float:
    """Share of a tongue's members that hold a view of the subject, from the rows that do."""
    holding, members = 0.0, 0
    for group in range(2 * tongue, 2 * tongue + 2):
        count, rows = pool.groups[group, MEMBERS_N], pool.groups[group, ROWS_N]
        members += count
        if rows > 0:
            holding += count * pool.held[subject, group, column] / rows
    return holding / members if members > 0 else 0.0


@compiled
def weight(pool: Pool, row: int) -> float:
    """How many members of the whole pool the row stands for; 1 in an exact pool."""
    process = pool.members[pool.follows[row]]
    if not pool.setting[0].sampled or process.observer:
        return 1.0
    return float(pool.setting[0].times * pool.groups[process.group, MEMBERS_N] / max(1, pool.groups[process.group, ROWS_N]))


@compiled
def random_row(pool: Pool, tongue: int, but: int, awake: int) -> int:
    """A row of a member that has joined and speaks the tongue, not row `but`; with `awake`, of one that is not blocked. NONE if there is none."""
    total = len(pool.rows)
    for _ in range(2 * total):
        row = below(pool, total)
        if row != but and fits(pool, row, tongue, awake):
            return row
    first = below(pool, total)
    for step in range(total):
        row = (first + step) % total
        if row != but and fits(pool, row, tongue, awake):
            return row
    return NONE


@compiled
def fits(pool: Pool, row: int, tongue: int, awake: int) -> bool:
    """Does the row belong to a member that has joined, speaks the tongue and, with `awake`, is not blocked?"""
    member = pool.follows[row]
    if member == NONE:
        return False
    process = pool.members[member]
    return bool(process.running and process.known and process.group >> 1 == tongue and not (awake and process.blocked))
