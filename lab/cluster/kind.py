"""Bring the kind cluster up and take it down.

`up` is a list of steps that each may be repeated; whatever exists already is left as it is.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import psutil
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from lab.adapters import host, shell
from lab.adapters.docker import CLUSTER, NEIGHBOUR, NETWORK, Docker
from lab.cluster import network
from lab.core import paths
from lab.core.errors import LabError, Refused, Unavailable
from lab.core.progress import Progress

CREATE_ALLOWED_S = 300.0
"""Chosen: 38 s were seen for 7 nodes on 2 idle cores; a busy machine took four times as long."""
DELETE_TRIES = 5
"""Chosen: the engine gives a killed container 10 s to be gone; a starved node with 300 processes on its cap was seen to take longer, once."""

KILLED_ALLOWED_S = 10.0
"""Chosen: a killed process is gone in milliseconds; on a busy machine in a second."""


def exists(docker: Docker) -> bool:
    """Does the engine hold any node of the lab's cluster?"""
    return bool(docker.nodes())


KUBECONFIGS = {CLUSTER: paths.KUBECONFIG, NEIGHBOUR: paths.NEIGHBOUR_KUBECONFIG}
"""Of each cluster that the lab may make."""


def create(progress: Progress, docker: Docker, config: Path, env: Mapping[str, str], cluster: str = CLUSTER) -> None:
    """`kind create cluster` on the lab's network; a half-made cluster is removed.

    Args:
        progress: one step.
        docker: the engine.
        config: for kind; holds the cluster's name.
        env: variables for kind.
        cluster: that name; the lab's own if left out.

    Raises:
        Refused: somebody else's cluster has the name.
        Aborted: kind gave up; the message has its last lines and the log's place.
    """
    if strangers := docker.strangers(cluster):
        raise Refused(
            f"make the cluster {cluster}",
            f"a cluster of that name is here that the lab did not make: {', '.join(node.name for node in strangers)}",
            f"remove it if it is not needed: kind delete cluster --name {cluster}",
        )
    network.ensure(docker)
    log = paths.cache() / "logs" / f"kind-create{cluster.removeprefix(CLUSTER)}.log"
    log.unlink(missing_ok=True)
    with progress.step(f"kind create cluster{cluster.removeprefix(CLUSTER).replace('-', ' ')}", CREATE_ALLOWED_S) as step:
        step.say(f"log {log}")
        try:
            shell.run(
                [kind(), "create", "cluster", "--config", str(config), "--kubeconfig", str(KUBECONFIGS[cluster])],
                timeout_s=CREATE_ALLOWED_S,
                log=log,
                env={**env, "KIND_EXPERIMENTAL_DOCKER_NETWORK": NETWORK},
            )
        except Exception:
            if cluster == CLUSTER:
                delete(docker, env)
            else:
                remove(docker, env, cluster)
            raise


def delete(docker: Docker, env: Mapping[str, str]) -> None:
    """Remove the lab's clusters, their nodes with their volumes, and the network. Idempotent.

    Raises:
        LabError: a node survived `DELETE_TRIES`; the message has what the engine said.
    """
    for cluster in (NEIGHBOUR, CLUSTER):
        remove(docker, env, cluster)
    docker.remove_network()


def remove(docker: Docker, env: Mapping[str, str], cluster: str) -> None:
    """Remove one of them; the network stays. Idempotent.

    Raises:
        LabError: as `delete`.
    """
    for maker in makers(cluster):
        _end(maker)
    for node in docker.nodes(cluster):
        docker.cap(node.name, 0)
    _delete_nodes(docker, env, cluster)


@retry(retry=retry_if_exception_type(LabError), stop=stop_after_attempt(DELETE_TRIES), reraise=True)
def _delete_nodes(docker: Docker, env: Mapping[str, str], cluster: str) -> None:
    nodes = docker.nodes(cluster)
    for node in nodes if os.geteuid() == 0 else []:
        host.thaw(node.id)
    if nodes:
        shell.run([kind(), "delete", "cluster", "--name", cluster, "--kubeconfig", str(KUBECONFIGS[cluster])], timeout_s=120, env=env)


def makers(cluster: str) -> list[psutil.Process]:
    """Each `kind create cluster` of that cluster which runs: one whose lab was killed goes on without it, and would make nodes behind our backs."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "create" in words and str(KUBECONFIGS[cluster]) in words:
            found.append(process)
    return found


def _end(maker: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [maker, *maker.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=KILLED_ALLOWED_S)


def kind() -> str:
    """The pinned kind, built into the cache.

    Raises:
        Unavailable: it has not been built.
    """
    built = paths.cache() / "bin" / "kind"
    if not built.is_file():
        raise Unavailable("find kind", f"no {built}", "make images")
    return str(built)
