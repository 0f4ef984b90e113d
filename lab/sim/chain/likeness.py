"""What an observer notes of agents that the pool does not hold, from what it notes of those that it does.

A thinned pool (lab/sim/gossip/thinned.py) holds every k-th name. When the observer takes one of them for what it is not, or hears of it for the first time, or
that it left, it does so with k - 1 others on average. Whose, the model cannot say: here of agents drawn at random among those in the same state (their process
runs, says goodbye or is gone) that the observer lists as the same. Where there are too few, the rest is noted once there are.

When it takes one for what it is again, others follow until no larger share of them is listed wrongly than of those that are held. This goes by shares, as a
process may end or begin in between, and who was wrong by then may have become right by it.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lab.sim.gossip import state

GONE, LIVES, LEAVING = range(3)
"""What a process does."""
TRUER = ((LIVES, state.DEAD, state.ALIVE), (GONE, state.ALIVE, state.DEAD))
"""Changes of status to what is the case."""


@dataclass(slots=True)
class Likeness:
    """Notes of members that are not kept.

    Args:
        times: k, members that each kept one stands for.
        others: (M,) members that are not kept.
        chance: where randomness comes from.
        owed: notes that found nobody, by what the process does, the status before and after.
    """

    times: int
    others: NDArray[np.bool_]
    chance: np.random.Generator
    owed: Counter[tuple[int, int, int]] = field(default_factory=Counter)

    def noted(self, does: int, was: int, now: int) -> None:
        """A kept member in this state changed its status at the observer."""
        if was != now and (does, was, now) not in TRUER:
            self.owed[does, was, now] += self.times - 1

    def tell(self, does: NDArray[np.int8], status: NDArray[np.int8]) -> Iterator[tuple[int, int]]:
        """Members and their new status; to be taken over into `status` before the next is asked for.

        Args:
            does: (K,) what the process of each member known by now does.
            status: (K,) what the observer lists it as.
        """
        others = self.others[: len(status)]
        for (doing, was, now), count in sorted(self.owed.items()):
            told = self._some(others & (status == was) & (does == doing), count)
            self.owed[doing, was, now] -= len(told)
            yield from ((int(member), now) for member in told)
        self.owed = +self.owed
        for doing, wrong, right in TRUER:
            wrongly, alike = (status == wrong) & (does == doing), does == doing
            if not (wrongly & others).any():
                continue
            share = int((wrongly & ~others).sum()) / max(1, int((alike & ~others).sum()))
            surplus = int((wrongly & others).sum()) - math.ceil(share * int((alike & others).sum()))
            yield from ((int(member), right) for member in self._some(wrongly & others, max(0, surplus)))

    def _some(self, among: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
        """So many of them at random, or all if there are fewer, by number."""
        places = np.flatnonzero(among)
        return np.sort(self.chance.choice(places, min(count, len(places)), replace=False)) if count and len(places) else places[:0]
