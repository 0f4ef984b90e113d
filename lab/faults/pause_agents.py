"""Agents that stand still for a while and go on, as on a node whose CPU is gone: alive, silent, and then busy with all that they were sent."""

from dataclasses import dataclass

from lab.core.protocols import AgentsPausable
from lab.faults.recorded import Recorded


@dataclass(frozen=True, slots=True)
class PauseAgents(Recorded):
    """SIGSTOP a share of the workload's Consul agents, SIGCONT all, in turn.

    Source of the pattern: the blocked members of Dadgar, Phillips, Currey, "Lifeguard: Local Health Awareness for More Accurate Failure
    Detection" (2018).
    """

    share: float
    away_s: float
    back_s: float
    target: str = "agents"
    name: str = "pause-agents"

    @property
    def blast_radius(self) -> str:
        """See `Fault.blast_radius`."""
        return f"{self.share:.0%} of the workload's Consul agents at a time, and what the pool believes of them"

    def inject(self, world: AgentsPausable) -> None:
        """Begin with a freeze."""
        world.pause_agents(self.share, self.away_s, self.back_s)

    def heal(self, world: AgentsPausable) -> None:
        """No more freezes, and all go on."""
        world.resume_agents()

    def is_active(self, world: AgentsPausable) -> bool:
        """Asks the host whether the freezes go on or an agent is stopped."""
        return world.agents_paused()

    def witness(self, world: AgentsPausable) -> bool:
        """True when an agent was stopped."""
        return world.agents_frozen() > 0
