"""Pods that come and go at a rate, with no node failing: what scaling alone does to the gossip pool."""

from dataclasses import dataclass

from lab.core.protocols import Churnable
from lab.faults.recorded import Recorded


@dataclass(frozen=True, slots=True)
class ChurnPods(Recorded):
    """Scale the workload down and up in turn."""

    pods_low: int
    pods_high: int
    half_period_s: float
    target: str = "workload"
    name: str = "churn-pods"

    @property
    def blast_radius(self) -> str:
        """See `Fault.blast_radius`."""
        return f"{self.pods_high - self.pods_low} of {self.pods_high} workload pods at a time"

    def inject(self, world: Churnable) -> None:
        """Begin by scaling down."""
        world.churn_pods(self.pods_low, self.pods_high, self.half_period_s)

    def heal(self, world: Churnable) -> None:
        """End at `pods_high`, where the run began."""
        world.settle_pods(self.pods_high)

    def is_active(self, world: Churnable) -> bool:
        """Asks the system whether it goes on, or has left fewer pods wanted."""
        return world.pods_churn() or world.pods_wanted() != self.pods_high

    def witness(self, world: Churnable) -> bool:
        """True when fewer pods are wanted than the run began with."""
        return world.pods_wanted() < self.pods_high
