"""The shape of the cluster: read from kind-config.yaml, planned against the host, and how a small node stands for a large one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lab.adapters.docker import CLUSTER
from lab.core.errors import Refused
from lab.core.experiment import Shape, Workload
from lab.core.neighbour import Neighbour
from lab.core.vault import DEFAULT_STORAGE, Storage

CONTROL_PLANE_USE_CORES = 0.2
"""Measured 0.13 core idle for Kubernetes 1.34 with 7 nodes; the rest is room for the evictions."""
NEIGHBOUR_CONTROL_USE_CORES = 0.1
"""Chosen: less than the 0.13 core that was measured with 7 nodes; here two nodes and a handful of pods."""
CORE_ROOM = 1.4
"""Least cap of the core node over its use at rest. Chosen: with 1.1 times the servers' reads took up to 0.25 s while nothing was broken, with 1.9 times
0.04 s; in a cascade Vault and the deploys went in both."""
LAB_USE_CORES = 0.2
"""Chosen: probes and Locust must not queue behind the nodes; the lab itself is held to 0.05."""

SHARES = {"kubelet-kubepods.slice": 98304, "kubelet.service": 1024, "kubelet.slice": 100000, "system.slice": 1024}
"""CPU shares inside an app node that stand for a large host of 2018: there kubepods weighs cores x 1024 (96 cores: 98,304) against 1,024 for
system.slice, which holds the runtime and the kubelet. Inside a capped kind node the kubelet would set them from the host's few cores, and a
node of 0.12 core kept its lease in full flood. Raising the first figure starves the kubelet and the runtime sooner."""

SCALED_TIMERS = {
    "node-monitor-period": "2 s (5 s)",
    "node-monitor-grace-period": "12 s (40 s in 2019)",
    "node lease": "8 s (40 s)",
    "nodeStatusUpdateFrequency": "4 s (10 s)",
    "not-ready and unreachable toleration": "10 s (300 s)",
    "zone brake": "off (on below 50 nodes)",
    "node-eviction-rate": "5 nodes/s (0.1)",
    "terminationGracePeriodSeconds": "5 s (30 s)",
    "consul-template wait": "1 to 3 s (5 to 10 s is usual)",
    "consul-template max_backoff": "5 s (60 s)",
}
"""Timers and rates as set in kind-config.yaml and manifests/, with the defaults in brackets."""

_CONSULS = {
    "1.2.2": "a version from before Target's upgrade to 1.2.3",
    "1.2.2-newgossip": "1.2.2 with the gossip libraries of 1.2.3",
    "1.2.3": "what Target moved to after the incident",
    "1.22.3": "not of the incident's time",
}
_FIDELITY = (
    "Real programs: Kubernetes 1.34.4 in kind, containerd, Kafka 4.3.1, Consul {consul} ({which}), {shipper} shippers, Locust.",
    "Scaled down: 5 app nodes and some dozens of pods on one machine; Target had about 2,000 workloads in its largest development cluster and about 41,000 agents in one gossip pool.",
    "A node is a container with a CPU cap, calibrated as a multiple of its steady use; the share ratio of a 96-core host is put on its slices. Timers are shortened (listed in the settings).",
    "{vault}; the load balancer is HAProxy, its configuration made by consul-template of today; a canary deploy registers an instance in Consul and starts no pod.",
    "Not Target's: containerd instead of dockerd, Kubernetes of 2025, one Kafka broker, an outage of seconds instead of hours.",
    "Not published by Target, so not compared: node counts, CPU figures, Consul latencies, a minute-level timeline.",
)
"""Sources: D. Woods 2019; J. Engelman 2019."""

_VAULTS: Mapping[Storage, str] = {
    "consul": "Vault 1.1.2 keeps data and lock in Consul with its own timers (session, lock wait and lock delay 15 s)",
    "raft": "Vault 1.4.3, of 2020, keeps its data itself on three instances that vote by raft, and asks Consul for nothing",
}

_NO_KAFKA = "In this run there is no Kafka, no shipper and nothing logged, whatever is said of them above."
_COLLECTED = "In this run pods have no logging sidecar: they write their lines to stdout, and one rsyslog on each node ships what the runtime stores."
_SHARED_POD = (
    "In this run {agents} Consul agents live in each pod: members with names and ports of their own, on one address and in one container."
)
_WATCHED = "In this run each pod keeps {watches} blocking queries at its agent, beside all that is said above."
_NEIGHBOUR = (
    "In this run a second cluster of one control plane and one app node stands beside the first, on the same machine, with {pods} pods of an app and "
    "a Consul agent and without sidecars; its agents are in {pool}. Target had more clusters than two, on machines of their own."
)
_POOLS = {"shared": "the gossip pool of the first cluster and ask its Consul servers", "own": "a pool of their own, with one Consul server"}


def fidelity(consul: str, workload: Workload, storage: Storage = DEFAULT_STORAGE, neighbour: Neighbour | None = None) -> list[str]:
    """The fidelity statement of every history and report."""
    words = {"consul": consul, "which": _CONSULS[consul], "shipper": workload.shipper, "vault": _VAULTS[storage]}
    common = [sentence.format(**words) for sentence in _FIDELITY]
    shared = [_SHARED_POD.format(agents=workload.agents_per_pod)] if workload.agents_per_pod > 1 else []
    collected = [_COLLECTED] if workload.shipper == "rsyslog-daemonset" else []
    watched = [_WATCHED.format(watches=workload.watches_per_pod)] if workload.watches_per_pod else []
    beside = [_NEIGHBOUR.format(pods=neighbour.pods, pool=_POOLS[neighbour.pool])] if neighbour is not None and neighbour.pods else []
    return [*common, *shared, *collected, *watched, *beside, *([] if workload.logging else [_NO_KAFKA])]


@dataclass(frozen=True, slots=True)
class Node:
    """One node of kind-config.yaml. `role` is `control-plane`, `core` or `app`."""

    name: str
    role: str
    image: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Caps in cores; that of the neighbour's app node is 0 where there is no neighbour."""

    app_cap_cores: float
    core_cap_cores: float
    app_nodes: int
    neighbour_cap_cores: float = 0.0

    @property
    def total_cores(self) -> float:
        """What all caps, the control planes and the lab itself may use together."""
        beside = self.neighbour_cap_cores + NEIGHBOUR_CONTROL_USE_CORES if self.neighbour_cap_cores else 0.0
        return self.app_cap_cores * self.app_nodes + self.core_cap_cores + CONTROL_PLANE_USE_CORES + LAB_USE_CORES + beside


def read_nodes(config: Path) -> list[Node]:
    """Nodes of a kind configuration, named as kind names them.

    Raises:
        Refused: the file is not one, or it has no core node or no app node.
    """
    document = YAML(typ="safe").load(config.read_text(encoding="utf-8"))
    nodes: list[Node] = []
    workers = 0
    for entry in document.get("nodes") or []:
        if entry["role"] == "control-plane":
            nodes.append(Node(f"{document['name']}-control-plane", "control-plane", entry["image"]))
            continue
        workers += 1
        name = f"{document['name']}-worker{workers if workers > 1 else ''}"
        nodes.append(Node(name, entry.get("labels", {}).get("lab.role", "app"), entry["image"]))
    roles = {node.role for node in nodes}
    if document.get("name") != CLUSTER or not roles >= {"control-plane", "core", "app"}:
        raise Refused(
            f"use {config}",
            f"name {document.get('name')}, roles {sorted(roles)}",
            f"keep the name {CLUSTER} and at least one core and one app node",
        )
    return nodes


def networking(config: Path) -> dict[str, Any]:
    """That part of a kind configuration: the API server's place, the ranges of pods and services."""
    return dict(YAML(typ="safe").load(config.read_text(encoding="utf-8"))["networking"])


@dataclass(frozen=True, slots=True)
class Use:
    """Mean use of an app node and of the core node at rest under the steady workload, in cores; the core node's is 0 where it is not known."""

    app_cores: float
    core_cores: float = 0.0


def plan(use: Use, shape: Shape, app_nodes: int, host_cores: int, neighbour: Neighbour | None = None) -> Plan:
    """Caps from the measured steady use of the nodes.

    Args:
        use: what the nodes take at rest.
        shape: the app nodes' cap as a multiple of it, and the core node's, which is more where that would leave it no room at rest and the host has some.
        app_nodes: how many app nodes share the host.
        host_cores: cores of the host.
        neighbour: the second cluster, if there is to be one.

    Raises:
        Refused: the caps add up to more than the host, so the host and not the cap would starve the nodes.
    """
    beside = neighbour.cap_cores if neighbour is not None and neighbour.pods else 0.0
    planned = Plan(round(use.app_cores * shape.cap_multiple, 3), shape.core_cap_cores, app_nodes, beside)
    left_cores = host_cores - planned.total_cores
    if (more_cores := min(left_cores, CORE_ROOM * use.core_cores - shape.core_cap_cores)) > 0:
        planned = replace(planned, core_cap_cores=round(shape.core_cap_cores + more_cores, 3))
    if planned.total_cores > host_cores:
        also = f", the neighbour's at {beside}" if beside else ""
        raise Refused(
            f"cap {app_nodes} app nodes at {planned.app_cap_cores} cores and the core node at {shape.core_cap_cores}{also}",
            f"together with the control plane and the lab that is {planned.total_cores:.2f} cores, and this host has {host_cores}",
            "use fewer pods or a smaller multiple: lab run EXPERIMENT --set workload.pods=40",
        )
    return planned
