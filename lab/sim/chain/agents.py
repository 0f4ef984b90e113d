"""The Consul agents of the pods in one exact gossip pool with three servers: starved nodes become blocked windows, evicted pods become deaths."""

from collections.abc import Iterable

import numpy as np

from lab.sim.chain.node import Node
from lab.sim.chain.platform import Change
from lab.sim.gossip import script, state
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size

SERVERS = 3
STATE_NAMES = {state.ALIVE: "alive", state.DEAD: "failed", state.LEFT: "left"}


class Agents:
    """Agent of pod k is member SERVERS + k; server 0 is the observer.

    Args:
        pods: that run from the start.
        pods_max: pods that may ever be made.
        seconds: length of the run.
        rules: of the pool.
        chance: where randomness comes from.
    """

    def __init__(self, pods: int, pods_max: int, seconds: int, rules: Rules, chance: np.random.Generator) -> None:
        size = Size(SERVERS + pods, SERVERS + pods_max, samples=seconds + 1, notes=100_000)
        self._pool = GossipPool(size, rules, chance, observers=[0])
        self._told = 0

    def step(self, at_s: int, nodes: Iterable[Node], changes: Iterable[Change]) -> list[tuple[float, int, str]]:
        """Go on to the end of the second that begins at `at_s`; what the observer noted: seconds, pod, state.

        An agent gets the pods' share g of its node: it is blocked for the first 1 - g of each second. Time stands still in whole windows
        there, as a throttled group does, though in longer ones.
        """
        begin_ms, actions = 1000 * at_s, []
        for change in changes:
            if change.pod is not None and change.what in ("running", "gone"):
                action = script.START if change.what == "running" else script.KILL
                actions.append(Action(begin_ms, action, SERVERS + change.pod, change.pod % SERVERS))
        for node in nodes:
            blocked_ms = round(1000 * (1 - node.pod_share))
            if blocked_ms > 0:
                members = [SERVERS + pod.number for pod in node.pods if pod.state in ("running", "terminating")]
                actions += [Action(begin_ms, script.BLOCK, member, begin_ms + blocked_ms) for member in members]
        self._pool.add(actions)
        self._pool.run(at_s + 1)
        notes = self._pool.notes[self._told :]
        self._told += len(notes)
        return [(int(note[0]) / 1000, int(note[2]) - SERVERS, STATE_NAMES[int(note[3])]) for note in notes]

    def counts(self) -> dict[str, float]:
        """As server 0 lists its members; `wrongly`: listed as failed while the process runs."""
        arrays = self._pool.arrays
        seen = arrays.pairs["serf"][0]
        return {
            "alive": float((seen == state.ALIVE).sum()),
            "failed": float((seen == state.DEAD).sum()),
            "left": float((seen == state.LEFT).sum()),
            "wrongly": float(((seen == state.DEAD) & (arrays.members["running"] == 1)).sum()),
            "score": float(arrays.members["score"][0]),
        }
