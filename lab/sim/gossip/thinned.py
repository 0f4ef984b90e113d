"""A pool so large that not even all names are held: the followed members know every k-th name, and each stands for k.

The sampled pool (sampled.py) follows few members; each of them still holds all names, and in a storm, when most names are accused all the time, its
cost goes with them. But names are alike: a member is probed once a second by somebody, however many there are. So a pool of N names is taken as k pools of
N' = N / k, whose members probe, accuse and look for each other within their own, while gossip, push/pull and joining carry the news of all. One of
them is followed. Derived; what hangs on the size of the whole has the whole's size:

1. Time-outs, transmissions and the push/pull's period go by the whole list, 1 + k (n - 1) names (layout.py).
2. A rumour spreads among all N members, of whom R are followed (rumours.py), and all N exchange lists (hazards.py).
3. These names have their part of a packet's room, so that the queue waits as long as the whole one (broadcasts.py).
4. A lap over the whole list, after which the dead are forgotten, takes k laps (members.py).
5. A message takes the listener and the handler k times as long, a push/pull its whole list (loop.py, script.py, exchange.py).
6. What is counted is multiplied: members, names, or both (tally.py).

With k = 1 the sampled pool comes out. What it cannot say: what befalls fewer than k names, and which; shares of names are those of a sample of N'.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lab.sim.gossip import script, state
from lab.sim.gossip.layout import Actions, Rules, Size, script_of
from lab.sim.gossip.sampled import FOLLOWED, SampledPool

HOMES = 3
"""The first names are kept, all of them: newcomers join through them, and one of them is the observer. As many as there are servers."""


class ThinnedPool(SampledPool):
    """As `SampledPool`, of one name of every `times`: of the first so many the first, of the next the second and so on.

    So no other order is in step with it. Members have the numbers that they have in the whole pool, and what is counted is the whole's.

    Args:
        size: of the whole pool; `times` is k: more cost less and widen the errors.
        rules: what it goes by.
        chance: where its random numbers come from.
        actions: what is done to members, in any order; to those that are not kept nothing is.
        observers: of the first `homes` members those whose notes are kept.
        followed: as in `SampledPool`.
        homes: so many of the first names are kept, all of them.

    Raises:
        ValueError: as `SampledPool`.
    """

    def __init__(
        self,
        size: Size,
        rules: Rules,
        chance: np.random.Generator,
        actions: Actions = (),
        observers: Sequence[int] = (),
        followed: int = FOLLOWED,
        homes: int = HOMES,
    ) -> None:
        self.times, self.homes = size.times, homes
        self._asked = self._places = np.zeros(0, np.int64)
        kept = Size(self._kept_below(size.members), self._kept_below(size.names), size.samples, size.notes, size.times)
        super().__init__(kept, rules, chance, self._of_kept(actions), observers, followed)
        self.size = size

    def add(self, actions: Actions) -> None:
        """More to be done, to members that are kept."""
        super().add(self._of_kept(actions))

    def mark_anomalous(self, members: Sequence[int]) -> None:
        """As in the other pools, of members that are kept."""
        numbers = np.asarray(members, np.int64)
        super().mark_anomalous([int(place) for place in self.place_of(numbers[self.is_kept(numbers)])])

    def packets_of(self, members: NDArray[np.int64]) -> NDArray[np.float64]:
        """(len(members),) packets in the last whole second; of one that is not kept, those of the one that stands for it."""
        used = int(self.arrays.clock[state.NAMES_USED])
        if not np.array_equal(members, self._asked):
            self._asked, self._places = members.copy(), self.place_of(members)
        each = super().packets_of(np.arange(used))
        return np.asarray(each[np.minimum(self._places, used - 1)], np.float64)

    @property
    def notes(self) -> NDArray[np.int64]:
        """(L, 5) as in the other pools, about members that are kept."""
        notes = super().notes.copy()
        notes[:, 2] = self.number_of(notes[:, 2])
        return notes

    def is_kept(self, members: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Is each of them one of the names that are held?"""
        block, within = np.divmod(members - self.homes, self.times)
        return np.asarray((members < self.homes) | (within == block % self.times))

    def place_of(self, members: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in the arrays each member stands, or the one that stands for it."""
        return np.asarray(np.where(members < self.homes, members, self.homes + (members - self.homes) // self.times), np.int64)

    def number_of(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The members that stand at these places of the arrays."""
        block = places - self.homes
        return np.asarray(np.where(places < self.homes, places, self.homes + block * self.times + block % self.times), np.int64)

    def _kept_below(self, members: int) -> int:
        """How many of the first `members` are kept."""
        blocks, rest = divmod(max(0, members - self.homes), self.times)
        return min(members, self.homes) + blocks + (rest > blocks % self.times)

    def _of_kept(self, actions: Actions) -> NDArray[np.int64]:
        """The part of a script that is about kept members, with their places; who would join through another one joins through the one that stands for it."""
        rows = script_of(actions)
        rows = rows[self.is_kept(rows[:, 2])]
        starts = (rows[:, 1] == script.START) & (rows[:, 3] != state.NONE)
        rows[:, 2] = self.place_of(rows[:, 2])
        rows[starts, 3] = self.place_of(rows[starts, 3])
        return rows
