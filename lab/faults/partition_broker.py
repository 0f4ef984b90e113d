"""Cut Kafka off: the broker works, and packets to it are lost on the way."""

from dataclasses import dataclass

from lab.core.protocols import Partitionable
from lab.faults.recorded import Recorded


@dataclass(frozen=True, slots=True)
class PartitionBroker(Recorded):
    """Drop a share of the packets to the lab's broker."""

    loss_ratio: float
    target: str = "broker"
    name: str = "partition-broker"

    @property
    def blast_radius(self) -> str:
        """See `Fault.blast_radius`."""
        return f"{self.loss_ratio:.0%} of the packets from all clients to the one broker, the lab's own probe among them"

    def inject(self, world: Partitionable) -> None:
        """Cut; what is cut stays cut."""
        world.cut_broker(self.loss_ratio)

    def heal(self, world: Partitionable) -> None:
        """Let everything through; fine if it was never cut."""
        world.join_broker()

    def is_active(self, world: Partitionable) -> bool:
        """Asks the packet filter."""
        return world.broker_cut()

    def witness(self, world: Partitionable) -> bool:
        """True when packets were dropped."""
        return world.packets_dropped() > 0
