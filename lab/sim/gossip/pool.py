"""A gossip pool to be run: rules and members in, counts, samples and notes of observers out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lab.sim import formulas
from lab.sim.constants import INDIRECT_NODES_MAX, TIMEOUT_SCALE_MAX
from lab.sim.gossip import state
from lab.sim.gossip.handle import handle
from lab.sim.gossip.layout import Action, Actions, Rules, Size, allocate, script_of
from lab.sim.gossip.loop import run_until
from lab.sim.gossip.script import acquaint, mark
from lab.sim.gossip.state import NONE, Pool

__all__ = ["Action", "Actions", "GossipPool", "Rules", "Size"]

NAMES_MAX = 8_000
"""Most names of an exact pool. Chosen: a pair of names takes up to 70 bytes, so these take 4.5 GB."""


class GossipPool:
    """A pool of members that know each other at time 0.

    Args:
        size: how many members, names, samples and notes.
        rules: what it goes by.
        chance: where its random numbers come from; one draw is taken.
        actions: what is done to members, in any order.
        observers: members whose notes are kept.

    Raises:
        ValueError: more names than NAMES_MAX, fewer names than members, or rules that the arrays cannot hold.
    """

    def __init__(self, size: Size, rules: Rules, chance: np.random.Generator, actions: Actions = (), observers: Sequence[int] = ()) -> None:
        if size.names > NAMES_MAX:
            raise ValueError(f"{size.names} names are more than an exact pool holds ({NAMES_MAX}); sampled.py holds more")
        self._set_up((size, rules, chance), actions, observers, None)

    def _set_up(
        self,
        inputs: tuple[Size, Rules, np.random.Generator],
        actions: Actions,
        observers: Sequence[int],
        followed: NDArray[np.int64] | None,
    ) -> None:
        """Make the arrays, and let the first members run. `followed`: (R,) whose rows there are; None: each name has its own."""
        size, rules, chance = inputs
        _check(size, rules)
        self.size, self.rules = size, rules
        self._pool = allocate(size, rules, chance, followed, script_of(actions))
        for observer in observers:
            self._pool.members[observer]["observer"] = 1
        self._handle = handle(self._pool)
        acquaint(self._handle, size.members)

    def run(self, until_s: float) -> None:
        """Go on to `until_s` of simulated time."""
        run_until(self._handle, round(until_s * 1000))

    def add(self, actions: Actions) -> None:
        """More to be done, at or after the pool's time; what was planned before and is not done yet stays."""
        rest = self._pool.script[self._pool.clock[state.SCRIPT_AT] :]
        rows = np.concatenate([rest, script_of(actions)])
        self._pool = self._pool._replace(script=rows[np.argsort(rows[:, 0], kind="stable")])
        self._pool.clock[state.SCRIPT_AT] = 0
        self._handle = handle(self._pool)

    def mark_anomalous(self, members: Sequence[int]) -> None:
        """Failures of these members are true, and what they note themselves is not counted as seen by the healthy."""
        for member in members:
            mark(self._handle, member)

    @property
    def arrays(self) -> Pool:
        """The state itself, for tests and for what is not offered here."""
        return self._pool

    @property
    def counts(self) -> NDArray[np.int64]:
        """(M, len(COUNTS)) what each member counted."""
        return self._pool.counts

    @property
    def samples(self) -> NDArray[np.float64]:
        """(T, 1 + len(SAMPLES)) seconds and sums over running members."""
        return self._pool.samples[: self._pool.clock[state.SAMPLED]]

    @property
    def notes(self) -> NDArray[np.int64]:
        """(L, 5) ms, observer, subject, event, own or gossiped; in order of time."""
        return self._pool.log[: self._pool.clock[state.LOG_N]]

    def total(self, count: str, members: NDArray[np.bool_] | None = None) -> int:
        """Sum of one count over all members, or over those of a mask."""
        column = self._pool.counts[:, state.COUNTS.index(count)]
        return int(column.sum() if members is None else column[members].sum())

    def total_of_healthy(self, count: str) -> int:
        """Sum of one count over all members that are not anomalous."""
        return round(float(self._pool.sums[0, state.COUNTS.index(count)]))

    def packets_of(self, members: NDArray[np.int64]) -> NDArray[np.float64]:
        """(len(members),) packets that each of the members sent in the last whole second, to be asked at its end."""
        return self._packets_by_row()[members]

    def score_of(self, member: int) -> int:
        """Health score of a member, 0 (well) to 7; of an observer if only some are followed."""
        return int(self._pool.members["score"][member])

    def seen_by(self, observer: int) -> NDArray[np.int8]:
        """(M,) what serf at an observer lists each name as: 0 not at all, else ALIVE, DEAD or LEFT of state.py.

        Raises:
            ValueError: nobody follows that member.
        """
        row = int(self._pool.members["row"][observer])
        if row == NONE:
            raise ValueError(f"member {observer} is not followed; name it among the observers")
        seen: NDArray[np.int8] = self._pool.pairs["serf"][row]
        return seen

    @property
    def states(self) -> NDArray[np.int32]:
        """(R, M) each row's view of each name, ABSENT to LEFT of state.py."""
        states: NDArray[np.int32] = self._pool.heard & state.STATE_BITS
        return states

    @property
    def running(self) -> NDArray[np.bool_]:
        """(M,) whether each name's process runs."""
        runs: NDArray[np.bool_] = self._pool.members["running"] == 1
        return runs

    def _packets_by_row(self) -> NDArray[np.float64]:
        return np.asarray(self._pool.counts[:, state.PACKETS] - self._pool.rows["was_packets"], np.float64)

    def detection_s(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(D,) seconds from each end of a process until its first failure was noted, and until nobody running held it alive; NaN: not yet."""
        names = self._pool.names
        ended = names[(names["ended_ms"] != NONE) & (names["left"] == 0)]
        first, last = (
            np.where(ended[of] == NONE, np.nan, ended[of] - ended["ended_ms"]) / 1000 for of in ("first_failed_ms", "all_failed_ms")
        )
        return first, last


def _check(size: Size, rules: Rules) -> None:
    if not 1 <= size.members <= size.names:
        raise ValueError(f"{size.members} members of {size.names} names")
    dials, names = rules.dials, size.times * size.names
    longest_ms = dials.suspicion_max_mult * formulas.suspicion_timeout_ms(names, dials.probe_interval_ms, dials.suspicion_mult)
    period_ms = formulas.push_pull_interval_ms(names, dials.push_pull_ms)
    if (
        max(longest_ms, period_ms + dials.push_pull_ms, dials.probe_interval_ms * TIMEOUT_SCALE_MAX) >= state.WHEEL_MS
        or dials.relays > INDIRECT_NODES_MAX
        or dials.gossip_nodes > state.CHOSEN_MAX
    ):
        raise ValueError(
            f"a suspicion of {longest_ms} ms, {dials.relays} relays or {dials.gossip_nodes} packets a round do not fit the arrays"
        )
    if formulas.retransmit_limit(names, dials.retransmit_mult) >= state.LEVELS:
        raise ValueError("too many transmissions for the queue's lists")
    if rules.wire.alive_bytes < rules.wire.accusation_bytes:
        raise ValueError("an alive message is at least as long as a suspicion: it carries more")
