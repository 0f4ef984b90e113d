"""How long answers take: reads through agents, users' requests, calls to the runtime.

One law for all: log-normal, with a median and a spread of its own on a node at rest and on a full one. Chosen, not derived: the wait of a process
on a throttled node is the sum of many turns of which nothing single is known.
"""

from dataclasses import dataclass, field

import numpy as np

from lab.sim.chain.parameters import Costs
from lab.sim.chain.platform import Platform, Rows
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
        full, costs = self._some_full(rows, platform), self.costs
        return self._draw_ms((costs.starved_read_ms, costs.starved_read_spread) if full else (costs.read_ms, costs.read_spread))

    def page_ms(self, platform: Platform) -> float | None:
        """A page from some serving pod; None: there is none."""
        rows = platform.serving()
        if not len(rows):
            return None
        full, costs = self._some_full(rows, platform), self.costs
        return self._draw_ms((costs.starved_page_ms, costs.starved_page_spread) if full else (costs.page_ms, costs.page_spread))

    def cri_ms(self, platform: Platform, node: int) -> float:
        """A call to a node's runtime."""
        full, costs = platform.nodes.full[node], self.costs
        return self._draw_ms((costs.starved_cri_ms, costs.starved_cri_spread) if full else (costs.cri_ms, costs.cri_spread))

    def ask(self, at_s: int, platform: Platform, profile: str, counts: dict[str, int]) -> None:
        """Users' requests of a second, each to some serving pod; without one, they fail."""
        rows, costs = platform.serving(), self.costs
        for name, count in counts.items():
            written = min(count, REQUESTS_TOLD_MAX)
            moments_s = at_s + np.arange(written) / max(count, 1)
            if not len(rows):
                self.requests += [f"{moment_s:.3f},{profile},{name},,0,connection refused" for moment_s in moments_s]
                continue
            full = platform.nodes.full[platform.pods.node[rows[self.chance.integers(0, len(rows), written)]]]
            medians_ms = np.where(full, costs.starved_page_ms, costs.page_ms)
            spreads = np.where(full, costs.starved_page_spread, costs.page_spread)
            for moment_s, took_ms in zip(moments_s, medians_ms * self.chance.lognormal(0, spreads), strict=True):
                end = "200," if took_ms <= TIMEOUT_MS else "0,timed out"
                self.requests.append(f"{moment_s:.3f},{profile},{name},{min(took_ms, TIMEOUT_MS):.2f},{end}")

    def _some_full(self, rows: Rows, platform: Platform) -> bool:
        return bool(platform.nodes.full[platform.pods.node[rows[int(self.chance.integers(len(rows)))]]])

    def _draw_ms(self, law: tuple[float, float]) -> float:
        median_ms, spread = law
        return median_ms * float(self.chance.lognormal(0, spread))
