"""Mass death without a farewell: agents are gone before they can tell the pool, as on a node whose runtime is starved."""

from dataclasses import dataclass

from lab.core.protocols import AgentsKillable
from lab.faults.recorded import Recorded


@dataclass(frozen=True, slots=True)
class KillAgents(Recorded):
    """SIGKILL a share of the workload's Consul agents in waves; their kubelets start them again."""

    share: float
    every_s: float
    target: str = "agents"
    name: str = "kill-agents"

    @property
    def blast_radius(self) -> str:
        """See `Fault.blast_radius`."""
        return f"{self.share:.0%} of the workload's Consul agents in each wave, and what is known of their pods' health"

    def inject(self, world: AgentsKillable) -> None:
        """Begin with a wave."""
        world.kill_agents(self.share, self.every_s)

    def heal(self, world: AgentsKillable) -> None:
        """No more waves; kubelets start what was killed, after their back-off."""
        world.spare_agents()

    def is_active(self, world: AgentsKillable) -> bool:
        """Asks the host whether the waves go on."""
        return world.agents_hunted()

    def witness(self, world: AgentsKillable) -> bool:
        """True when an agent was killed."""
        return world.agents_killed() > 0
