"""An experiment as data: what is loaded from YAML, checked before anything is touched, and stored resolved with the run."""

import json
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator

from lab.core.consul import Consul
from lab.core.fault_specs import ActTimes, ChurnPodsSpec, FaultSpec, FaultTimes, Seconds
from lab.core.neighbour import Neighbour, Wanted
from lab.core.remedy_specs import RemedySpec
from lab.core.shipper import DEFAULT_SHIPPER, Shipper
from lab.core.strict import Strict
from lab.core.vault import Vault

Link = Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


class Workload(Strict):
    """Pods and user traffic. `requests_per_s` and `flood_lines_per_s` are totals over all pods."""

    pods: int = Field(50, ge=1, le=110, description="workload pods over all app nodes; about 100 is the limit of 2 cores")
    agents_per_pod: int = Field(
        1,
        ge=1,
        le=20,
        description="Consul agents in each pod; where it is more than one, an agent that dies is followed by one of another name",
    )
    logging: bool = Field(
        default=True,
        description="Kafka, and the sidecars that ship to it; without them the app logs nothing, and links 0 and 1 cannot fire",
    )
    shipper: Shipper = Field(
        DEFAULT_SHIPPER,
        description="what carries the log lines to Kafka: kafka-python (the lab's logging sidecar), rsyslog (in its place in the pod), or rsyslog-daemonset (one a node, for lines on stdout); the image of rsyslog is built when it is first asked for",
    )
    watches_per_pod: int = Field(
        0,
        ge=0,
        le=100,
        description="blocking queries for the app's instances that each pod keeps at its own agent; each change of the service wakes all of them",
    )
    requests_per_s: float = Field(25, gt=0, le=2000, description="steady requests per second, open workload")
    flood_lines_per_s: float = Field(
        0, ge=0, le=50_000, description="log lines per second asked for by the flood profile; 0: the flood phase only passes"
    )
    through: Literal["pods", "balancer"] = Field(
        "pods", description="how the requests reach the pods: pods (a NodePort, any ready pod), or balancer (what Consul calls passing)"
    )


class Shape(Strict):
    """How a small machine stands for large hosts; see the fidelity statement."""

    cap_multiple: float = Field(2.5, gt=1, le=20, description="an app node's CPU cap as a multiple of its measured steady use")
    core_cap_cores: float = Field(
        0.4,
        gt=0,
        le=16,
        description="CPU cap of the core node (Kafka, Consul servers, Vault, balancer); more where that would be less than 1.4 times what it takes at rest",
    )


class Expected(Strict):
    """What a run must show to count as expected."""

    verdict: Literal["held", "deviated"]
    links: list[Link] = Field(default_factory=list, description="links that must fire, in order of cause")
    neighbour: Wanted = Field(
        "unasked",
        description="what must become of the neighbour: calm, poisoned (it stays Ready, and links 5 or 6 fire at its agents), or unasked",
    )


class Experiment(Strict):
    """One experiment. Phases: steady, then outage and flood as the timeline says, then recovery (bounded watch)."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    title: str
    hypothesis: str
    seed: int = 20190115
    steady_s: float = Field(45, ge=10, le=3600, description="seconds of steady state measured before the timeline starts")
    outage_s: Seconds = Field(0, description="length of the outage phase; the faults act in it")
    flood_s: Seconds = Field(0, description="length of the flood phase, which starts when the outage ends")
    recovery_s: Seconds = Field(120, description="how long recovery is watched after the flood; at least metastable_after_s")
    recovery_ends_early: bool = Field(
        default=False, description="end the recovery watch once the steady state holds again; saves time, hides a relapse"
    )
    metastable_after_s: Seconds = Field(
        60, description="still out of the steady range so long after Kafka is healthy and the flood over: metastable"
    )
    workload: Workload = Workload()
    shape: Shape = Shape()
    agents: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="simulator only: so many workload pods, with nodes and traffic in proportion; null: workload.pods",
    )
    consul: Consul = Consul()
    vault: Vault = Vault()
    neighbour: Neighbour = Neighbour()
    faults: list[FaultSpec] = Field(default_factory=list)
    remedies: list[RemedySpec] = Field(default_factory=list, description="what is done against it in the middle of the run")
    components: list[str] = Field(
        default_factory=list,
        description="folders with a kustomization.yaml of kind Component each, put over the lab's manifests in this order: a remedy of your own, from the start of the run",
    )
    expected: Expected

    @model_validator(mode="after")
    def _phases_are_long_enough(self) -> "Experiment":
        for number, spec in enumerate(self.faults):
            if spec.heal_at_s > self.outage_s:
                raise ValueError(f"faults.{number}.heal_at_s ({spec.heal_at_s:g}) must not be after outage_s ({self.outage_s:g})")
            if isinstance(spec, ChurnPodsSpec) and spec.pods_high != self.workload.pods:
                raise ValueError(f"faults.{number}.pods_high ({spec.pods_high}) must be workload.pods ({self.workload.pods})")
        for number, (earlier, later) in _overlapping(self.faults):
            raise ValueError(
                f"faults.{number}.inject_at_s ({later.inject_at_s:g}) must not be before the heal of the {later.fault} before it ({earlier.heal_at_s:g})"
            )
        for number, remedy in enumerate(self.remedies):
            if remedy.heal_at_s > self.outage_s + self.flood_s + self.recovery_s:
                raise ValueError(f"remedies.{number}.heal_at_s ({remedy.heal_at_s:g}) must not be after the end of the recovery phase")
        if not self.workload.logging:
            self._needs_no_kafka()
        self._neighbour_can_be_there()
        if self.recovery_s < self.metastable_after_s:
            raise ValueError(f"recovery_s ({self.recovery_s:g}) must be at least metastable_after_s ({self.metastable_after_s:g})")
        return self

    def _needs_no_kafka(self) -> None:
        if self.workload.flood_lines_per_s:
            raise ValueError(f"workload.flood_lines_per_s ({self.workload.flood_lines_per_s:g}) must be 0 without workload.logging")
        if self.workload.shipper != DEFAULT_SHIPPER:
            raise ValueError(f"workload.shipper ({self.workload.shipper}) needs workload.logging: there is nothing to ship without it")
        for number, spec in enumerate(self.faults):
            if spec.fault.endswith("-broker"):
                raise ValueError(f"faults.{number}.fault ({spec.fault}) needs workload.logging: there is no broker without it")

    def _neighbour_can_be_there(self) -> None:
        if self.expected.neighbour != "unasked" and not self.neighbour.pods:
            raise ValueError(f"expected.neighbour ({self.expected.neighbour}) needs a neighbour: neighbour.pods is 0")
        if self.neighbour.shares_the_pool and (self.consul.encryption != "off" or self.remedies):
            raise ValueError("neighbour.pool (shared) needs consul.encryption off and no remedies: its agents have no key to such a pool")

    @property
    def acts(self) -> list[ActTimes]:
        """All that is done to the system: the faults, then the remedies; the timeline names each by its place here."""
        return [*self.faults, *self.remedies]


def _overlapping(faults: Sequence[FaultTimes]) -> Iterator[tuple[int, tuple[FaultTimes, FaultTimes]]]:
    """Index, and the pair, of each fault that begins while another of its kind goes on: the heal of the one would end the other, too."""
    numbered = sorted(enumerate(faults), key=lambda item: item[1].inject_at_s)
    last: dict[str, FaultTimes] = {}
    for number, spec in numbered:
        if spec.fault in last and spec.inject_at_s < last[spec.fault].heal_at_s:
            yield number, (last[spec.fault], spec)
        last[spec.fault] = spec


def schema_text() -> str:
    """The published JSON Schema, `lab/experiments/experiment.schema.json`; a test keeps the file equal."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Experiment.model_json_schema()}
    return json.dumps(schema, indent=2) + "\n"
