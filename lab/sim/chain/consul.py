"""Consul's servers: the leader's reconcile queue, raft, the catalog.

The leader turns each change of a member into one raft write, one after the other: a channel of 256 takes the changes, one that finds it full is
dropped, and a full pass every 60 s finds what was missed. So the loop does at most 1 / commit time changes a second. All writes (the loop's, the
agents' own, those of Vault and of deploys) share raft; with u writes a second and room for c of them

    write latency = commit_ms / (1 - u / c) + backlog / c,     backlog' = u - c where u > c.

A blocking query that is woken takes the servers time too, and everybody waits for it (lab/sim/chain/watches.py). A backlog of more than `LOST_S` seconds
costs the leader its lease; for an election nobody answers.

Sources: consul agent/consul/leader.go@002aea4 and server_serf.go@024b7ae (reconcile, 256, 60 s, serial), agent/ae/ae.go (an agent's own writes),
raft defaults with raft_multiplier 1 (manifests/core/consul-config.yaml): heartbeat and election 1 s.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lab.sim.chain.parameters import Costs
from lab.sim.chain.platform import Change
from lab.sim.chain.watches import Watches

CHANNEL = 256
"""Changes that wait for the leader's loop. Source: leader.go reconcileChSize."""
PASS_EVERY_S = 60
"""Source: consul config ReconcileInterval."""
SCAN_S = 20e-6
"""Work on a member of a full pass that needs no write. Chosen: a look-up in memory."""
OWN_WRITES = 3
"""Writes of an agent that has just joined: node, service, check. Source: physics of anti-entropy, at least 2 to 4."""
CHECK_EVERY_S = 10.0
"""Interval of the pods' own health check, whose first success makes their service pass. Source: manifests/workload/app.yaml."""
LOST_S = 1.5
"""Chosen: heartbeat time-out 1 s and lease 0.5 s."""
ELECTION_S = 2.0
"""Chosen: one to two election time-outs of 1 s."""
COORDINATES_S = 15.0
"""Each agent sends its coordinate this often; servers write at most 128 of them a second, in batches. Source: consul config.go CoordinateUpdatePeriod."""
COORDINATE_BATCH = 128
UTILISATION_MAX = 0.95
"""Chosen: above it the queue's length is the backlog's affair."""


@dataclass(slots=True)
class Servers:
    """The three servers as one, and the catalog.

    Args:
        costs: commit time, room for writes.
        chance: where randomness comes from.
        member: (M,) what gossip says of each pod's agent: passing or not.
        node: (M,) the same as the catalog has it.
        service_s: (M,) from when on the pod's own service passes, in seconds; infinite before it is known.
        known: pods that were ever heard of, by number: all beyond are nothing.
        watches: the pods' blocking queries.
    """

    costs: Costs
    chance: np.random.Generator
    member: NDArray[np.bool_]
    node: NDArray[np.bool_]
    service_s: NDArray[np.float64]
    known: int
    watches: Watches
    waiting: deque[int] = field(default_factory=deque)
    dropped: int = 0
    writes_per_s: float = 0.0
    backlog: float = 0.0
    leaderless_until_s: float = -1.0
    leader_changes: int = 0
    _own: float = 0.0

    @classmethod
    def at_rest(cls, pods: int, names: int, costs: Costs, chance: np.random.Generator, watches: Watches) -> "Servers":
        """All pods' agents and services pass."""
        here = np.arange(names) < pods
        return cls(costs, chance, here.copy(), here.copy(), np.where(here, 0.0, np.inf), pods, watches)

    def step(self, at_s: int, noted: Iterable[tuple[int, str]], changes: Iterable[Change], other_writes: float) -> None:
        """One second: gossip's news (pod, state), what became of pods, and writes that others asked for."""
        self._hear(noted)
        self._services(at_s, changes)
        if self.leaderless(at_s):
            self.writes_per_s = 0.0
        else:
            self._commit(at_s, other_writes)
        self.watches.step(self.passing(at_s))

    def leaderless(self, at_s: float) -> bool:
        """Is there no leader?"""
        return at_s < self.leaderless_until_s

    def wait_ms(self) -> float:
        """What a request waits on top of its usual time."""
        return 1000 * self.backlog / self.costs.raft_writes_per_s + self.watches.wait_ms()

    def write_ms(self, at_s: float) -> float | None:
        """A write to the leader; None: nobody leads."""
        if self.leaderless(at_s):
            return None
        busy = 1 - min(UTILISATION_MAX, self.writes_per_s / self.costs.raft_writes_per_s)
        return self.costs.write_ms / busy * float(self.chance.lognormal(0, self.costs.write_spread)) + self.wait_ms()

    def read_ms(self, at_s: float) -> float | None:
        """A consistent read: the leader asks its quorum, and writes nothing; None: nobody leads."""
        if self.leaderless(at_s):
            return None
        return self.costs.server_read_ms * float(self.chance.lognormal(0, self.costs.server_read_spread)) + self.wait_ms()

    def passing(self, at_s: float) -> NDArray[np.bool_]:
        """(K,) of the pods known by now, those that the catalog calls passing: the node's check and the service's own."""
        return np.asarray(self.node[: self.known] & (self.service_s[: self.known] <= at_s))

    def _commit(self, at_s: int, other_writes: float) -> None:
        loop = self._reconcile(at_s)
        coordinates = min(COORDINATE_BATCH, int(self.member[: self.known].sum()) / COORDINATES_S) / COORDINATE_BATCH
        asked, self._own = loop + self._own + coordinates + other_writes, 0.0
        room = self.costs.raft_writes_per_s
        self.writes_per_s = asked
        self.backlog = max(0.0, self.backlog + asked - room)
        if self.backlog / room > LOST_S:
            self.leaderless_until_s = at_s + ELECTION_S
            self.leader_changes += 1
            self.backlog = 0.0

    def _hear(self, noted: Iterable[tuple[int, str]]) -> None:
        for pod, state in noted:
            if not 0 <= pod < len(self.member):
                continue
            self.known = max(self.known, pod + 1)
            self.member[pod] = state == "alive"
            if len(self.waiting) < CHANNEL:
                self.waiting.append(pod)
            else:
                self.dropped += 1

    def _services(self, at_s: int, changes: Iterable[Change]) -> None:
        """An agent writes itself; its service passes at its first check after the pod runs, and goes when the pod is ended."""
        for change in changes:
            if change.pod is None or change.pod >= len(self.service_s):
                continue
            self.known = max(self.known, change.pod + 1)
            if change.what == "started":
                self._own += OWN_WRITES
            elif change.what == "running":
                self.service_s[change.pod] = at_s + float(self.chance.uniform(0, CHECK_EVERY_S))
            elif change.what in ("stopping", "deleted"):
                self.service_s[change.pod] = np.inf

    def _reconcile(self, at_s: int) -> int:
        """A second of the leader's loop; its writes."""
        left_s, done = 1.0, 0
        if at_s % PASS_EVERY_S == 0:
            left_s -= SCAN_S * self.known
            queued, differ = set(self.waiting), self.member[: self.known] != self.node[: self.known]
            self.waiting.extend(int(pod) for pod in np.flatnonzero(differ) if int(pod) not in queued)
        commit_s = self.costs.write_ms / 1000 + self.wait_ms() / 1000
        while self.waiting and left_s > 1e-9:
            pod = self.waiting.popleft()
            if self.node[pod] != self.member[pod]:
                self.node[pod] = self.member[pod]
                left_s -= commit_s
                done += 1
        return done
