"""Every probe and watch of a standard run, in one place. A new one is one file and one line here."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.adapters import balancer, host
from lab.adapters.agent_logs import AgentLogs
from lab.adapters.consul import AGENTS_PORT, SERVERS_PORT, Consul
from lab.adapters.cri import Runtimes
from lab.adapters.docker import Docker
from lab.adapters.kafka import Broker
from lab.adapters.kube import Kube
from lab.adapters.vault import Vault
from lab.core.clock import Clock
from lab.core.paths import TALLY
from lab.core.protocols import Probe, Watch
from lab.core.secrets import Deployer
from lab.core.shipped import Shipped, credited
from lab.core.shipper import DEFAULT_SHIPPER, Shipper
from lab.core.tally import Tally
from lab.core.vault import DEFAULT_STORAGE, INSTANCES, Storage
from lab.probes import consul
from lab.probes.collectors import CollectorsProbe
from lab.probes.deploys import DeployProbe
from lab.probes.gossip import GossipProbe, MemberWatch, StatsProbe
from lab.probes.gossip_views import ViewsProbe
from lab.probes.handoff import HandoffProbe
from lab.probes.kafka import KafkaProbe
from lab.probes.kube_events import KubeEvents
from lab.probes.lab import LabCpu
from lab.probes.lb import BalancerProbe, balancer_answers
from lab.probes.nodes import CpuProbe, CriProbe, LeaseCache, NodeCache, NodesProbe
from lab.probes.pods import PodCache, PodsProbe
from lab.probes.reflector import Reflector
from lab.probes.tallies import TalliesProbe
from lab.probes.vault import VaultLogins, VaultProbe


def _no_pids() -> Iterable[int]:
    return ()


@dataclass(slots=True)
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
        deployer: who logs in to Vault and deploys; None where the lab has no credentials.
        logging: is there a broker to ask?
        shipper: what ships the log lines; only the default one keeps a tally.
        storage: where Vault keeps its data, which says how many instances it has.
        living: names of the agents whose processes run on this host.
    """

    clock: Clock
    kube: Kube
    docker: Docker
    nodes: Sequence[str]
    app_nodes: Sequence[str]
    more_pids: Callable[[], Iterable[int]] = _no_pids
    tally: Path = TALLY
    deployer: Deployer | None = None
    logging: bool = True
    shipper: Shipper = DEFAULT_SHIPPER
    storage: Storage = DEFAULT_STORAGE
    pods: PodCache = field(default_factory=PodCache)
    ready: NodeCache = field(default_factory=NodeCache)
    leases: LeaseCache = field(default_factory=LeaseCache)
    living: Callable[[], set[str]] = field(default_factory=lambda: host.Agents().living)
    members: MemberWatch = field(init=False)
    watched: dict[str, Reflector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.members = MemberWatch(Consul(SERVERS_PORT, timeout_s=5.0), living=self.living)
        self.watched["pods"] = Reflector("pods", self.kube.pods_source(), self.pods)
        self.watched["nodes"] = Reflector("nodes", self.kube.nodes_source(), self.ready)
        self.watched["leases"] = Reflector("leases", self.kube.leases_source(), self.leases)
        self.watched["kube_events"] = Reflector("kube_events", self.kube.events_source(), KubeEvents(self.clock))


def standard_watches(handles: Handles) -> list[Watch]:
    """The watches of `handles`; run them before the probes, which read what they gather."""
    return [*handles.watched.values(), handles.members]


def standard_probes(handles: Handles) -> list[Probe]:
    """Probes of links 0 to 9, and of the lab itself."""
    return [*_cluster_probes(handles), *_consul_probes(handles), *_platform_probes(handles), *_host_probes(handles)]


def _cluster_probes(handles: Handles) -> list[Probe]:
    watched = handles.watched
    return [
        *([KafkaProbe(Broker(handles.clock), handles.clock)] if handles.logging else []),
        NodesProbe(handles.ready, handles.leases, watched["nodes"], watched["leases"], handles.clock),
        PodsProbe(handles.pods, watched["pods"]),
        GossipProbe(handles.members, handles.living, handles.clock),
    ]


def _consul_probes(handles: Handles) -> list[Probe]:
    """Each kind of question has its own client: what one waits for never holds another."""
    clock = handles.clock
    servers = Consul(SERVERS_PORT, timeout_s=10.0, keep=False)
    agents = Consul(AGENTS_PORT, timeout_s=10.0, keep=False)
    return [
        consul.server_reads(servers, clock),
        consul.server_writes(servers, clock),
        consul.agent_reads(agents, clock),
        consul.LeaderProbe(Consul(SERVERS_PORT, timeout_s=5.0)),
        StatsProbe(Consul(SERVERS_PORT, timeout_s=10.0), agents),
        ViewsProbe(agents, handles.living),
    ]


def _platform_probes(handles: Handles) -> list[Probe]:
    """Links 7 to 9. A deploy is made of several requests, so each of its clients is given less time than one that is measured alone."""
    clock, deployer = handles.clock, handles.deployer
    vaults = [Vault(number, timeout_s=5.0) for number in range(INSTANCES[handles.storage])]
    patient = [Vault(number, timeout_s=10.0) for number in range(INSTANCES[handles.storage])]
    front = balancer.Balancer(timeout_s=5.0)
    servers = Consul(SERVERS_PORT, timeout_s=5.0, keep=False)
    return [
        VaultProbe(vaults),
        VaultLogins(patient, deployer, clock),
        balancer_answers(balancer.Balancer(timeout_s=10.0), clock),
        BalancerProbe(front, servers, clock),
        DeployProbe(vaults, deployer, servers, front, balancer.CANARY, clock),
    ]


def _host_probes(handles: Handles) -> list[Probe]:
    docker, clock = handles.docker, handles.clock
    ids = {node.name: node.id for node in docker.nodes()}

    def locate(node: str) -> host.Cgroup:
        return host.Cgroup(ids[node], docker.pid(node))

    def family() -> dict[int, str]:
        return {pid: words for root in (os.getpid(), *handles.more_pids()) for pid, words in host.family(root).items()}

    return [
        CpuProbe(handles.nodes, locate, clock),
        CriProbe(handles.app_nodes, Runtimes(docker.pid, clock), clock),
        HandoffProbe(handles.app_nodes, AgentLogs(docker.pid)),
        _log_probe(handles),
        LabCpu(family, host.cpu_seconds, clock),
    ]


def _log_probe(handles: Handles) -> Probe:
    """Backlogs, by what the shipper keeps: a tally in each pod, counters of its own in each pod, or counters of its own on each node."""

    def kept(pods: Iterable[str]) -> dict[str, Tally]:
        return host.read_tallies(handles.tally, pods)

    def filled(pods: Iterable[str]) -> dict[str, Tally]:
        done = shipped()
        return {pod: credited(tally, done.get(pod, Shipped())) for pod, tally in kept(pods).items()}

    def shipped() -> dict[str, Shipped]:
        return host.read_shipped(handles.tally)

    nodes, pods, watch, clock = handles.app_nodes, handles.pods, handles.watched["pods"], handles.clock
    if handles.shipper == "rsyslog-daemonset":
        return CollectorsProbe(nodes, pods, watch, kept, shipped, clock)
    return TalliesProbe(nodes, pods, watch, kept if handles.shipper == DEFAULT_SHIPPER else filled, clock)
