"""A packet of gossip in a sampled pool: where it goes.

A row sends as its member would, to targets drawn from its own list; a packet to a process that has ended is wasted as it would be. What its member sends is
sent by w members like it, where a row stands for W on average. So w / W copies of it, rounded at random, go to rows drawn at random among those that speak the
target's tongue and that the sender would gossip to: then each row gets packets from all kinds of members in their true proportions, at the rate a member gets them. The copies that do not go to
rows go to members without one: what nobody else had told yet becomes a rumour there.
"""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below, poisson, share
from lab.sim.gossip.groups import random_row, weight
from lab.sim.gossip.network import count_packet, deliver
from lab.sim.gossip.outside import TRIES, asleep
from lab.sim.gossip.rumours import plant
from lab.sim.gossip.state import ALL_MEMBERS, ALL_ROWS, DEAD, DROPPED_KEY, FLAGS, MISTAKEN, NONE, SUSPECT, TOLD, Pool
from lab.sim.gossip.views import hears

FULL_SHARE = 0.5
"""Below so many copies a packet a row counts as one that cannot spread news by itself. Chosen: half; observers have 1 / W, rows of small groups about as little."""


@compiled
def spread(pool: Pool, row: int, target: int, payload_bytes: int) -> None:
    """The packet in slot 0 to the target and to those it stands for."""
    setting, sender, receiver = pool.setting[0], pool.members[pool.follows[row]], pool.members[target]
    size = count_packet(pool, 0, row, payload_bytes)
    stands_for = weight(pool, row)
    _tell_for_others(pool, row, stands_for)
    if not receiver.running or (setting.loss > 0 and share(pool) < setting.loss):
        return
    if not (receiver.accepts >> sender.key) & 1:
        pool.sums[receiver.anomalous, DROPPED_KEY] += stands_for
        return
    tongue = receiver.group >> 1
    members, rows = pool.tongues[tongue, ALL_MEMBERS], pool.tongues[tongue, ALL_ROWS]
    if rows == members:
        deliver(pool, 0, receiver.row, size)
        return
    copies = stands_for * rows / (setting.times * members)
    if copies < FULL_SHARE:
        _tell_outside(pool, tongue)
    for _ in range(int(copies + share(pool))):
        taker = _taker(pool, row, tongue)
        if taker != NONE:
            deliver(pool, 0, taker, size)


@compiled
def _taker(pool: Pool, row: int, tongue: int) -> int:
    """A row of the tongue to which this one would gossip; NONE if none is found."""
    for _ in range(TRIES):
        taker = random_row(pool, tongue, row, 0)
        if taker == NONE or hears(pool, row, pool.follows[taker]):
            return taker
    return NONE


@compiled
def _tell_outside(pool: Pool, tongue: int) -> None:
    """What is sent for the first time begins as a rumour among members without a row."""
    for line in range(1, pool.packet_n[0]):
        message = pool.packets[0, line]
        if message[4] == 0:
            plant(pool, tongue, message[0], message[1], message[2], message[3], 0)


@compiled
def _tell_for_others(pool: Pool, row: int, stands_for: float) -> None:
    """A member's own mistaken accusations stand for those of w - 1 others like it, against w - 1 other members.

    What a blocked prober finds depends on when it was blocked, hardly on whom it probed: so each such accusation is told again of others. What the accused
    themselves are to blame for is in the rates of hazards.py. A death on its own word is told again only if nobody else was told of the suspicion; else
    all refuted it.
    """
    member = pool.follows[row]
    for line in range(1, pool.packet_n[0]):
        message = pool.packets[0, line]
        if message[4] == 0 and message[3] == member and message[0] in (SUSPECT, DEAD) and _is_mistaken(pool, row, message[1], message[0]):
            for _ in range(poisson(pool, stands_for / pool.setting[0].times - 1)):
                _accuse_another(pool, row, message[0])


@compiled
def _is_mistaken(pool: Pool, row: int, subject: int, kind: int) -> bool:
    """A suspicion that is told for the first time: by mistake? A death that still names its accuser is, see rules.py."""
    place = pool.pairs[row, subject].suspicion - 1
    if place == NONE or kind != SUSPECT:
        return kind == DEAD
    pool.suspicions[place, FLAGS] |= TOLD
    return bool(pool.suspicions[place, FLAGS] & MISTAKEN)


@compiled
def _accuse_another(pool: Pool, row: int, kind: int) -> None:
    """A member that is not followed accuses one that is drawn from the row's list."""
    length, tongue = pool.rows[row].list_n, pool.members[pool.follows[row]].group >> 1
    subject, accuser = pool.order[row, below(pool, length)], pool.order[row, below(pool, length)]
    if pool.members[subject].running and not asleep(pool, subject):
        plant(pool, tongue, kind, subject, pool.members[subject].inc, accuser, 0)
