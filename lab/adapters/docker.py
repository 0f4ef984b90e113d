"""The container engine through docker-py: the nodes of the lab's cluster, their caps, programs run in them, and what is left behind.

Foreign exceptions end here. The engine is the one that `DOCKER_HOST` names, or the local one.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import requests
import urllib3
from docker import APIClient
from docker.errors import DockerException, NotFound
from docker.types import IPAMConfig, IPAMPool
from docker.utils import kwargs_from_env

from lab.adapters.host import Cgroup
from lab.core.errors import LabError, Refused, Unavailable

CLUSTER: Final = "cascade-lab"
NEIGHBOUR: Final = "cascade-lab-neighbour"
"""The second, small cluster that an experiment may ask for."""
NETWORK: Final = "lab"
_LABEL: Final = "io.x-k8s.kind.cluster"
"""kind puts the cluster's name here (kind pkg/cluster/internal/providers/docker/constants.go)."""
_ROLE_LABEL: Final = "io.x-k8s.kind.role"
_PART_OF: Final = "app.kubernetes.io/part-of=cascade-lab"

_ANSWER_S: Final = 30.0
"""Time for one answer of the engine. Chosen: on two loaded cores starting a container was seen to take seconds."""
USUAL_SHARES: Final = 1024
"""The engine's default weight of a container."""
PERIOD_US: Final = 100_000
"""The kernel's default CFS period, which `docker update --cpus` uses too."""
_SHORT: Final = 300


@dataclass(frozen=True, slots=True)
class Node:
    """One node container.

    Args:
        name: of the container, and of the Kubernetes node.
        id: full container id.
        role: `control-plane` or `worker`.
        state: running, paused, exited, ...
        image: as the engine names it.
    """

    name: str
    id: str
    role: str
    state: str
    image: str


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended in a node: its exit code, and both streams together."""

    code: int
    output: str


class Docker:
    """The engine.

    Raises:
        Refused: no engine answers.
    """

    def __init__(self, base_url: str | None = None, *, timeout_s: float = _ANSWER_S) -> None:
        settings = {"base_url": base_url} if base_url else kwargs_from_env()
        try:
            self._api = APIClient(version="auto", timeout=timeout_s, **settings)  # type: ignore[arg-type]
        except DockerException as error:
            raise Refused("reach the container engine", str(error)[:_SHORT], "look at what this machine lacks: lab doctor") from error
        self._settings = settings

    def version(self) -> str:
        """The engine's version."""
        with _translated("ask the engine its version"):
            return str(self._api.version()["Version"])

    def nodes(self, cluster: str = CLUSTER) -> list[Node]:
        """Node containers of one of the lab's clusters, running or not, by name. A cluster of that name on another network is not the lab's.

        Raises:
            Unavailable: the engine does not answer or refuses. So do all calls here.
        """
        return _nodes(each for each in self._named(cluster) if _ours(each))

    def strangers(self, cluster: str = CLUSTER) -> list[Node]:
        """Node containers of a cluster that has the name of the lab's and that the lab did not make."""
        return _nodes(each for each in self._named(cluster) if not _ours(each))

    def _named(self, cluster: str) -> list[dict[str, Any]]:
        with _translated("list the lab's nodes"):
            return list(self._api.containers(all=True, filters={"label": f"{_LABEL}={cluster}"}))

    def inspect(self, container: str) -> dict[str, Any]:
        """All that the engine knows of a container."""
        with _translated(f"inspect {container}"):
            return dict(self._api.inspect_container(container))

    def pid(self, container: str) -> int:
        """Process id, on the host, of the container's first process; 0 when it does not run."""
        return int(self.inspect(container)["State"]["Pid"])

    def cap(self, container: str, cores: float) -> None:
        """Let the container use at most `cores`, from now on; 0 takes the cap away."""
        with _translated(f"cap {container} at {cores:g} cores"):
            self._api.update_container(container, cpu_period=PERIOD_US, cpu_quota=quota_us(cores))

    def weigh(self, container: str, shares: int) -> None:
        """Let the container weigh so much against others where CPU is short, from now on."""
        with _translated(f"weigh {container} at {shares}"):
            self._api.update_container(container, cpu_shares=shares)

    def cap_of(self, container: str) -> float:
        """The cap in cores; 0 when there is none. Also sees a cap set as `--cpus`."""
        host = self.inspect(container)["HostConfig"]
        if host.get("NanoCpus"):
            return float(host["NanoCpus"]) / 1e9
        quota = host.get("CpuQuota") or 0
        return quota / (host.get("CpuPeriod") or PERIOD_US) if quota > 0 else 0.0

    def run(self, container: str, argv: Sequence[str], *, timeout_s: float) -> Ran:
        """Run a program in a container and wait for its end.

        The program is killed in the container after `timeout_s`, too, so a hanging one is not left behind.

        Raises:
            Unavailable: it did not end in time; `came_back` says so.
        """
        tried = f"run {' '.join(argv)} in {container}"
        with _translated(tried, f"timed out after {timeout_s:g} s"):
            api = APIClient(version=self._api.api_version, timeout=timeout_s, **self._settings)  # type: ignore[arg-type]
            try:
                started = api.exec_create(container, bounded(argv, timeout_s))["Id"]
                output = api.exec_start(started)
                code = api.exec_inspect(started)["ExitCode"]
            finally:
                api.close()
        if code == 137:
            raise Unavailable(tried, f"timed out after {timeout_s:g} s")
        return Ran(int(code), output.decode(errors="replace"))

    def pause(self, container: str) -> None:
        """Freeze all processes of a container; fine when it is frozen already."""
        if self.inspect(container)["State"]["Status"] != "paused":
            with _translated(f"pause {container}"):
                self._api.pause(container)

    def unpause(self, container: str) -> None:
        """Let them go on; fine when they do already."""
        if self.inspect(container)["State"]["Status"] == "paused":
            with _translated(f"unpause {container}"):
                self._api.unpause(container)

    def used_s(self, container: str) -> float:
        """CPU seconds that a container has used since it started, from its control group: the engine's own answer takes a second to come.

        Raises:
            Unavailable: it does not run.
        """
        found = self.inspect(container)
        return Cgroup(found["Id"], found["State"]["Pid"]).read().used_s

    def run_checked(self, container: str, argv: Sequence[str], *, timeout_s: float) -> str:
        """`run` that must end with exit code 0; its output.

        Raises:
            LabError: it ended with another code.
        """
        ran = self.run(container, argv, timeout_s=timeout_s)
        if ran.code:
            raise LabError(f"run {' '.join(argv)[:_SHORT]} in {container}", f"exit {ran.code}: {ran.output.strip()[-_SHORT:]}")
        return ran.output

    def addresses(self, cluster: str = CLUSTER) -> dict[str, str]:
        """Node name to its address on the lab's network."""
        return {_name(each): str(_networks(each)[NETWORK]["IPAddress"]) for each in self._named(cluster) if _ours(each)}

    def ensure_network(self, subnet: str) -> None:
        """Make the lab's bridge network, masquerading as kind's own does; fine when it is there."""
        with _translated(f"make the network {NETWORK}"):
            if any(each["Name"] == NETWORK for each in self._api.networks(names=[NETWORK])):
                return
            pool = IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)])
            options = {"com.docker.network.bridge.enable_ip_masquerade": "true", "com.docker.network.driver.mtu": "1500"}
            self._api.create_network(NETWORK, driver="bridge", ipam=pool, options=options, labels=dict([_PART_OF.split("=")]))

    def remove_network(self) -> None:
        """Remove the lab's network; fine when it is not there."""
        with _translated(f"remove the network {NETWORK}"), contextlib.suppress(NotFound):
            self._api.remove_network(NETWORK)

    def leftovers(self) -> list[str]:
        """Everything in the engine that is the lab's, as `container NAME`, `network NAME` and `volume NAME`.

        A volume is the lab's when one of its containers mounts it or its label says so: an anonymous one whose container was removed
        without it carries no name to know it by.
        """
        kind = [each for cluster in (CLUSTER, NEIGHBOUR) for each in self._named(cluster) if _ours(each)]
        with _translated("list what is the lab's"):
            own = self._api.containers(all=True, filters={"label": _PART_OF})
            networks = self._api.networks(names=[NETWORK])
            volumes: Any = self._api.volumes(filters={"label": _PART_OF}).get("Volumes") or []
        containers = {_name(each): each for each in (*kind, *own)}
        mounted = {m["Name"] for each in containers.values() for m in each.get("Mounts", []) if m.get("Type") == "volume"}
        return [
            *(f"container {name}" for name in sorted(containers)),
            *(f"network {each['Name']}" for each in networks if each["Name"] == NETWORK),
            *(f"volume {name}" for name in sorted(mounted | {each["Name"] for each in volumes})),
        ]

    def close(self) -> None:
        """Drop the connections."""
        self._api.close()


def bounded(argv: Sequence[str], timeout_s: float) -> list[str]:
    """The program, killed where it runs after `timeout_s`."""
    return ["timeout", "-s", "KILL", f"{timeout_s:g}", *argv]


def quota_us(cores: float) -> int:
    """The CFS quota of a cap, in microseconds of each period; -1 for none."""
    return round(cores * PERIOD_US) if cores else -1


def _nodes(found: Iterable[dict[str, Any]]) -> list[Node]:
    return sorted((_node(each) for each in found), key=lambda node: node.name)


def _networks(raw: dict[str, Any]) -> dict[str, Any]:
    return dict((raw.get("NetworkSettings") or {}).get("Networks") or {})


def _ours(raw: dict[str, Any]) -> bool:
    """Any other cluster that kind makes is on the network `kind`."""
    return NETWORK in _networks(raw)


def _node(raw: dict[str, Any]) -> Node:
    return Node(_name(raw), raw["Id"], raw["Labels"].get(_ROLE_LABEL, ""), raw["State"], raw["Image"])


def _name(raw: dict[str, Any]) -> str:
    return str(raw["Names"][0]).lstrip("/")


@contextmanager
def _translated(tried: str, late: str = "timed out") -> Iterator[None]:
    try:
        yield
    except (requests.Timeout, TimeoutError, urllib3.exceptions.TimeoutError) as error:
        raise Unavailable(tried, late) from error
    except NotFound as error:
        raise Unavailable(tried, f"not there: {error.explanation}"[:_SHORT]) from error
    except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError, KeyError) as error:
        raise Unavailable(tried, f"{type(error).__name__}: {error}"[:_SHORT]) from error
