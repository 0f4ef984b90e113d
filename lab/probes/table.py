"""Every probe and watch of a standard run, in one place. A new one is one file and one line here."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.adapters import host
from lab.adapters.consul import AGENTS_PORT, SERVERS_PORT, Consul
from lab.adapters.cri import Runtimes
from lab.adapters.docker import Docker
from lab.adapters.kafka import Broker
from lab.adapters.kube import Kube
from lab.core.clock import Clock
from lab.core.paths import TALLY
from lab.core.protocols import Probe, Watch
from lab.core.tally import Tally
from lab.probes import consul
from lab.probes.gossip import GossipProbe, MemberWatch, StatsProbe
from lab.probes.kafka import KafkaProbe
from lab.probes.kube_events import KubeEvents
from lab.probes.lab import LabCpu
from lab.probes.nodes import CpuProbe, CriProbe, LeaseCache, NodeCache, NodesProbe
from lab.probes.pods import PodCache, PodsProbe
from lab.probes.reflector import Reflector
from lab.probes.tallies import TalliesProbe


def _no_pids() -> Iterable[int]:
    return ()


@dataclass(frozen=True, slots=True)
class Handles:
    """What the probes of one run share. Make it once per run: the watches fill the caches that the probes read.

    Args:
        clock: for all durations.
        kube: the cluster.
        docker: the engine.
        nodes: all nodes whose CPU is read.
        app_nodes: nodes of the workload.
        more_pids: processes of the lab that are no children of this one (the watchdog).
        tally: folder of the tallies.
    """

    clock: Clock
    kube: Kube
    docker: Docker
    nodes: Sequence[str]
    app_nodes: Sequence[str]
    more_pids: Callable[[], Iterable[int]] = _no_pids
    tally: Path = TALLY
    pods: PodCache = field(default_factory=PodCache)
    ready: NodeCache = field(default_factory=NodeCache)
    leases: LeaseCache = field(default_factory=LeaseCache)
    members: MemberWatch = field(default_factory=lambda: MemberWatch(Consul(SERVERS_PORT, timeout_s=5.0)))
    watched: dict[str, Reflector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watched["pods"] = Reflector("pods", self.kube.pods_source(), self.pods)
        self.watched["nodes"] = Reflector("nodes", self.kube.nodes_source(), self.ready)
        self.watched["leases"] = Reflector("leases", self.kube.leases_source(), self.leases)
        self.watched["kube_events"] = Reflector("kube_events", self.kube.events_source(), KubeEvents(self.clock))


def standard_watches(handles: Handles) -> list[Watch]:
    """The watches of `handles`; run them before the probes, which read what they gather."""
    return [*handles.watched.values(), handles.members]


def standard_probes(handles: Handles) -> list[Probe]:
    """Probes of links 0 to 6, and of the lab itself."""
    return [*_cluster_probes(handles), *_consul_probes(handles.clock), *_host_probes(handles)]


def _cluster_probes(handles: Handles) -> list[Probe]:
    watched = handles.watched
    return [
        KafkaProbe(Broker(handles.clock), handles.clock),
        NodesProbe(handles.ready, handles.leases, watched["nodes"], watched["leases"], handles.clock),
        PodsProbe(handles.pods, watched["pods"]),
        GossipProbe(handles.members, host.Agents().living, handles.clock),
    ]


def _consul_probes(clock: Clock) -> list[Probe]:
    """Each kind of question has its own client: what one waits for never holds another."""
    servers = Consul(SERVERS_PORT, timeout_s=10.0, keep=False)
    agents = Consul(AGENTS_PORT, timeout_s=10.0, keep=False)
    return [
        consul.server_reads(servers, clock),
        consul.server_writes(servers, clock),
        consul.agent_reads(agents, clock),
        consul.LeaderProbe(Consul(SERVERS_PORT, timeout_s=5.0)),
        StatsProbe(Consul(SERVERS_PORT, timeout_s=10.0), agents),
    ]


def _host_probes(handles: Handles) -> list[Probe]:
    docker, clock = handles.docker, handles.clock
    ids = {node.name: node.id for node in docker.nodes()}

    def locate(node: str) -> host.Cgroup:
        return host.Cgroup(ids[node], docker.pid(node))

    def read_tallies(pods: Iterable[str]) -> dict[str, Tally]:
        return host.read_tallies(handles.tally, pods)

    def family() -> dict[int, str]:
        return {pid: words for root in (os.getpid(), *handles.more_pids()) for pid, words in host.family(root).items()}

    return [
        CpuProbe(handles.nodes, locate, clock),
        CriProbe(handles.app_nodes, Runtimes(docker.pid, clock), clock),
        TalliesProbe(handles.app_nodes, handles.pods, handles.watched["pods"], read_tallies, clock),
        LabCpu(family, host.cpu_seconds, clock),
    ]
