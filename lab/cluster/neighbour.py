"""The neighbour: a second, small kind cluster beside the lab's own, made for a run that asks for it, and removed after that run.

Nothing is done to it. Its pods have a range of their own, and both clusters have routes to each other's pods, so that its agents may be members of
the first one's gossip pool. It belongs to no more than one run: what a killed one leaves is removed by whatever comes next (`lab run`, `up`, `heal`,
`down`), so whether one that is there is whole need never be asked.
"""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lab.adapters import shell
from lab.adapters.docker import NEIGHBOUR, Docker
from lab.cluster import kind, network
from lab.cluster.settle import until
from lab.cluster.shape import Node, networking
from lab.core import paths
from lab.core.clock import Clock
from lab.core.errors import LabError
from lab.core.neighbour import Neighbour, is_neighbour
from lab.core.progress import Progress

CONTROL, APP = f"{NEIGHBOUR}-control-plane", f"{NEIGHBOUR}-worker"
"""Its nodes, named as kind names them."""
PORTS = (16444, 18502)
"""Host ports of kind-neighbour.yaml."""
CONFIG, FIRST_CONFIG = "kind-neighbour.yaml", "kind-config.yaml"
FOLDER = paths.STATE / "neighbour"
FIRST_SERVERS, OWN_SERVERS = 3, 1
"""Consul servers of the first cluster (manifests/core/consul.yaml), and of a pool of its own (manifests/neighbour/own-pool)."""
POOLS = {"shared": "the shared pool", "own": "a pool of their own"}
READY_ALLOWED_S = 240.0
"""Chosen: its app node has yet to unpack its images while the first cluster works; 50 pods of that took 75 to 160 s for the same reason."""
APPLY_ALLOWED_S = 60.0
"""As for the first cluster's arms."""


class Pool(Protocol):
    """The pool as some agent or server sees it."""

    def members(self) -> Mapping[str, str]: ...
    def leader(self) -> str: ...


def make(progress: Progress, docker: Docker, first: Sequence[Node], env: Mapping[str, str]) -> None:
    """`kind create cluster`, then the routes of both clusters; none of that name must be there.

    Args:
        progress: takes the steps.
        docker: the engine.
        first: the nodes of the lab's own cluster, in the order of their ranges.
        env: variables for kind.

    Raises:
        Aborted: kind gave up.
    """
    kind.create(progress, docker, paths.project() / CONFIG, env, NEIGHBOUR)
    with progress.step("the neighbour's network"):
        connect(docker, first)


def connect(docker: Docker, first: Sequence[Node]) -> None:
    """Give each of its nodes its network, and have pods of both clusters reach each other.

    The servers that its agents join have addresses of the first cluster's services. The core node there serves them to whoever sends to it.
    """
    near, far = docker.addresses(NEIGHBOUR), docker.addresses()
    mine, theirs = networking(paths.project() / CONFIG), networking(paths.project() / FIRST_CONFIG)
    held = network.ranges([CONTROL, APP], mine["podSubnet"])
    network.connect(docker, near, held, mine["serviceSubnet"])
    network.route(docker, [node.name for node in first], {cidr: near[node] for node, cidr in held.items()})
    ways = {cidr: far[node] for node, cidr in network.ranges([node.name for node in first], theirs["podSubnet"]).items()}
    core = next(node.name for node in first if node.role == "core")
    network.route(docker, [CONTROL, APP], {**ways, theirs["serviceSubnet"]: far[core]})


def remove(progress: Progress, docker: Docker, first: Sequence[Node], env: Mapping[str, str]) -> None:
    """Take it away with what it left in the first cluster's nodes and on disk.

    Raises:
        LabError: a node of it cannot be removed.
    """
    with progress.step("removing the neighbour"):
        kind.remove(docker, env, NEIGHBOUR)
        held = network.ranges([CONTROL, APP], networking(paths.project() / CONFIG)["podSubnet"])
        with contextlib.suppress(LabError):  # they lead to nobody, and are gone with their nodes at the latest
            network.unroute(docker, [node.name for node in first], list(held.values()))
        paths.NEIGHBOUR_KUBECONFIG.unlink(missing_ok=True)


def apply(wanted: Neighbour, consul: str) -> None:
    """Its objects, with so many pods, in the pool that is asked for.

    Raises:
        LabError: kubectl refused; the message has what it said.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(kustomization(wanted, consul, paths.project() / "manifests", FOLDER), indent=1)
    (FOLDER / "kustomization.yaml").write_text(text, encoding="utf-8")  # JSON is YAML
    kubectl = [str(paths.cache() / "bin" / "kubectl"), "--kubeconfig", str(paths.NEIGHBOUR_KUBECONFIG)]
    # Nothing in it asks for a name, and its node has better to do.
    shell.run([*kubectl, "scale", "deployment/coredns", "--namespace", "kube-system", "--replicas=0"], timeout_s=APPLY_ALLOWED_S)
    shell.run([*kubectl, "apply", "--server-side", "-k", str(FOLDER)], timeout_s=APPLY_ALLOWED_S)


def kustomization(wanted: Neighbour, consul: str, manifests: Path, folder: Path) -> dict[str, Any]:
    """What kustomize makes its objects from.

    Args:
        wanted: how many pods, in whose pool.
        consul: version of its agents.
        manifests: the lab's objects.
        folder: where it will lie; kustomize takes no absolute paths.
    """
    base = Path(os.path.relpath(manifests.resolve() / "neighbour", folder.resolve()))
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(base)],
        "components": [str(base / "own-pool")] if wanted.pool == "own" else [],
        "images": [{"name": "consul", "newTag": consul}],
        "replicas": [{"name": "neighbour-app", "count": wanted.pods}],
    }


def await_members(progress: Progress, clock: Clock, wanted: Neighbour, own: Pool, first: Pool) -> None:
    """Wait until its agents are in the pool that they were told to join, and nowhere else, and that pool has a leader.

    Args:
        progress: takes one step.
        clock: paces the looks.
        wanted: how many pods, in whose pool.
        own: the pool as an agent of the neighbour sees it.
        first: the pool as a server of the first cluster sees it.

    Raises:
        Aborted: they are not in time; says what was last seen.
    """
    members = wanted.pods + (OWN_SERVERS if wanted.pool == "own" else 0)

    def look() -> str:
        seen = _alive(own)
        near, there = _neighbours(seen), _neighbours(_alive(first))
        others = len(seen) - near
        together = there == members and others >= FIRST_SERVERS
        apart = there == others == 0
        if near != members or not (together if wanted.pool == "shared" else apart):
            return f"its agents see {near} of {members} of themselves and {others} others; the first cluster sees {there} of them"
        return "" if own.leader() else "its agents know no leader"

    until(progress, clock, f"{wanted.pods} agents of the neighbour in {POOLS[wanted.pool]}", look, READY_ALLOWED_S)


def _alive(pool: Pool) -> set[str]:
    return {name for name, state in pool.members().items() if state == "alive"}


def _neighbours(names: set[str]) -> int:
    return sum(map(is_neighbour, names))
