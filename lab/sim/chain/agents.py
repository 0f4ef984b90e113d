"""The Consul agents of the pods in one gossip pool with three servers: full nodes become blocked windows, evicted pods leave or die.

What is known of the pool is what one observer, the first server, noted: the same that the lab's probe reads from a real server.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import Refused
from lab.sim.chain.likeness import GONE, LEAVING, LIVES, Likeness
from lab.sim.chain.parameters import Costs
from lab.sim.chain.platform import Change, Platform
from lab.sim.chain.pods import EVICTED, RUNNING, STARTING, STOPPING
from lab.sim.gossip import script, state
from lab.sim.gossip.choice import is_exact, names_max, pool_of
from lab.sim.gossip.pool import GossipPool, Rules, Size
from lab.sim.gossip.sampled import FOLLOWED
from lab.sim.gossip.thinned import ThinnedPool

SERVERS = 3
STATE_NAMES = {state.ALIVE: "alive", state.DEAD: "failed", state.LEFT: "left"}
LAP_S = 22.0
"""Shortest time in which a pod is lost and replaced: grace 12 s and toleration 10 s."""
NOTES_PER_NAME = 200
"""Room for what the observer notes. Chosen: in a cascade it notes a member some ten times."""
NOTES_MAX = 20_000_000
"""Most of that room. Chosen: 0.8 GB, taken as it is written; a history of so many lines could not be opened."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The pool as the observer lists it.

    Args:
        alive, failed, left: members.
        wrongly: listed as failed while the process runs.
        missing: not listed as alive while the process runs.
        returned: how often a member came back after it was gone.
        phantoms: came back and are listed alive, while no process runs.
        score: the observer's own health.
    """

    alive: int
    failed: int
    left: int
    wrongly: int
    missing: int
    returned: int
    phantoms: int
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
        back: (M,) those that came back after they were gone.
        returned: how often any did.
        known: names that were ever used, by number: all beyond are nothing.
        does: (M,) what each process does, see likeness.py.
        likeness: notes of members that the pool does not hold; None where it holds all.
        unfollowed: agents that found no name.
    """

    pool: GossipPool
    costs: Costs
    chance: np.random.Generator
    status: NDArray[np.int8]
    running: NDArray[np.bool_]
    blocked_ms: NDArray[np.int64]
    back: NDArray[np.bool_]
    known: int
    does: NDArray[np.int8]
    likeness: Likeness | None = None
    returned: int = 0
    unfollowed: int = 0
    _told: int = 0

    @classmethod
    def at_rest(cls, pods: int, seconds: int, rules: Rules, costs: Costs, chance: np.random.Generator) -> "Agents":
        """The agents of `pods` pods, who know each other, and room for those that will replace them in `seconds`."""
        names = min(SERVERS + pods * (1 + math.ceil(seconds / LAP_S)), names_max(SERVERS + pods))
        size = Size(SERVERS + pods, names, samples=seconds + 1, notes=min(NOTES_PER_NAME * names, NOTES_MAX))
        pool = pool_of(size, rules, chance, observers=[0])
        here = np.arange(names) < SERVERS + pods
        status = np.where(here, state.ALIVE, 0).astype(np.int8)
        like = None
        if isinstance(pool, ThinnedPool):
            like = Likeness(pool.times, ~pool.is_kept(np.arange(names)), chance.spawn(1)[0])
        does = np.where(here, LIVES, GONE).astype(np.int8)
        return cls(pool, costs, chance, status, here, np.zeros(names, np.int64), np.zeros(names, bool), SERVERS + pods, does, like)

    def step(self, at_s: int, platform: Platform, changes: Iterable[Change]) -> list[tuple[float, int, str]]:
        """Go on to the end of the second that begins at `at_s`; what the observer noted: seconds, pod, state.

        Raises:
            Refused: more happens in the pool than its arrays hold.
        """
        begin_ms = 1000 * at_s
        lives = np.array(list(self._lives(begin_ms, changes)), np.int64).reshape(-1, 4)
        self.pool.add(np.concatenate([lives, self._blocks(begin_ms, platform)]))
        try:
            self.pool.run(at_s + 1)
        except ValueError as full:
            raise Refused(f"simulate the gossip of second {at_s}", str(full), "fewer agents, or a shorter recovery_s") from full
        notes = self.pool.notes[self._told :]
        self._told += len(notes)
        noted = [self._note(int(note[0]) / 1000, int(note[2]), int(note[3])) for note in notes]
        if self.likeness is not None:
            alike = self.likeness.tell(self.does[: self.known], self.status[: self.known])
            noted += [self._note(at_s + 1.0, member, now, kept=False) for member, now in alike]
        return noted

    def _note(self, at_s: float, member: int, now: int, *, kept: bool = True) -> tuple[float, int, str]:
        """The observer lists a member anew; `kept`: the pool holds it, and it stands for others."""
        was = int(self.status[member])
        if now == state.ALIVE and was in (state.DEAD, state.LEFT):
            self.back[member] = True
            self.returned += 1
        if kept and self.likeness is not None and member >= SERVERS:
            self.likeness.noted(int(self.does[member]), was, now)
        self.status[member] = now
        return (at_s, member - SERVERS, STATE_NAMES[now])

    def seen(self) -> Seen:
        """What the observer lists now."""
        status, running, back = (each[: self.known] for each in (self.status, self.running, self.back))
        alive, failed = status == state.ALIVE, status == state.DEAD
        return Seen(
            alive=int(alive.sum()),
            failed=int(failed.sum()),
            left=int((status == state.LEFT).sum()),
            wrongly=int((failed & running).sum()),
            missing=int((running & ~alive).sum()),
            returned=self.returned,
            phantoms=int((back & alive & ~running).sum()),
            score=float(self.pool.score_of(0)),
        )

    def caveats(self) -> list[str]:
        """What the pool leaves out, for the statement of fidelity."""
        told = []
        if not is_exact(self.pool.size.members):
            told.append(
                f"Gossip is an approximation: of {self.pool.size.members:,} members {FOLLOWED} are followed, the others are told by rates;"
                " its error against the exact pool is in tests/sim/approximation.md."
            )
        if self.likeness is not None:
            told.append(
                f"Of {self.likeness.times} names one is held and stands for all: which of the others the observer lists wrongly is drawn by lot;"
                " the error against the exact pool is in tests/sim/thinned.md."
            )
        if self.unfollowed:
            told.append(f"The pool held no more names: {self.unfollowed:,} agents of replaced pods were not followed.")
        return told

    def messages_per_s(self, platform: Platform) -> NDArray[np.float64]:
        """(P,) gossip packets of each pod's agent in the last second, by row; as many are taken as are sent."""
        members, names = SERVERS + platform.pods.number, len(self.running)
        return np.where(members < names, 2.0 * self.pool.packets_of(np.minimum(members, names - 1)), 0.0)

    def _lives(self, begin_ms: int, changes: Iterable[Change]) -> Iterable[tuple[int, int, int, int]]:
        """An agent begins with its pod's containers, says goodbye when the kubelet ends them, and is gone with them. As rows of a script."""
        for change in changes:
            if change.pod is None or change.what not in ("started", "stopping", "deleted"):
                continue
            member = SERVERS + change.pod
            if member >= len(self.running):
                self.unfollowed += change.what == "started"
            elif change.what == "started":
                self.running[member], self.does[member] = True, LIVES
                self.known = max(self.known, member + 1)
                yield begin_ms, script.START, member, change.pod % SERVERS
            elif self.running[member]:
                self.running[member] = change.what == "stopping"
                self.does[member] = LEAVING if self.running[member] else GONE
                yield begin_ms, script.LEAVE if change.what == "stopping" else script.KILL, member, 0

    def _blocks(self, begin_ms: int, platform: Platform) -> NDArray[np.int64]:
        """On a full node an agent waits for its turn, log-normal around `turn_ms`, then works for the rest of the second. (S, 4) rows of a script."""
        rows = platform.pods.of(STARTING, RUNNING, EVICTED, STOPPING)
        members = SERVERS + platform.pods.number[rows][platform.nodes.full[platform.pods.node[rows]]]
        members = members[members < len(self.running)]
        members = members[self.blocked_ms[members] <= begin_ms]
        waits_ms = np.ceil(self.costs.turn_ms * self.chance.lognormal(0, self.costs.turn_spread, len(members))).astype(np.int64)
        self.blocked_ms[members] = begin_ms + waits_ms
        first, what = np.full(len(members), begin_ms), np.full(len(members), script.BLOCK)
        return np.stack([first, what, members, begin_ms + waits_ms], axis=1)
