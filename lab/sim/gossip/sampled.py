"""A pool too large to be held member by member: a sample of its members is followed exactly, the others as rates.

The exact pool (pool.py) takes memory with the square of the names and time with the members. Here R of N members have rows, with all that they hold, and go by
the same rules. They stand for all:

1. What a row sends to a random member is taken by a random row (spread.py): of N random senders or of R, a member hears the same mixture at the same rate.
2. What begins at a member without a row reaches the rows when the first followed member would hear it (rumours.py).
3. What members without a row do alone is drawn each second from rates, by the shares of rows that hold a name alive, suspect, dead or not at all (hazards.py).
4. A member without a row answers as it truly would, refutes what its ear hears (outside.py), and takes over the row of one that ends (follow.py).
5. What is counted is each row's counts times the members it stands for (groups.py, tally.py).

With R = N nothing is left to rates and the exact pool comes out. What it cannot say: shares below 1 / R. A dead name that fewer than one in R still hold alive is
held by no row or by one, so that its return is as frequent on average but in fewer, larger pieces.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lab.sim.gossip import state
from lab.sim.gossip.layout import Actions, Rules, Size
from lab.sim.gossip.pool import GossipPool
from lab.sim.gossip.state import NONE

FOLLOWED = 128
"""Members that are followed. Chosen: shares are then known to 1 / 128, their sampling error is at most 4.4 %; time and memory grow with it."""
NAMES_MAX = 1_000_000
"""Most names of a sampled pool. Chosen: what each name takes without rows is 0.4 kB."""


class SampledPool(GossipPool):
    """As `GossipPool`, of up to a million names.

    Args:
        size: how many members, names, samples and notes.
        rules: what it goes by.
        chance: where its random numbers come from.
        actions: what is done to members, in any order.
        observers: members whose notes are kept; they are followed, beside the sample.
        followed: R, rows in all; more narrow the errors and cost time and memory in proportion.

    Raises:
        ValueError: as `GossipPool`, or no room for a sample beside the observers.
    """

    def __init__(
        self,
        size: Size,
        rules: Rules,
        chance: np.random.Generator,
        actions: Actions = (),
        observers: Sequence[int] = (),
        followed: int = FOLLOWED,
    ) -> None:
        if size.names > NAMES_MAX or len(observers) >= followed:
            raise ValueError(f"{size.names} names (at most {NAMES_MAX}), {len(observers)} observers in {followed} rows")
        self._set_up((size, rules, chance), actions, observers, _drawn(size, chance, observers, followed))

    def total(self, count: str, members: NDArray[np.bool_] | None = None) -> int:
        """Sum of one count over all members, estimated from the rows.

        Raises:
            ValueError: of a mask: single members are not counted. There is `total_of_healthy`.
        """
        if members is not None:
            raise ValueError("a sampled pool counts no single members")
        return round(float(self._pool.sums[:, state.COUNTS.index(count)].sum()))

    def packets_of(self, members: NDArray[np.int64]) -> NDArray[np.float64]:
        """(len(members),) packets in the last whole second: what each followed member sent, of others the mean of the rows of their group."""
        arrays, sent = self._pool, self._packets_by_row()
        rows, groups = arrays.members["row"][members], arrays.members["group"][members]
        held = np.flatnonzero(arrays.follows != NONE)
        group_of = arrays.members["group"][arrays.follows[held]]
        many = np.bincount(group_of, minlength=state.GROUPS)
        mean = np.bincount(group_of, sent[held], state.GROUPS) / np.maximum(many, 1)
        overall = float(sent[held].mean()) if len(held) else 0.0
        return np.asarray(np.where(rows != NONE, sent[rows], np.where(many > 0, mean, overall)[groups]), np.float64)


def _drawn(size: Size, chance: np.random.Generator, observers: Sequence[int], followed: int) -> NDArray[np.int64]:
    """(R,) the observers, a random sample of the other members, then empty rows if there are fewer members."""
    others = np.setdiff1d(np.arange(size.members), observers)
    drawn = chance.choice(others, min(len(others), followed - len(observers)), replace=False)
    follows = np.full(followed, NONE, np.int64)
    follows[: len(observers) + len(drawn)] = np.concatenate([np.array(observers, np.int64), np.sort(drawn)])
    return follows
