"""The kubelet's loops: renewing the lease, posting the status. Each waits for its period and then makes its calls, and only then waits again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Loop:
    """One loop of every kubelet. The time between two of its ends is the period and the calls; a call takes

        call_s x (1 / share - 1) x L,

    with the share of its need that the kubelet gets, and L log-normal with median 1: no time on a node with CPU to spare, and `call_s` on one that
    gives it half. A call that takes longer than its time-out is made again from the start. The law of L is empirical; the rest is the kubelet's code.

    Args:
        period_s: between an end and the next begin.
        timeout_s: of a call.
        left_s: (N,) seconds until the call begins.
        owed: (N,) what is left of the call under way, in units of call_s x (1 / share - 1).
        tried_s: (N,) how long it is under way.

    Sources: kubernetes pkg/kubelet/kubelet.go (syncNodeStatus) and component-helpers/apimachinery/lease/controller.go (sync): wait.JitterUntil, sliding;
    cmd/kubelet/app/server.go: the heartbeat client's time-out is nodeStatusUpdateFrequency.
    """

    period_s: float
    timeout_s: float
    left_s: Floats
    owed: Floats
    tried_s: Floats

    @classmethod
    def at_rest(cls, count: int, period_s: float, timeout_s: float, chance: np.random.Generator) -> "Loop":
        """Anywhere between two calls."""
        return cls(period_s, timeout_s, chance.uniform(0, period_s, count), np.ones(count), np.zeros(count))

    def step(self, share: Floats, call_s: float, spread: float, chance: np.random.Generator) -> NDArray[np.int64]:
        """One second; the nodes whose calls ended in it.

        Args:
            share: (N,) in (0, 1].
            call_s: median time of the calls at half share.
            spread: of L.
            chance: where randomness comes from.
        """
        waited_s = np.minimum(self.left_s, 1.0)
        self.left_s -= waited_s
        needed_s = self.owed * call_s * (1.0 / share - 1.0)
        spare_s = 1.0 - waited_s
        ended = (self.left_s <= 1e-9) & (needed_s <= spare_s)
        done = np.divide(spare_s, needed_s, out=np.ones(len(share)), where=needed_s > spare_s)
        self.owed -= self.owed * np.where(ended, 0.0, done)
        self.tried_s += spare_s
        rows, late = np.flatnonzero(ended), np.flatnonzero(~ended & (self.tried_s >= self.timeout_s - 1e-9))
        self.left_s[rows] = np.maximum(0.0, self.period_s - (spare_s - needed_s)[rows])
        anew = np.concatenate([rows, late])
        self.owed[anew] = chance.lognormal(0, spread, len(anew))
        self.tried_s[anew] = 0.0
        return rows
