"""The neighbour, asked what the lab's own cluster is asked, by the same probes and watches.

What they say is told apart by its name: `neighbour_members_alive`, an event `neighbour_node`. So no checker takes the neighbour's agents or nodes
for those of the first cluster, and the same checkers judge it from what is left when the prefix is taken off (`lab.checkers.neighbour`).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lab.adapters import host
from lab.adapters.consul import NEIGHBOURS_PORT, Consul
from lab.adapters.docker import NEIGHBOUR, Docker
from lab.adapters.kube import Kube
from lab.core.clock import Clock
from lab.core.neighbour import PREFIX, Neighbour, is_neighbour
from lab.core.protocols import Emit, Probe, Reading, Watch
from lab.probes import consul
from lab.probes.gossip import GossipProbe, MemberWatch
from lab.probes.gossip_views import ViewsProbe
from lab.probes.nodes import CpuProbe, LeaseCache, NodeCache, NodesProbe
from lab.probes.reflector import Reflector

Living = Callable[[], set[str]]


def prefixed(name: str) -> str:
    """A series or a kind of event, as the neighbour's."""
    return f"{PREFIX}_{name}"


def by_pool(living: Living, wanted: Neighbour) -> tuple[Living, Living]:
    """Of the agents that live on this host those of the first cluster's pool, and those of the neighbour's: all, where they share it."""
    if not wanted.pods or wanted.shares_the_pool:
        return living, living
    return lambda: {name for name in living() if not is_neighbour(name)}, lambda: {name for name in living() if is_neighbour(name)}


class NeighbourProbe:
    """`Probe` whose series are the neighbour's.

    Args:
        probe: asks the neighbour.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self.name = prefixed(probe.name)
        self.interval_s = probe.interval_s
        self.timeout_s = probe.timeout_s

    def sample(self) -> Sequence[Reading]:
        """What the probe says, under other names."""
        return [replace(reading, series=prefixed(reading.series)) for reading in self._probe.sample()]


class NeighbourWatch:
    """`Watch` whose events are the neighbour's.

    Args:
        watch: follows the neighbour.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.name = prefixed(watch.name)

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """As the watch does, under other names."""

        def told(kind: str, fields: dict[str, Any]) -> None:
            emit(prefixed(kind), fields)

        self._watch.run(told, stop)


@dataclass(slots=True)
class Beside:
    """What its probes share. Make it once per run, after the neighbour was made.

    Args:
        clock: for all durations.
        kube: its API.
        docker: the engine.
        app_node: its node whose CPU is read.
        living: names of the agents of its pool whose processes run on this host (`by_pool`).
    """

    clock: Clock
    kube: Kube
    docker: Docker
    app_node: str
    living: Living
    ready: NodeCache = field(default_factory=NodeCache)
    leases: LeaseCache = field(default_factory=LeaseCache)
    members: MemberWatch = field(init=False)
    nodes: Reflector = field(init=False)
    renewals: Reflector = field(init=False)

    def __post_init__(self) -> None:
        # One and the same agent of the neighbour, as long as it lives: what it is told of the pool, it tells its node's programs.
        self.members = MemberWatch(Consul(NEIGHBOURS_PORT, timeout_s=5.0), living=self.living)
        self.nodes = Reflector("nodes", self.kube.nodes_source(), self.ready)
        self.renewals = Reflector("leases", self.kube.leases_source(), self.leases)


def neighbour_watches(beside: Beside) -> list[Watch]:
    """Its nodes, their leases, and the pool as one of its agents sees it."""
    return [NeighbourWatch(watch) for watch in (beside.nodes, beside.renewals, beside.members)]


def neighbour_probes(beside: Beside) -> list[Probe]:
    """Links 2, 3, 5 and 6 of the neighbour: is it well by itself, what do its agents hold of the pool, how do they answer."""
    clock = beside.clock
    agents = Consul(NEIGHBOURS_PORT, timeout_s=10.0, keep=False)

    def locate(node: str) -> host.Cgroup:
        found = next(each for each in beside.docker.nodes(NEIGHBOUR) if each.name == node)
        return host.Cgroup(found.id, beside.docker.pid(node))

    asked: list[Probe] = [
        NodesProbe(beside.ready, beside.leases, beside.nodes, beside.renewals, clock),
        CpuProbe([beside.app_node], locate, clock),
        GossipProbe(beside.members, beside.living, clock),
        ViewsProbe(agents, beside.living),
        consul.agent_reads(agents, clock),
    ]
    return [NeighbourProbe(probe) for probe in asked]
