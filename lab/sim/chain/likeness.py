"""What an observer notes of agents that the pool does not hold: the same as of those it does, told again of others like them.

A thinned pool (lab/sim/gossip/thinned.py) holds every k-th name. When the observer notes something of one of them, it would note the same of k - 1 others on
average. Whose, the model cannot say: here of agents drawn at random among those in the same state (their process runs, says goodbye or is gone) that the observer
lists as the same. Where there are too few, the rest is noted once there are.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

GONE, LIVES, LEAVING = range(3)
"""What a process does."""


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
        if was != now:
            self.owed[does, was, now] += self.times - 1

    def tell(self, does: NDArray[np.int8], status: NDArray[np.int8]) -> Iterator[tuple[int, int]]:
        """Members and their new status; to be taken over into `status` before the next is asked for.

        Args:
            does: (K,) what the process of each member known by now does.
            status: (K,) what the observer lists it as.
        """
        others = self.others[: len(status)]
        for (doing, was, now), count in sorted(self.owed.items()):
            alike = np.flatnonzero(others & (status == was) & (does == doing))
            told = self.chance.choice(alike, min(count, len(alike)), replace=False)
            self.owed[doing, was, now] -= len(told)
            for member in np.sort(told):
                yield int(member), now
        self.owed = +self.owed
