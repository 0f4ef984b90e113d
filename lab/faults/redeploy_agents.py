"""The cure of the incident as something that is done in the middle of a run: it goes through the ledger, as what it begins must be ended."""

from dataclasses import dataclass
from typing import Literal

from lab.core.protocols import Redeployable
from lab.faults.recorded import Recorded


@dataclass(frozen=True, slots=True)
class RedeployAgents(Recorded):
    """Replace all agents a share at a time, with a new gossip key or with nothing new.

    Acts while it is under way. Its heal stops it where it stands: agents that are new stay so, and the next run's preparation makes all anew.
    """

    mark: str
    key: Literal["new", "unchanged"]
    share_at_once: float
    verify: bool
    target: str = "agents"
    name: str = "redeploy-agents"

    @property
    def blast_radius(self) -> str:
        """See `Fault.blast_radius`."""
        return "every Consul agent and server: those with another key do not hear each other"

    def inject(self, world: Redeployable) -> None:
        """Begin."""
        world.redeploy_agents(self.mark, self.key, self.share_at_once, verify=self.verify)

    def heal(self, world: Redeployable) -> None:
        """End it; fine if it is complete."""
        world.stop_redeploy()

    def is_active(self, world: Redeployable) -> bool:
        """Asks the cluster whether pods are still to be replaced."""
        return world.redeploy_under_way()

    def witness(self, world: Redeployable) -> bool:
        """True when a pod was made anew."""
        return world.redeployed() > 0
