"""Rumours that begin at a member nobody follows: when they reach the rows. Of a sampled pool only.

A rumour starts at one member and reaches others at rate r per carrier, so that its carriers are a Yule process: after t, 1 + a geometric number, mean
exp(r t). Each new carrier is followed with probability f = R / N. So the first followed one is reached after t with

    P(T > t) = 1 / (1 + f (exp(r t) - 1)),   drawn as   T = ln(1 + (1 - U) / (U f)) / r,   U uniform in (0, 1].

From then on the rows spread it by the exact rules, each of them standing for N / R carriers. Derived; r = s x (packets a member sends per second), s the
share of members for which the message is news, as only those carry it (memberlist state.go aliveNode, suspectNode, deadNode: what is no news is not
passed on). Where each carrier makes at most one other (T s <= 1, T the times it sends a message, at most memberlist util.go retransmitLimit), the
rumour stays small: it is planted with probability f, so that the number of followed members it reaches is right on average.
"""

import math

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import share
from lab.sim.gossip.groups import share_of
from lab.sim.gossip.state import (
    ALIVE,
    ALL_MEMBERS,
    ALL_ROWS,
    CONTACTS_PER_S,
    HOLD_ALIVE,
    HOLD_ENDED,
    HOLD_SUSPECT,
    NONE,
    NOW,
    RUMOUR_ACCUSER,
    RUMOUR_INC,
    RUMOUR_KIND,
    RUMOUR_SUBJECT,
    RUMOUR_TONGUE,
    RUMOURS_FREE,
    RUMOURS_MADE,
    TRANSMISSIONS_EACH,
    Pool,
)
from lab.sim.gossip.wheel import set_timer


@compiled
def plant(pool: Pool, tongue: int, kind: int, subject: int, inc: int, accuser: int, after_ms: int) -> None:
    """A member of the tongue begins to tell something in `after_ms`; a row hears of it when the first followed member would."""
    members, rows = pool.tongues[tongue, ALL_MEMBERS], pool.tongues[tongue, ALL_ROWS]
    if rows == 0:
        return
    followed = min(1.0, rows / (pool.setting[0].times * members))
    receptive = _receptive(pool, tongue, kind, subject)
    if pool.pace[tongue, TRANSMISSIONS_EACH] * receptive <= 1 and share(pool) >= followed:
        return
    drawn = 1 - share(pool)
    carriers = 1 + (1 - drawn) / (drawn * followed)
    rate_per_ms = max(receptive, 1 / pool.pace[tongue, TRANSMISSIONS_EACH]) * pool.pace[tongue, CONTACTS_PER_S] / 1000
    place = _new_place(pool)
    rumour = pool.rumours[place]
    rumour[RUMOUR_KIND] = kind
    rumour[RUMOUR_SUBJECT] = subject
    rumour[RUMOUR_INC] = inc
    rumour[RUMOUR_ACCUSER] = accuser
    rumour[RUMOUR_TONGUE] = tongue
    set_timer(pool, pool.setting[0].rumours_from + place, pool.clock[NOW] + after_ms + int(math.log(carriers) / rate_per_ms))


@compiled
def _receptive(pool: Pool, tongue: int, kind: int, subject: int) -> float:
    """Share of the tongue's members for which the message is news, as far as the rows show."""
    alive, suspect = share_of(pool, tongue, subject, HOLD_ALIVE), share_of(pool, tongue, subject, HOLD_SUSPECT)
    if kind != ALIVE:
        return alive + suspect
    if pool.members[subject].running:
        return 1.0
    return max(0.0, 1 - alive - suspect - share_of(pool, tongue, subject, HOLD_ENDED))


@compiled
def _new_place(pool: Pool) -> int:
    place = pool.clock[RUMOURS_FREE] - 1
    if place == NONE:
        place = pool.clock[RUMOURS_MADE]
        if place == len(pool.rumours):
            raise ValueError("more rumours on their way than the arrays hold")
        pool.clock[RUMOURS_MADE] = place + 1
        pool.timers[pool.setting[0].rumours_from + place].due_ms = NONE
    else:
        pool.clock[RUMOURS_FREE] = pool.rumours[place, RUMOUR_KIND]
    return int(place)
