"""The Consul agents of the pods in one gossip pool with three servers: full nodes become blocked windows, evicted pods leave or die.

What is known of the pool is what one observer, the first server, noted: the same that the lab's probe reads from a real server.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lab.sim.chain.parameters import Costs
from lab.sim.chain.platform import Change, Platform
from lab.sim.chain.pods import EVICTED, RUNNING, STARTING, STOPPING
from lab.sim.gossip import script, state
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size

SERVERS = 3
STATE_NAMES = {state.ALIVE: "alive", state.DEAD: "failed", state.LEFT: "left"}
NAMES_MAX = 6_000
"""Most names in an exact pool. Chosen: 56 bytes for each pair of them make 1.9 GiB."""
LAP_S = 22.0
"""Shortest time in which a pod is lost and replaced: grace 12 s and toleration 10 s."""
NOTES_PER_NAME = 200
"""Room for what the observer notes. Chosen: in a cascade it notes a member some ten times."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The pool as the observer lists it. `wrongly`: listed as failed while the process runs; `score`: the observer's own health."""

    alive: int
    failed: int
    left: int
    wrongly: int
    score: float


@dataclass(slots=True)
class Agents:
    """Agent of pod k is member SERVERS + k. Pods beyond the pool's names have an agent that is not followed.

    Args:
        pool: exact, or an approximation with the same words.
        costs: for the turns of agents on full nodes.
        chance: where randomness comes from.
        status: (M,) what the observer holds each member for; 0 before it heard of it.
        running: (M,) processes.
        blocked_ms: (M,) until when each is blocked.
        unfollowed: agents that found no name.
    """

    pool: GossipPool
    costs: Costs
    chance: np.random.Generator
    status: NDArray[np.int64]
    running: NDArray[np.bool_]
    blocked_ms: NDArray[np.int64]
    unfollowed: int = 0
    _told: int = 0
    _sent: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def at_rest(cls, pods: int, seconds: int, rules: Rules, costs: Costs, chance: np.random.Generator) -> "Agents":
        """The agents of `pods` pods, who know each other, and room for those that will replace them in `seconds`."""
        names = min(SERVERS + pods * (1 + math.ceil(seconds / LAP_S)), max(NAMES_MAX, SERVERS + pods))
        size = Size(SERVERS + pods, names, samples=seconds + 1, notes=NOTES_PER_NAME * names)
        pool = GossipPool(size, rules, chance, observers=[0])
        here = np.arange(names) < SERVERS + pods
        return cls(pool, costs, chance, np.where(here, state.ALIVE, 0), here, np.zeros(names, np.int64), _sent=np.zeros(names, np.int64))

    def step(self, at_s: int, platform: Platform, changes: Iterable[Change]) -> list[tuple[float, int, str]]:
        """Go on to the end of the second that begins at `at_s`; what the observer noted: seconds, pod, state."""
        begin_ms = 1000 * at_s
        self.pool.add([*self._lives(begin_ms, changes), *self._blocks(begin_ms, platform)])
        self.pool.run(at_s + 1)
        notes = self.pool.notes[self._told :]
        self._told += len(notes)
        for note in notes:
            self.status[note[2]] = note[3]
        return [(int(note[0]) / 1000, int(note[2]) - SERVERS, STATE_NAMES[int(note[3])]) for note in notes]

    def seen(self) -> Seen:
        """What the observer lists now."""
        failed = self.status == state.DEAD
        return Seen(
            alive=int((self.status == state.ALIVE).sum()),
            failed=int(failed.sum()),
            left=int((self.status == state.LEFT).sum()),
            wrongly=int((failed & self.running).sum()),
            score=float(self.pool.arrays.members["score"][0]),
        )

    def messages_per_s(self, platform: Platform) -> NDArray[np.float64]:
        """(P,) gossip packets of each pod's agent since it was last asked, by row; as many are taken as are sent."""
        sent = self.pool.counts[:, state.COUNTS.index("packets")].copy()
        each, self._sent = 2.0 * (sent - self._sent), sent
        members = SERVERS + platform.pods.number
        return np.where(members < len(each), each[np.minimum(members, len(each) - 1)], 0.0)

    def _lives(self, begin_ms: int, changes: Iterable[Change]) -> Iterable[Action]:
        """An agent begins with its pod's containers, says goodbye when the kubelet ends them, and is gone with them."""
        for change in changes:
            if change.pod is None or change.what not in ("started", "stopping", "deleted"):
                continue
            member = SERVERS + change.pod
            if member >= len(self.running):
                self.unfollowed += change.what == "started"
            elif change.what == "started":
                self.running[member] = True
                yield Action(begin_ms, script.START, member, change.pod % SERVERS)
            elif self.running[member]:
                self.running[member] = change.what == "stopping"
                yield Action(begin_ms, script.LEAVE if change.what == "stopping" else script.KILL, member)

    def _blocks(self, begin_ms: int, platform: Platform) -> Iterable[Action]:
        """On a full node an agent waits for its turn, log-normal around `turn_ms`, then works for the rest of the second."""
        rows = platform.pods.of(STARTING, RUNNING, EVICTED, STOPPING)
        members = SERVERS + platform.pods.number[rows][platform.nodes.full[platform.pods.node[rows]]]
        members = members[members < len(self.running)]
        members = members[self.blocked_ms[members] <= begin_ms]
        waits_ms = np.ceil(self.costs.turn_ms * self.chance.lognormal(0, self.costs.turn_spread, len(members))).astype(np.int64)
        self.blocked_ms[members] = begin_ms + waits_ms
        return [Action(begin_ms, script.BLOCK, int(member), int(until)) for member, until in zip(members, begin_ms + waits_ms, strict=True)]
