"""What the parts promise each other. The runner knows these and nothing concrete."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one series, as a probe returns it: `value`, or None and the `reason`."""

    series: str
    target: str
    value: float | None
    reason: str | None = None


class Probe(Protocol):
    """A read-only question asked every `interval_s`.

    `sample` never raises and returns within `timeout_s`: what it could not read is a `Reading` without a value. One call may answer
    for several series. The sampler gives each probe its own thread, so a slow one delays no other.
    """

    @property
    def name(self) -> str: ...
    @property
    def interval_s(self) -> float: ...
    @property
    def timeout_s(self) -> float: ...

    def sample(self) -> Sequence[Reading]: ...


Emit = Callable[[str, dict[str, Any]], None]
"""`emit(kind, fields)`: hand one history event over; called from the watch's thread."""


class Watch(Protocol):
    """A stream of cluster events, pushed as they happen."""

    @property
    def name(self) -> str: ...

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit until `stop` is set; reconnects by itself; returns within 2 s after `stop`."""


class Pausable(Protocol):
    """A world whose broker can be frozen."""

    def freeze_broker(self) -> None: ...
    def thaw_broker(self) -> None: ...
    def broker_frozen(self) -> bool:
        """Asks the system: are the broker's processes stopped?"""
        ...

    def broker_answers(self, timeout_s: float) -> bool:
        """True if the broker answers a metadata request within `timeout_s`."""
        ...


class Flappable(Pausable, Protocol):
    """A world whose broker can be made to come and go."""

    def flap_broker(self, away_s: float, back_s: float) -> None: ...
    def steady_broker(self) -> None: ...
    def broker_flaps(self) -> bool: ...


class Partitionable(Protocol):
    """A world that can lose packets on their way to the broker."""

    def cut_broker(self, loss_ratio: float) -> None: ...
    def join_broker(self) -> None: ...
    def broker_cut(self) -> bool: ...
    def packets_dropped(self) -> int: ...


class AgentsKillable(Protocol):
    """A world whose Consul agents can be killed in waves."""

    def kill_agents(self, share: float, every_s: float) -> None: ...
    def spare_agents(self) -> None: ...
    def agents_hunted(self) -> bool: ...
    def agents_killed(self) -> int: ...


class AgentsPausable(Protocol):
    """A world whose Consul agents can be frozen and thawed in turn."""

    def pause_agents(self, share: float, away_s: float, back_s: float) -> None: ...
    def resume_agents(self) -> None: ...
    def agents_paused(self) -> bool: ...
    def agents_frozen(self) -> int: ...


class Churnable(Protocol):
    """A world whose workload can be scaled up and down in turn."""

    def churn_pods(self, low: int, high: int, half_period_s: float) -> None: ...
    def settle_pods(self, pods: int) -> None: ...
    def pods_churn(self) -> bool: ...
    def pods_wanted(self) -> int: ...


class Stressable(Protocol):
    """A world whose app nodes can be kept busy."""

    def stress_nodes(self, nodes: int, workers: int) -> None: ...
    def relax_nodes(self, nodes: int) -> None: ...
    def nodes_stressed(self, nodes: int) -> bool: ...
    def cpu_burnt_s(self, nodes: int) -> float: ...


class Redeployable(Protocol):
    """A world whose agents can be made anew a share at a time, with another gossip key or without."""

    def redeploy_agents(self, mark: str, key: Literal["new", "unchanged"], share: float, *, verify: bool) -> None: ...
    def redeploy_under_way(self) -> bool: ...
    def stop_redeploy(self) -> None: ...
    def redeployed(self) -> int:
        """Pods made anew so far."""
        ...


class Fault(Protocol):
    """A reversible injury. `inject` and `heal` are idempotent; `is_active` asks the system, not our memory."""

    @property
    def name(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def blast_radius(self) -> str:
        """The most that it may ever hit, with its settings in it; stands in the history before it is injected."""
        ...

    def to_record(self) -> dict[str, Any]: ...
    def inject(self, world: Any) -> None: ...
    def heal(self, world: Any) -> None: ...
    def is_active(self, world: Any) -> bool: ...
    def witness(self, world: Any) -> bool:
        """Did it bite? True when the effect is seen from outside (the broker does not answer)."""
        ...


class FaultKind(Protocol):
    """What the fault table holds: the class of a fault."""

    def from_record(self, record: dict[str, Any]) -> Fault:
        """The fault that wrote `record` with `to_record`; an empty record means the defaults."""
        ...


FaultTable = Mapping[str, FaultKind]
"""Fault name -> class. The runner gets it as an argument and knows no fault."""


class LoadGenerator(Protocol):
    """User traffic from its own process, which is the leader of its own process group."""

    def start(self, profile: str, duration_s: float) -> None:
        """Start `profile` (steady or flood), which ends by itself after `duration_s`; a profile that runs is replaced."""
        ...

    def stop(self) -> None:
        """End the process and wait for it; fine if none runs."""
        ...

    def problem(self) -> str | None:
        """Why the process ended before its time; None while all is well."""
        ...


class World(Protocol):
    """The system under test, as the runner needs it."""

    def provide(self) -> None:
        """Have ready what the run needs besides a fresh system (images, a measurement of the nodes); called with the lock held and all healed.

        Raises:
            Refused: it cannot be had; the run was not begun.
            Aborted: it was not ready in time.
        """

    def reset(self, pods: int) -> None:
        """Back to a fresh, steady system with `pods` workload pods: one pool, one leader, empty topic, caps set.

        Raises:
            Aborted: it does not become steady within its allowed time; says what was last seen.
        """

    def probes(self) -> Sequence[Probe]: ...
    def watches(self) -> Sequence[Watch]: ...
    def load(self, folder: Path) -> LoadGenerator:
        """The load generator of this run; it writes its raw lines into the run's `folder`.

        Called as the history is opened, so that both count their seconds from the same moment.
        """
        ...

    def facts(self) -> dict[str, Any]:
        """Host facts, versions, shaping settings, fidelity: what the history opens with."""
        ...

    def accounting(self) -> dict[str, Any]:
        """Where every log line went; asked once, after the watch is over."""
        ...
