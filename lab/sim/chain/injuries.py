"""What each fault of an experiment does in the simulator. One that it cannot do is refused before the run begins."""

from dataclasses import dataclass

from lab.core.errors import Refused
from lab.core.experiment import Experiment
from lab.core.fault_specs import (
    ChurnPodsSpec,
    FaultTimes,
    FlapBrokerSpec,
    PartitionBrokerSpec,
    PauseBrokerSpec,
    StressNodeSpec,
)
from lab.sim.chain.plan import Plan

Specs = tuple[tuple[FaultTimes, float, float], ...]
"""Each fault with the moments in seconds at which it is injected and healed."""


@dataclass(frozen=True, slots=True)
class Injuries:
    """The faults of one run on its clock."""

    specs: Specs
    pods: int

    @classmethod
    def of(cls, experiment: Experiment, plan: Plan) -> "Injuries":
        """From the experiment.

        Raises:
            Refused: a fault that the simulator cannot do.
        """
        for spec in experiment.faults:
            if reason := _beyond(spec):
                raise Refused(f"simulate the fault {spec.fault}", reason, "run it on containers: lab run EXPERIMENT")
        timed = tuple((spec, plan.outage + spec.inject_at_s, plan.outage + spec.heal_at_s) for spec in experiment.faults)
        return cls(timed, plan.pods)

    def broker_up(self, at_s: float) -> bool:
        """Does the broker answer?"""
        return not any(_takes_broker(spec, at_s - begin_s) for spec, begin_s, end_s in self.specs if begin_s <= at_s < end_s)

    def burners(self, at_s: float, nodes: int) -> list[int]:
        """(N,) busy processes on each node."""
        burning = [0] * nodes
        for spec, begin_s, end_s in self.specs:
            if isinstance(spec, StressNodeSpec) and begin_s <= at_s < end_s:
                for node in range(min(spec.nodes, nodes)):
                    burning[node] += spec.workers
        return burning

    def pods_wanted(self, at_s: float) -> int:
        """Workload pods that the deployment asks for; a churn begins with its low half."""
        for spec, begin_s, end_s in self.specs:
            if isinstance(spec, ChurnPodsSpec) and begin_s <= at_s < end_s and (at_s - begin_s) // spec.half_period_s % 2 == 0:
                return round(self.pods * spec.pods_low / spec.pods_high)
        return self.pods


def _beyond(spec: FaultTimes) -> str:
    """Why it cannot be done; empty if it can."""
    if isinstance(spec, PauseBrokerSpec | FlapBrokerSpec | ChurnPodsSpec | StressNodeSpec):
        return ""
    if isinstance(spec, PartitionBrokerSpec):
        return "" if spec.loss_ratio == 1 else "it knows a clean cut of the broker, and no loss of a share of its packets"
    return "it has no model of it"


def _takes_broker(spec: FaultTimes, since_s: float) -> bool:
    if isinstance(spec, FlapBrokerSpec):
        return since_s % (spec.away_s + spec.back_s) < spec.away_s
    return isinstance(spec, PauseBrokerSpec | PartitionBrokerSpec)
