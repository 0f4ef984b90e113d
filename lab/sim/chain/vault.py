"""Vault, whose lock is a session in Consul: who leads, who sealed itself, and what a login takes.

The leader's session has a TTL of 15 s and is renewed every 7.5 s; Consul ends it after twice the TTL without a renewal, or at once when the node that
it belongs to fails in gossip (its checks hold `serfHealth`). Then nobody may take the lock for the lock delay of 15 s; the standby tries again every
lock wait. Taking over means to restore all leases: a storage error in that makes Vault seal itself, by design.

Sources: vault physical/consul/consul.go@0052d02 (TTL 15 s, lock wait 15 s), api/lock.go renewSession (TTL / 2), consul SessionTTLMultiplier 2, lock
delay 15 s; vault issues #2949 (fail-over 32 to 33 s), #8155 (sealing on a storage error), #10463 (flaps with serfHealth).
"""

from dataclasses import dataclass, field

import numpy as np

from lab.sim.chain.consul import Servers
from lab.sim.chain.parameters import Costs

INSTANCES = ("vault-0", "vault-1")
ACTIVE, STANDBY, SEALED = 200, 429, 503
"""Statuses of /v1/sys/health. Source: vault http/sys_health.go."""
TTL_S = 15.0
RENEW_EVERY_S = TTL_S / 2
EXPIRES_S = 2 * TTL_S
LOCK_DELAY_S = 15.0
RESTORE_S = 2.0
"""Chosen: a lab's Vault holds a few leases; fail-over then takes the lock delay and little more."""
RENEW_TIMEOUT_MS = 7_500.0
"""A renewal that takes longer than to the next one is none. Chosen."""
LOGIN_WRITES = 10
"""Writes to Consul of one login. Source: lab/probes/vault.py."""
LOGIN_TIMEOUT_MS = 10_000.0


@dataclass(slots=True)
class Vault:
    """Two instances.

    Args:
        costs: of a login.
        chance: where randomness comes from.
        leader: index of the instance that leads; None: nobody does.
        sealed: indices of those that sealed themselves.
        renewed_s: when the session was last renewed.
        free_from_s: when the lock may be taken next.
        restoring_until_s: a take-over is under way until then.
        lost: how often leadership was lost.
    """

    costs: Costs
    chance: np.random.Generator
    leader: int | None = 0
    sealed: set[int] = field(default_factory=set)
    renewed_s: float = 0.0
    free_from_s: float = 0.0
    restoring_until_s: float = 0.0
    lost: int = 0
    _next: int | None = None

    def step(self, at_s: int, servers: Servers, *, owner_failed: bool) -> float:
        """One second; the writes to Consul that it costs.

        Args:
            at_s: run clock.
            servers: where session and storage are.
            owner_failed: gossip has just declared the node failed that the session belongs to.
        """
        if self._next is not None:
            self._take_over(at_s, servers)
        elif self.leader is None:
            self._try_lock(at_s, servers)
        elif owner_failed or at_s - self.renewed_s > EXPIRES_S:
            self._lose(at_s)
        elif at_s - self.renewed_s >= RENEW_EVERY_S:
            took_ms = servers.write_ms(at_s)
            if took_ms is not None and took_ms <= RENEW_TIMEOUT_MS:
                self.renewed_s = at_s
                return 1.0
        return 0.0

    def health(self, at_s: float, servers: Servers) -> list[float | None]:
        """Status of each instance; None: it does not answer, as without a leader of Consul."""
        return [self._status(number) if number in self.sealed or not servers.leaderless(at_s) else None for number in range(len(INSTANCES))]

    def login_ms(self, at_s: float, servers: Servers) -> float | None:
        """A login: its own work, and its writes one after the other; None: it failed or timed out."""
        writes = [servers.write_ms(at_s) for _ in range(LOGIN_WRITES)]
        if self.leader is None or any(write is None for write in writes):
            return None
        took_ms = self.costs.login_ms + sum(write for write in writes if write is not None)
        return took_ms if took_ms <= LOGIN_TIMEOUT_MS else None

    def _status(self, number: int) -> float:
        return SEALED if number in self.sealed else ACTIVE if number == self.leader else STANDBY

    def _lose(self, at_s: int) -> None:
        self.leader = None
        self.free_from_s = at_s + LOCK_DELAY_S
        self.lost += 1

    def _try_lock(self, at_s: int, servers: Servers) -> None:
        """Whoever is open and comes first; chance says who."""
        open_ones = [number for number in range(len(INSTANCES)) if number not in self.sealed]
        if at_s >= self.free_from_s and open_ones and not servers.leaderless(at_s):
            self._next = open_ones[int(self.chance.integers(len(open_ones)))]
            self.restoring_until_s = at_s + RESTORE_S

    def _take_over(self, at_s: int, servers: Servers) -> None:
        took_ms = servers.write_ms(at_s)
        if took_ms is None or took_ms > LOGIN_TIMEOUT_MS:
            self.sealed.add(int(self._next or 0))
            self._next = None
        elif at_s >= self.restoring_until_s:
            self.leader, self.renewed_s, self._next = self._next, float(at_s), None
