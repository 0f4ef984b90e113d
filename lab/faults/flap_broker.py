"""Take Kafka away again and again, as the network upgrade did for hours: each return lets every logger flush at once."""

from dataclasses import dataclass

from lab.core.protocols import Flappable
from lab.faults.pause_broker import WITNESS_TIMEOUT_S
from lab.faults.recorded import Recorded


@dataclass(frozen=True, slots=True)
class FlapBroker(Recorded):
    """Freeze and thaw the lab's broker in turn."""

    away_s: float
    back_s: float
    target: str = "broker"
    name: str = "flap-broker"

    @property
    def blast_radius(self) -> str:
        """See `Fault.blast_radius`."""
        return "the one broker, and all its clients"

    def inject(self, world: Flappable) -> None:
        """Begin; a broker that flaps goes on as it does."""
        world.flap_broker(self.away_s, self.back_s)

    def heal(self, world: Flappable) -> None:
        """End it with the broker at work."""
        world.steady_broker()

    def is_active(self, world: Flappable) -> bool:
        """Asks the system whether it goes on, or has left the broker frozen."""
        return world.broker_flaps()

    def witness(self, world: Flappable) -> bool:
        """True when a client gets no answer."""
        return not world.broker_answers(WITNESS_TIMEOUT_S)
