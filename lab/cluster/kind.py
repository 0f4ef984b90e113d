"""Bring the kind cluster up and take it down.

`up` is a list of steps that each may be repeated; whatever exists already is left as it is.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from lab.adapters import host, shell
from lab.adapters.docker import CLUSTER, NETWORK, Docker
from lab.cluster import network
from lab.core import paths
from lab.core.errors import LabError, Refused, Unavailable
from lab.core.progress import Progress

CREATE_ALLOWED_S = 300.0
"""Chosen: 38 s were seen for 7 nodes on 2 idle cores; a busy machine took four times as long."""
DELETE_TRIES = 5
"""Chosen: the engine gives a killed container 10 s to be gone; a starved node with 300 processes on its cap was seen to take longer, once."""


def exists(docker: Docker) -> bool:
    """Does the engine hold any node of the lab's cluster?"""
    return bool(docker.nodes())


def create(progress: Progress, docker: Docker, config: Path, env: Mapping[str, str]) -> None:
    """`kind create cluster` on the lab's network; a half-made cluster is removed.

    Raises:
        Refused: somebody else's cluster has the lab's name.
        Aborted: kind gave up; the message has its last lines and the log's place.
    """
    if strangers := docker.strangers():
        raise Refused(
            f"make the cluster {CLUSTER}",
            f"a cluster of that name is here that the lab did not make: {', '.join(node.name for node in strangers)}",
            f"remove it if it is not needed: kind delete cluster --name {CLUSTER}",
        )
    network.ensure(docker)
    log = paths.cache() / "logs" / "kind-create.log"
    log.unlink(missing_ok=True)
    with progress.step("kind create cluster", CREATE_ALLOWED_S) as step:
        step.say(f"log {log}")
        try:
            shell.run(
                [kind(), "create", "cluster", "--config", str(config), "--kubeconfig", str(paths.KUBECONFIG)],
                timeout_s=CREATE_ALLOWED_S,
                log=log,
                env={**env, "KIND_EXPERIMENTAL_DOCKER_NETWORK": NETWORK},
            )
        except Exception:
            delete(docker, env)
            raise


def delete(docker: Docker, env: Mapping[str, str]) -> None:
    """Remove the cluster's nodes with their volumes, and the network. Idempotent.

    Raises:
        LabError: a node survived `DELETE_TRIES`; the message has what the engine said.
    """
    for node in docker.nodes():
        docker.cap(node.name, 0)
    _delete_nodes(docker, env)
    docker.remove_network()


@retry(retry=retry_if_exception_type(LabError), stop=stop_after_attempt(DELETE_TRIES), reraise=True)
def _delete_nodes(docker: Docker, env: Mapping[str, str]) -> None:
    nodes = docker.nodes()
    for node in nodes if os.geteuid() == 0 else []:
        host.thaw(node.id)
    if nodes:
        shell.run([kind(), "delete", "cluster", "--name", CLUSTER, "--kubeconfig", str(paths.KUBECONFIG)], timeout_s=120, env=env)


def kind() -> str:
    """The pinned kind, built into the cache.

    Raises:
        Unavailable: it has not been built.
    """
    built = paths.cache() / "bin" / "kind"
    if not built.is_file():
        raise Unavailable("find kind", f"no {built}", "make images")
    return str(built)
