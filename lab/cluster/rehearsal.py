"""A cluster that only tells: what the real code would send to engine, API server, Consul and Kafka, as commands that can be pasted.

The code that decides what to send is the lab's own (`KindWorld`, `reset`); only the doors are others. They answer like a calm cluster that
does what it is asked. Nothing here opens a socket, starts a program or writes a file.
"""

import json
import math
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock, get_ident
from typing import Any

from lab.adapters.balancer import LAB_PORT, Balancer
from lab.adapters.consul import NEIGHBOURS_PORT, Consul
from lab.adapters.docker import CLUSTER, NEIGHBOUR, PERIOD_US, Docker, Ran, bounded, quota_us
from lab.adapters.docker import Node as Container
from lab.adapters.kube import NAMESPACE, Kube, Object
from lab.adapters.node_processes import Process
from lab.adapters.vault import PORTS
from lab.cluster import neighbour
from lab.cluster.arms import FIRST, FOLDER, SECRET, SECRET_FILE, Arm, annotations
from lab.cluster.redeploy import APP
from lab.cluster.reset import COLLECTOR, CORE_PODS, NAME_LABEL, core_pods
from lab.cluster.shape import Node
from lab.cluster.units import Unit, Units
from lab.cluster.world import KindWorld
from lab.core.clock import Clock
from lab.core.neighbour import Neighbour
from lab.core.paths import NEIGHBOUR_KUBECONFIG, VAULT_KEYS
from lab.core.progress import Progress
from lab.core.vault import INSTANCES, Storage

Tell = Callable[[str], None]
NOT_THERE = 1
"""Exit code of pgrep: nothing of the kind runs."""
QUESTION = "pgrep"


@dataclass
class Notes:
    """What is told, in the order of the calls; what several nodes are sent at once is one line.

    Args:
        tell: takes the lines.
        app_nodes: are written `$app`.
    """

    tell: Tell
    app_nodes: Sequence[str] = ()
    _lock: Lock = field(default_factory=Lock)
    _main: int = field(default_factory=get_ident)
    _at_once: dict[str, list[str]] = field(default_factory=dict)

    def line(self, text: str) -> None:
        """One line, after what was sent at once before it."""
        self.flush()
        self.tell(text)

    def sent(self, node: str, text: str) -> None:
        """`text` holds `NODE` where the node's name goes."""
        if node in self._at_once.get(text, ()):
            self.flush()  # the next round of the same
        with self._lock:
            self._at_once.setdefault(text, []).append(node)
        if get_ident() == self._main:
            self.flush()

    def flush(self) -> None:
        """Tell what was sent at once: sent by threads, so in the order of each node and then of the names."""
        with self._lock:
            waiting, self._at_once = self._at_once, {}
        for text, nodes in waiting.items():
            names = sorted(set(nodes), key=lambda name: (len(name), name))
            self.tell(text.replace("NODE", names[0]) if len(names) == 1 else self._loop(text, names))

    def _loop(self, text: str, names: Sequence[str]) -> str:
        listed = "$app" if set(names) == set(self.app_nodes) else " ".join(names)
        return f"for node in {listed}; do {text.replace('NODE', '$node')}; done"


class ToldDocker(Docker):
    """The engine, as it would be asked."""

    def __init__(self, nodes: Iterable[Node], notes: Notes) -> None:
        self._nodes = list(nodes)
        self._notes = notes
        self._caps: dict[str, float] = {}

    def nodes(self, cluster: str = CLUSTER) -> list[Container]:
        """Those of kind-config.yaml; of the neighbour none is there."""
        return [] if cluster != CLUSTER else [Container(node.name, node.name, node.role, "running", node.image) for node in self._nodes]

    def pid(self, container: str) -> int:  # noqa: ARG002  # as the engine's
        """No process has this number."""
        return 0

    def cap(self, container: str, cores: float) -> None:
        """Told, and remembered for `cap_of`."""
        self._caps[container] = cores
        quota = "MEASURED" if math.isnan(cores) else str(quota_us(cores))
        self._notes.sent(container, f"docker update --cpu-period {PERIOD_US} --cpu-quota {quota} NODE")

    def cap_of(self, container: str) -> float:
        """As capped here."""
        return self._caps.get(container, 0.0)

    def run(self, container: str, argv: Sequence[str], *, timeout_s: float) -> Ran:
        """Told. A question for what may be running is answered with no; any other program ends well and prints 0."""
        self._notes.sent(container, f"docker exec NODE {shlex.join(bounded(argv, timeout_s))}")
        asked = " ".join(argv)
        return Ran(NOT_THERE if asked.startswith(QUESTION) else 0, "0\n")

    def used_s(self, container: str) -> float:
        """Told; an idle node."""
        self._notes.sent(container, "docker inspect NODE  # then its control group's CPU counter is read")
        return 0.0

    def close(self) -> None:
        """Nothing was opened."""


class ToldKube(Kube):
    """The API server, as it would be asked: a handful of objects that follow what is asked for."""

    def __init__(self, nodes: Iterable[Node], notes: Notes) -> None:
        nodes = list(nodes)
        self._names = [node.name for node in nodes]
        self._app_nodes = sum(node.role == "app" for node in nodes)
        self._notes = notes
        self._replicas = {"app": 0, **CORE_PODS}
        self._agents_per_pod = 1
        self._generation = 0
        self._annotations = annotations(FIRST)

    def carry(self, arm: Arm) -> None:
        """From now on it is as the arm says."""
        self._replicas |= {**dict.fromkeys(CORE_PODS, 0), **core_pods(arm)}
        self._replicas[COLLECTOR] = self._app_nodes if arm.collects else 0
        self._agents_per_pod = arm.agents_per_pod
        self._generation += 1

    def close(self) -> None:
        """Nothing was opened."""

    def _call(self, method: str, path: str, query: Mapping[str, str], body: Object | None = None, timeout_s: float = 0.0) -> Object:  # noqa: ARG002  # as the API's
        asked = "?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else ""
        words = "" if body is None else f" --data {shlex.quote(json.dumps(body))}"
        self._notes.line(f"kubernetes {method} {path}{asked}{words}")
        if method == "PATCH" and body is not None and path.endswith("/scale"):
            self._replicas[path.split("/")[-2]] = int(body["spec"]["replicas"])
        if method == "DELETE":
            self._generation += 1
        if path == APP:
            return {"metadata": {"generation": 1}, "spec": {"template": {}}, "status": {}}
        carried = {"resourceVersion": "0", "annotations": self._annotations}
        return {"items": self.items(path, query.get("labelSelector", "")), "metadata": carried}

    def items(self, path: str, selector: str) -> list[Object]:
        """What a list of `path` holds."""
        if path.endswith("/nodes"):
            return [_ready({"metadata": {"name": name}}) for name in self._names]
        return [
            self._pod(part, number)
            for part, size in self._replicas.items()
            if selector in ("", f"{NAME_LABEL}={part}")
            for number in range(size)
        ]

    def agents(self) -> list[str]:
        """Names of all agents and servers."""
        servers = [str(pod["metadata"]["name"]) for pod in self.items("/pods", f"{NAME_LABEL}=consul")]
        names = [str(pod["metadata"]["name"]) for pod in self.items("/pods", f"{NAME_LABEL}=app")]
        if self._agents_per_pod == 1:
            return [*servers, *names]
        return [*servers, *(f"{name}-a{slot}-0" for name in names for slot in range(1, self._agents_per_pod + 1))]

    def _pod(self, part: str, number: int) -> Object:
        name = f"{part}-{number}"
        return _ready(
            {"metadata": {"name": name, "uid": f"{name}/{self._generation}", "labels": {NAME_LABEL: part}, "namespace": NAMESPACE}}
        )


class ToldConsul(Consul):
    """The Consul servers, as they would be asked: one leader, and every pod a member."""

    def __init__(self, kube: ToldKube, notes: Notes) -> None:
        self._kube = kube
        self._notes = notes

    def leader(self) -> str:
        """There is one."""
        self._notes.line("curl http://127.0.0.1:18500/v1/status/leader")
        return "198.19.0.2:8300"

    def members(self) -> dict[str, str]:
        """Every pod that has an agent."""
        self._notes.line("curl http://127.0.0.1:18500/v1/agent/members")
        return dict.fromkeys(self._kube.agents(), "alive")


class ToldBalancer(Balancer):
    """The load balancer, as it would be asked: every pod answers behind it."""

    def __init__(self, kube: ToldKube, notes: Notes) -> None:
        self._kube = kube
        self._notes = notes

    def backends(self) -> dict[str, bool]:
        """Every workload pod."""
        self._notes.line(f"curl 'http://127.0.0.1:{LAB_PORT}/stats;csv'")
        return {f"{pod['metadata']['name']}:app": True for pod in self._kube.items("/pods", f"{NAME_LABEL}=app")}


class ToldUnits(Units):
    """What is done from the host to processes inside nodes, as it would be; none of them is there."""

    def __init__(self, docker: Docker, notes: Notes) -> None:
        super().__init__(docker)
        self._notes = notes

    def resume(self, nodes: Sequence[str], program: str) -> None:
        """Told."""
        self._notes.line(f"kill -CONT every process `{program}` of {self._listed(nodes)}, from the host")

    def stopped(self, nodes: Sequence[str], program: str) -> bool:
        """Told; none is."""
        self._notes.line(f"is a process `{program}` of {self._listed(nodes)} in state T? /proc/*/cgroup, /proc/*/stat")
        return False

    def _running(self, unit: Unit) -> list[Process]:
        self._notes.line(f"is a process of {self._listed(unit.nodes)} in {unit.name}.service? /proc/*/cgroup")
        return []

    def _end(self, unit: Unit, within_s: float = 0.0) -> None:  # noqa: ARG002  # as the world's
        self._notes.line(f"kill -KILL every process of {self._listed(unit.nodes)} in {unit.name}.service, from the host")

    def _listed(self, nodes: Sequence[str]) -> str:
        return "$app" if set(nodes) == set(self._notes.app_nodes) else " ".join(nodes)


class ToldWorld(KindWorld):
    """The kind cluster whose doors only tell."""

    def __init__(self, nodes: Iterable[Node], clock: Clock, tell: Tell) -> None:
        nodes = list(nodes)
        self.notes = Notes(tell, [node.name for node in nodes if node.role == "app"])
        self.kube = ToldKube(nodes, self.notes)
        super().__init__(ToldDocker(nodes, self.notes), clock, nodes)
        self.units = ToldUnits(self.docker, self.notes)
        self._neighbour_is_there = False

    def consul(self) -> Consul:
        """See `ToldConsul`."""
        return ToldConsul(self.kube, self.notes)

    def balancer(self) -> Balancer:
        """See `ToldBalancer`."""
        return ToldBalancer(self.kube, self.notes)

    def open_kube(self) -> Kube:
        """See `ToldKube`."""
        return self.kube

    def hold(
        self,
        progress: Progress,  # noqa: ARG002  # as the world's
        tag: str,
        roles: Sequence[str],
        image: Callable[[], str],  # noqa: ARG002  # as the world's
        env: Callable[[], Mapping[str, str]],  # noqa: ARG002  # as the world's
    ) -> None:
        """Told; which nodes lack it is not known."""
        nodes = " ".join(node.name for node in self.nodes if node.role in roles)
        self.notes.line(
            f"for node in {nodes}; do docker save {tag} | docker exec -i $node ctr -n k8s.io images import -; done  # where it lacks"
        )

    def make_neighbour(self, progress: Progress, env: Callable[[], Mapping[str, str]]) -> None:  # noqa: ARG002  # as the world's
        """Told; the routes follow the addresses that the engine gives out."""
        self._neighbour_is_there = True
        self.notes.line(f"kind create cluster --config {neighbour.CONFIG} --kubeconfig {NEIGHBOUR_KUBECONFIG}")
        self.notes.line("# in the nodes of both clusters: ip route replace RANGE via ADDRESS, for the pods of the other")

    def join_neighbour(self, progress: Progress, wanted: Neighbour, consul: str) -> None:  # noqa: ARG002  # as the world's
        """Told; no file is written."""
        self.notes.line(f"kubectl --kubeconfig {NEIGHBOUR_KUBECONFIG} scale deployment/coredns --namespace kube-system --replicas=0")
        self.notes.line(
            f"kubectl --kubeconfig {NEIGHBOUR_KUBECONFIG} apply --server-side -k {neighbour.FOLDER}: {wanted.pods} pods, Consul {consul}, in the {wanted.pool} pool"
        )
        self.notes.line(f"curl http://127.0.0.1:{NEIGHBOURS_PORT}/v1/agent/members http://127.0.0.1:{NEIGHBOURS_PORT}/v1/status/leader")

    def dismiss_neighbour(self, progress: Progress, env: Callable[[], Mapping[str, str]]) -> bool:  # noqa: ARG002  # as the world's
        """Told where it was made."""
        there, self._neighbour_is_there = self._neighbour_is_there, False
        if there:
            self.notes.line(f"kind delete cluster --name {NEIGHBOUR}; in the first cluster's nodes: ip route del RANGE")
        return there

    def idle_share(self, window_s: float) -> float:
        """Told; idle."""
        self.notes.line(f"read /proc/stat twice, {window_s:g} s apart: is there room on the host?")
        return 1.0

    def carry(self, arm: Arm, kube: Kube) -> None:  # noqa: ARG002  # as the world's
        """Told; no file is written and no key is made."""
        self.notes.line(f"kubectl apply --server-side --force-conflicts -k {FOLDER}: the arm {arm.words or 'as the manifests stand'}")
        if arm.encryption not in ("", "off"):
            self.notes.line(f"kubernetes PATCH secrets/{SECRET}: {SECRET_FILE}")
        self.kube.carry(arm)

    def _hand_out(self, kube: Kube, encryption: str, mark: str, *, verify: bool) -> None:  # noqa: ARG002  # as the world's
        """Told; no key is made."""
        self.notes.line(f"kubernetes PATCH secrets/{SECRET}: {SECRET_FILE}, and wait until the servers' files hold it")

    def open_vault(self, progress: Progress, storage: Storage) -> None:  # noqa: ARG002  # as the world's
        """Told; without a key."""
        for port in PORTS[: INSTANCES[storage]]:
            self.notes.line(f"curl http://127.0.0.1:{port}/v1/sys/init http://127.0.0.1:{port}/v1/sys/health")
        self.notes.line(f"vault init, unseal and approle, by {VAULT_KEYS}: as far as it is not so yet")

    def broker_answers(self, timeout_s: float) -> bool:
        """Told; it answers."""
        self.notes.line(f"kafka metadata request to 127.0.0.1:19092, at most {timeout_s:g} s")
        return True

    def pristine_pods(self) -> int | None:
        """A run was here before: the longer way."""
        return None

    def touch(self) -> None:
        """Told."""
        self.notes.line("rm -f /var/tmp/cascade-lab/pristine")

    def forget_tallies(self) -> None:
        """Told."""
        self.notes.line("rm -f /var/tmp/cascade-lab/tally/*")


def _ready(thing: dict[str, Any]) -> Object:
    return {**thing, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
