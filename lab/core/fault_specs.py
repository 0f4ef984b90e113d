"""What an experiment file may say of each fault: when it acts, and its settings. The faults themselves are in `lab/faults`."""

from abc import ABC, abstractmethod
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lab.core.strict import Strict

Seconds = Annotated[float, Field(ge=0, le=3600)]
Period = Annotated[float, Field(ge=1, le=600)]
"""Chosen: below a second the look-up of the processes takes longer than the period."""


class ActTimes(Strict, ABC):
    """When something is done to the system, in seconds after the steady phase, and by when it is over."""

    inject_at_s: Seconds = 0
    heal_at_s: Seconds = Field(45, description="must come after inject_at_s; for a fault not after the outage phase")

    @model_validator(mode="after")
    def _heals_after_it_injects(self) -> "ActTimes":
        if self.heal_at_s <= self.inject_at_s:
            raise ValueError(f"heal_at_s ({self.heal_at_s:g}) must be greater than inject_at_s ({self.inject_at_s:g})")
        return self

    @property
    @abstractmethod
    def act(self) -> str:
        """Its name in the fault table."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What makes it, apart from its times."""


class FaultTimes(ActTimes):
    """When a fault acts."""

    fault: str

    @property
    def act(self) -> str:
        """The fault's name."""
        return self.fault

    def settings(self) -> dict[str, Any]:
        """What makes the fault; times are the timeline's business."""
        return self.model_dump(mode="json", exclude=set(FaultTimes.model_fields))


class PauseBrokerSpec(FaultTimes):
    """Freeze the broker's processes."""

    fault: Literal["pause-broker"]


class FlapBrokerSpec(FaultTimes):
    """Freeze and thaw the broker in turn."""

    fault: Literal["flap-broker"]
    away_s: Period = Field(15, description="seconds frozen; chosen: longer than the 5 s of silence that count as away")
    back_s: Period = Field(
        5, description="seconds at work in between; chosen: time for a burst of every logger, not for all of its backlog"
    )


class PartitionBrokerSpec(FaultTimes):
    """Drop packets on their way to the broker."""

    fault: Literal["partition-broker"]
    loss_ratio: float = Field(1.0, gt=0, le=1, description="share of the packets that are dropped; 1 is a clean cut")


class KillAgentsSpec(FaultTimes):
    """Kill Consul agents of the workload without a farewell, in waves."""

    fault: Literal["kill-agents"]
    share: float = Field(
        0.5, gt=0, le=1, description="share of each app node's agents that a wave kills; chosen: half, as in the first trials"
    )
    every_s: Period = Field(20, description="seconds between two waves; chosen: a kubelet has most of them back by then")


class PauseAgentsSpec(FaultTimes):
    """Freeze and thaw Consul agents of the workload in turn, as starved nodes do: what they were sent meanwhile waits for them."""

    fault: Literal["pause-agents"]
    share: float = Field(0.5, gt=0, le=1, description="share of each app node's agents that are frozen at a time, drawn anew each time")
    away_s: Period = Field(
        12,
        description="seconds frozen; chosen: longer than a pool of 200 suspects before it declares dead, 4 x log10(200) x 1 s = 9.2 s",
    )
    back_s: Period = Field(4, description="seconds at work in between; chosen: time to refute, not to come to rest")


class ChurnPodsSpec(FaultTimes):
    """Scale the workload down and up in turn."""

    fault: Literal["churn-pods"]
    pods_low: int = Field(ge=0, le=110, description="pods in the low half of a period")
    pods_high: int = Field(ge=1, le=110, description="pods in the high half, and after the heal: the experiment's workload.pods")
    half_period_s: Period = Field(15, description="seconds at each; chosen: pods of five nodes start within 10 s")

    @model_validator(mode="after")
    def _goes_down(self) -> "ChurnPodsSpec":
        if self.pods_low >= self.pods_high:
            raise ValueError(f"pods_low ({self.pods_low}) must be less than pods_high ({self.pods_high})")
        return self


class StressNodeSpec(FaultTimes):
    """Burn CPU on app nodes, as a pod would."""

    fault: Literal["stress-node"]
    nodes: int = Field(1, ge=1, le=50, description="app nodes to burn on, the first ones by name")
    workers: int = Field(2, ge=1, le=64, description="busy processes per node; chosen: more than the cap of any node can carry")


FaultSpec = Annotated[
    PauseBrokerSpec | FlapBrokerSpec | PartitionBrokerSpec | KillAgentsSpec | PauseAgentsSpec | ChurnPodsSpec | StressNodeSpec,
    Field(discriminator="fault"),
]
"""One fault of an experiment."""

FAULT_SPECS: dict[str, type[FaultTimes]] = {
    "pause-broker": PauseBrokerSpec,
    "flap-broker": FlapBrokerSpec,
    "partition-broker": PartitionBrokerSpec,
    "kill-agents": KillAgentsSpec,
    "pause-agents": PauseAgentsSpec,
    "churn-pods": ChurnPodsSpec,
    "stress-node": StressNodeSpec,
}
"""Name -> what may be said of it."""
