"""All workload pods as arrays: where each is in its life, and the log lines that it has written and not shipped."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FREE, PENDING, CREATING, STARTING, RUNNING, EVICTED, STOPPING, REMOVING = range(8)
"""States. FREE: the row holds no pod. CREATING: the kubelet makes its containers. STARTING: they run and are not ready yet. EVICTED: deleted in the
API while its containers run on. STOPPING: its kubelet knows that, and sets out to end them. REMOVING: they have ended and are taken away."""
STATES = 8
NOWHERE = -1
GROWTH = 64
"""Rows added at least when all are taken. Chosen."""


def _ints() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _floats() -> NDArray[np.float64]:
    return np.zeros(0, np.float64)


@dataclass(slots=True)
class Pods:
    """(P,) arrays, one row a pod; rows of pods that are gone are used again.

    Args:
        number: counts up over all pods that ever were; also the agent's name.
        state: see above; changed by `put` alone, as what `of` found is kept until then.
        node: index of its node, or NOWHERE.
        to_do_s: core seconds of the system's work left for its containers to exist, or to be gone.
        to_start_s: core seconds of its own work left until it is ready.
        backlog: log lines written and not shipped.
        made: pods so far.
    """

    number: NDArray[np.int64] = field(default_factory=_ints)
    state: NDArray[np.int64] = field(default_factory=_ints)
    node: NDArray[np.int64] = field(default_factory=_ints)
    to_do_s: NDArray[np.float64] = field(default_factory=_floats)
    to_start_s: NDArray[np.float64] = field(default_factory=_floats)
    backlog: NDArray[np.float64] = field(default_factory=_floats)
    made: int = 0
    _found: dict[tuple[int, ...], NDArray[np.int64]] = field(default_factory=dict)

    def put(self, rows: NDArray[np.int64] | int, state: int) -> None:
        """Pods change their state."""
        self.state[rows] = state
        self._found.clear()

    def add(self, count: int) -> NDArray[np.int64]:
        """Rows of `count` new pods that wait for a node, in the order of their numbers."""
        free = np.flatnonzero(self.state == FREE)
        if len(free) < count:
            self._grow(max(GROWTH, count - len(free), len(self.state) // 2))
            free = np.flatnonzero(self.state == FREE)
        rows = free[:count]
        self.number[rows] = np.arange(self.made, self.made + count)
        self.made += count
        self.put(rows, PENDING)
        self.node[rows] = NOWHERE
        self.to_do_s[rows] = self.to_start_s[rows] = self.backlog[rows] = 0.0
        return rows

    def of(self, *states: int) -> NDArray[np.int64]:
        """Rows of pods in one of the states, by number; not to be written to."""
        if states not in self._found:
            rows = np.flatnonzero(self._is(states))
            numbers = self.number[rows]
            self._found[states] = rows if (numbers[1:] > numbers[:-1]).all() else rows[np.argsort(numbers, kind="stable")]
        return self._found[states]

    def count(self, *states: int) -> int:
        """How many are in one of the states."""
        return len(self.of(*states))

    def _is(self, states: tuple[int, ...]) -> NDArray[np.bool_]:
        wanted = np.zeros(STATES, bool)
        wanted[list(states)] = True
        return wanted[self.state]

    def _grow(self, by: int) -> None:
        for name in ("number", "state", "node"):
            setattr(self, name, np.concatenate([getattr(self, name), np.zeros(by, np.int64)]))
        for name in ("to_do_s", "to_start_s", "backlog"):
            setattr(self, name, np.concatenate([getattr(self, name), np.zeros(by, np.float64)]))
