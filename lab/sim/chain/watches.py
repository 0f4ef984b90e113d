"""Blocking queries: what it costs Consul's servers to wake everybody who watches a service.

Each pod keeps some queries for its service; a change of one instance wakes all of them, and each takes the servers a seconds of CPU to answer. One that
waits for its answer is not woken a second time: it gets the newest. With w queries on a service, W on all, n changes in a second and r cores of the core
node beyond what it takes at rest

    waiting' = min(W, waiting + n w) - r / a,     wait of all who ask = waiting * a / r.

Sources: Consul's API, "Blocking Queries"; manifests/factors/watchers. What it leaves out: agents on full nodes ask again later than at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.sim.chain.parameters import Costs

ROOM_MIN_CORES = 0.01
"""Chosen: a core node whose cap is below its use at rest is out of steady state on containers; here it is slow."""


@dataclass(slots=True)
class Watches:
    """All queries.

    Args:
        each: on one service.
        total: on all services; as many times `each` as there are times the pods of the experiment.
        answers_per_s: most that the servers answer.
        waiting: woken, and not answered yet.
    """

    each: int
    total: int
    answers_per_s: float
    waiting: float = 0.0
    _passing: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, each: int, times: float, core_cap_cores: float, costs: Costs) -> "Watches":
        """The core node grows with the pods, as app nodes do in number."""
        room = max(ROOM_MIN_CORES, core_cap_cores - costs.core_cores)
        return cls(each, round(times * each), times * room / costs.watch_answer_s)

    def step(self, passing: NDArray[np.bool_]) -> None:
        """One second: (K,) of the pods known by now, those that the catalog calls passing."""
        if not self.each:
            return
        before = passing if self._passing is None else self._passing
        self._passing = passing.copy()
        changed = int((passing[: len(before)] ^ before).sum()) + int(passing[len(before) :].sum())
        self.waiting = max(0.0, min(self.total, self.waiting + changed * self.each) - self.answers_per_s)

    def wait_ms(self) -> float:
        """What a request waits on top of its usual time."""
        return 1000 * self.waiting / self.answers_per_s
