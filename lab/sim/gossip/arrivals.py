"""A rumour that began at a member nobody follows reaches the rows. Of a sampled pool only."""

from lab.sim.compiled import compiled
from lab.sim.gossip.chance import below
from lab.sim.gossip.groups import random_row
from lab.sim.gossip.network import take
from lab.sim.gossip.state import (
    ALIVE,
    NONE,
    NOW,
    RUMOUR_ACCUSER,
    RUMOUR_INC,
    RUMOUR_KIND,
    RUMOUR_SUBJECT,
    RUMOUR_TONGUE,
    RUMOURS_FREE,
    Pool,
)
from lab.sim.gossip.views import holds, is_news
from lab.sim.gossip.wheel import set_timer

TRIES = 32
"""Rows that are tried to find one for which a rumour is news. Chosen: a share of 5 % is then found in 4 of 5 cases; below it rumours die out."""
AGAIN_MS = 100
"""When all rows are blocked, a rumour waits so long. Chosen: half a gossip interval."""


@compiled
def arrive(pool: Pool, place: int) -> None:
    """The first followed member hears the rumour."""
    rumour = pool.rumours[place]
    tongue, kind, subject, inc = rumour[RUMOUR_TONGUE], rumour[RUMOUR_KIND], rumour[RUMOUR_SUBJECT], rumour[RUMOUR_INC]
    if random_row(pool, tongue, NONE, 1) == NONE:
        set_timer(pool, pool.setting[0].rumours_from + place, pool.clock[NOW] + AGAIN_MS + below(pool, AGAIN_MS))
        return
    row = _receptive_row(pool, tongue, kind, subject, inc)
    if row != NONE:
        take(pool, row, kind, subject, inc, rumour[RUMOUR_ACCUSER])
    rumour[RUMOUR_KIND] = pool.clock[RUMOURS_FREE]
    pool.clock[RUMOURS_FREE] = place + 1


@compiled
def _receptive_row(pool: Pool, tongue: int, kind: int, subject: int, inc: int) -> int:
    """A waking row for which it is news; if one is found soon, one that takes the subject for running, as who refutes tells those it gossips with."""
    found = NONE
    for _ in range(TRIES):
        row = random_row(pool, tongue, NONE, 1)
        if is_news(pool.heard[row, subject], kind, inc):
            if kind != ALIVE or holds(pool, row, subject):
                return row
            found = row
    return found
