"""Take Kafka away as the network upgrade did: the broker is there, keeps its connections, and answers nobody."""

from dataclasses import dataclass

from lab.core.protocols import Pausable
from lab.faults.recorded import Recorded

WITNESS_TIMEOUT_S = 2.0
"""Chosen: a broker at work answers a metadata request within some 10 ms; raising it makes each look at a frozen broker as slow."""


@dataclass(frozen=True, slots=True)
class PauseBroker(Recorded):
    """Freeze the processes of the lab's Kafka broker."""

    target: str = "broker"
    name: str = "pause-broker"

    @property
    def blast_radius(self) -> str:
        """See `Fault.blast_radius`."""
        return "the one broker, and all its clients"

    def inject(self, world: Pausable) -> None:
        """Freeze; a frozen broker stays frozen."""
        world.freeze_broker()

    def heal(self, world: Pausable) -> None:
        """Thaw; fine if it was never frozen."""
        world.thaw_broker()

    def is_active(self, world: Pausable) -> bool:
        """Asks the system whether the broker's processes stand still."""
        return world.broker_frozen()

    def witness(self, world: Pausable) -> bool:
        """True when a client gets no answer."""
        return not world.broker_answers(WITNESS_TIMEOUT_S)
