"""Starve nodes with nothing but CPU: the control that tells the flood's work from its volume."""

from dataclasses import dataclass

from lab.core.protocols import Stressable
from lab.faults.recorded import Recorded

BURNT_S = 0.2
"""CPU seconds that witness. Chosen: a node of 0.1 core burns it in two seconds, and starting the program takes a tenth of it."""


@dataclass(frozen=True, slots=True)
class StressNode(Recorded):
    """Busy processes on the first `nodes` app nodes, with the weight of pods."""

    nodes: int
    workers: int
    target: str = "nodes"
    name: str = "stress-node"

    @property
    def blast_radius(self) -> str:
        """See `Fault.blast_radius`."""
        return f"the first {self.nodes} app nodes, and their pods"

    def inject(self, world: Stressable) -> None:
        """Begin to burn."""
        world.stress_nodes(self.nodes, self.workers)

    def heal(self, world: Stressable) -> None:
        """End it."""
        world.relax_nodes(self.nodes)

    def is_active(self, world: Stressable) -> bool:
        """Asks the host."""
        return world.nodes_stressed(self.nodes)

    def witness(self, world: Stressable) -> bool:
        """True when the CPU was burnt."""
        return world.cpu_burnt_s(self.nodes) > BURNT_S
