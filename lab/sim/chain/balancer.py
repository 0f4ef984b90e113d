"""The load balancer: its configuration is made from Consul's catalog, and its backends are the pods that the catalog calls passing.

A change of the catalog wakes consul-template, which waits until nothing has changed for 1 s, but no longer than 3 s, and then loads what the catalog
holds at that moment. While Consul has no leader, or answers later than a query may take, nothing is loaded: the configuration grows old and serves
on. Age = time since the loaded backends were last those of the catalog.

Sources: manifests/core/balancer-config.yaml (wait 1 s to 3 s), consul-template config (block_query_wait 60 s, retries without jitter).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.sim.chain.consul import Servers

QUIET_S, QUIET_MAX_S = 1, 3
QUERY_TIMEOUT_MS = 5_000.0
"""Chosen: as the time-out of the lab's own questions to the catalog."""


@dataclass(slots=True)
class Balancer:
    """The balancer.

    Args:
        loaded: (K,) of the pods known when it last looked, those that are its backends.
        alike_s: when they were last those of the catalog.
        reached_s: when the template last got an answer from Consul.
        renders: configurations made so far.
        differs: backends that only one side has.
    """

    loaded: NDArray[np.bool_]
    alike_s: float = 0.0
    reached_s: float = 0.0
    renders: int = 1
    differs: int = 0
    _seen: NDArray[np.bool_] | None = None
    _first_s: float | None = None
    _last_s: float = 0.0

    def step(self, at_s: int, servers: Servers) -> None:
        """One second of the template."""
        passing = servers.passing(at_s)
        self.loaded = _of_all(self.loaded, len(passing))
        self._seen = None if self._seen is None else _of_all(self._seen, len(passing))
        if not self._reachable(at_s, servers):
            self.differs = int((passing ^ self.loaded).sum())
            return
        self.reached_s = at_s
        if self._seen is None or not np.array_equal(passing, self._seen):
            self._first_s = at_s if self._first_s is None and self._seen is not None else self._first_s
            self._last_s, self._seen = at_s, passing
        if self._first_s is not None and (at_s - self._last_s >= QUIET_S or at_s - self._first_s >= QUIET_MAX_S):
            self.loaded, self._first_s = passing.copy(), None
            self.renders += 1
        self.differs = int((passing ^ self.loaded).sum())
        if self.differs == 0:
            self.alike_s = at_s

    def live(self, answering: NDArray[np.bool_]) -> int:
        """Backends whose pod answers."""
        return int((self.loaded & answering).sum())

    @staticmethod
    def _reachable(at_s: int, servers: Servers) -> bool:
        read_ms = servers.read_ms(at_s)
        return read_ms is not None and read_ms <= QUERY_TIMEOUT_MS


def _of_all(flags: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """The same with more pods, of which none was known before."""
    return flags if len(flags) == count else np.concatenate([flags, np.zeros(count - len(flags), bool)])
