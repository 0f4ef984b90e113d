"""How long answers take: reads through agents, users' requests, calls to the runtime.

One law for all: log-normal, with a median and a spread of its own on a node at rest and on a full one. Fitted, not derived: the wait of a process
on a throttled node is the sum of many turns of which nothing single is known.
"""

from dataclasses import dataclass, field

import numpy as np

from lab.sim.chain.parameters import Costs
from lab.sim.chain.platform import Platform
from lab.sim.chain.pods import RUNNING

REQUESTS_TOLD_MAX = 60
"""Users' requests that are written down a second. Chosen: all at the lab's size, a sample of them above."""
TIMEOUT_MS = 10_000.0
"""Of a read and of a user's patience. Source: lab/probes/table.py, loadtests/shared.py."""


@dataclass(slots=True)
class Answers:
    """Draws from the law.

    Args:
        costs: medians and spreads.
        chance: where randomness comes from.
        requests: lines of the file of users' requests.
    """

    costs: Costs
    chance: np.random.Generator
    requests: list[str] = field(default_factory=list)

    def agent_read_ms(self, platform: Platform) -> float | None:
        """A read through the agent of some running pod; None: there is none."""
        rows = platform.pods.of(RUNNING)
        if not len(rows):
            return None
        full = platform.nodes.full[platform.pods.node[rows[int(self.chance.integers(len(rows)))]]]
        median_ms, spread = (
            (self.costs.starved_read_ms, self.costs.starved_read_spread) if full else (self.costs.read_ms, self.costs.read_spread)
        )
        return median_ms * float(self.chance.lognormal(0, spread))

    def cri_ms(self, platform: Platform, node: int) -> float:
        """A call to a node's runtime."""
        full = platform.nodes.full[node]
        median_ms, spread = (
            (self.costs.starved_cri_ms, self.costs.starved_cri_spread) if full else (self.costs.cri_ms, self.costs.cri_spread)
        )
        return median_ms * float(self.chance.lognormal(0, spread))

    def ask(self, at_s: int, platform: Platform, profile: str, counts: dict[str, int]) -> None:
        """Users' requests of a second, each to some serving pod; without one, they fail."""
        serving = platform.serving()
        for name, count in counts.items():
            for number in range(min(count, REQUESTS_TOLD_MAX)):
                moment_s = at_s + number / max(count, 1)
                if not len(serving):
                    self.requests.append(f"{moment_s:.3f},{profile},{name},,0,connection refused")
                    continue
                full = platform.nodes.full[platform.pods.node[serving[int(self.chance.integers(len(serving)))]]]
                median_ms, spread = (
                    (self.costs.starved_page_ms, self.costs.starved_page_spread) if full else (self.costs.page_ms, self.costs.page_spread)
                )
                took_ms = median_ms * float(self.chance.lognormal(0, spread))
                late = took_ms > TIMEOUT_MS
                self.requests.append(f"{moment_s:.3f},{profile},{name},{min(took_ms, TIMEOUT_MS):.2f},{'0,timed out' if late else '200,'}")
