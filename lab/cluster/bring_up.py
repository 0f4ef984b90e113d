"""`lab up` and `lab down`: the list of steps, each of which may be repeated."""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.adapters import host as machine
from lab.adapters import kube as api
from lab.adapters import shell
from lab.adapters.docker import USUAL_SHARES, Docker
from lab.adapters.kube import Kube
from lab.cluster import arms, host, kind, network
from lab.cluster.reset import await_steady, labelled, unready_nodes
from lab.cluster.settle import until
from lab.cluster.shape import networking
from lab.cluster.world import KindWorld
from lab.core import paths
from lab.core.errors import Aborted, LabError
from lab.core.progress import Progress

FIRST_PODS = 1
"""Chosen: one workload pod shows that all works; a run brings up as many as its experiment says, and pays for it."""
READY_ALLOWED_S = 180.0
"""Chosen: all of it takes 20 s on 2 idle cores."""
EARLY_LOOK_S = 1.0
"""Chosen: the API server answers some 20 s after kind has begun."""
FIRST_SHARES = 8 * USUAL_SHARES
"""Chosen: when the nodes become Ready each of them unpacks and starts something, and what is waited for is on three of them."""
EARLY_KUBECONFIG = paths.STATE / "early-kubeconfig"
ENDPOINTS = {
    "Consul (API and UI)": "http://127.0.0.1:18500/ui/",
    "a pod's Consul agent": "http://127.0.0.1:18501/v1/agent/self",
    "the app": "http://127.0.0.1:18080/",
    "the app, balanced": "http://127.0.0.1:18090/",
    "Vault": "http://127.0.0.1:18200/v1/sys/health",
    "Kafka": "127.0.0.1:19092",
    "Kubernetes": f"KUBECONFIG={paths.KUBECONFIG}",
}


def up(progress: Progress, world: KindWorld, env: Mapping[str, str]) -> bool:
    """Bring the lab up; True if anything had to be made.

    A cluster that was interrupted while it was made, or whose nodes no longer run (a reboot, a killed engine), is made anew.

    Raises:
        Refused: somebody else's cluster has the lab's name.
        Aborted: something did not become ready; says what was last seen.
    """
    host.prepare()
    world.dismiss_neighbour(progress, lambda: env)  # that of a run which was killed
    if why := unusable(world):
        return renew(progress, world, env, why)
    if world.docker.nodes():
        with Kubes() as kube:
            until(progress, world.clock, "all nodes Ready", lambda: unready_nodes(kube), READY_ALLOWED_S)
            carried = arms.applied(kube)
        if carried == arms.UNFINISHED:  # without a Vault to open
            return renew(progress, world, env, "it was interrupted while an experiment's arm was put on it")
        world.open_vault(progress, arms.storage(carried))  # a pod that was started again is sealed
        return False
    machine.forget_tallies(paths.TALLY)  # of the pods of a cluster that was here before
    _create(progress, world, env)
    with Kubes() as kube, _first(world.docker, world.control, world.core):
        until(progress, world.clock, "all nodes Ready", lambda: unready_nodes(kube), READY_ALLOWED_S)
        with _first(world.docker, _home(progress, world, kube)):
            await_steady(world, kube, progress, FIRST_PODS, arms.FIRST)
        arms.note(kube, arms.FIRST.words)
    paths.WHOLE.write_text(_lives(world), encoding="ascii")
    world.keep_pristine(FIRST_PODS)
    return True


def unusable(world: KindWorld) -> str:
    """Why the cluster that is here cannot be used, or "": it is whole, or there is none."""
    found = world.docker.nodes()
    if not found:
        return ""
    if stopped := [node.name for node in found if node.state != "running"]:
        return f"{len(stopped)} of {len(found)} nodes do not run"
    if len(found) != len(world.nodes):
        return f"{len(found)} nodes, and kind-config.yaml has {len(world.nodes)}"
    whole = paths.WHOLE.exists() and paths.WHOLE.read_text(encoding="ascii") == _lives(world)
    if whole:
        return ""
    return "its bring-up was not finished, its nodes were restarted and lost their routes, or it was made by another kind-config.yaml"


def renew(progress: Progress, world: KindWorld, env: Mapping[str, str], why: str) -> bool:
    """Make the cluster anew; the images and the host's settings stay."""
    with progress.step(f"removing the cluster that is there ({why})"):
        kind.delete(world.docker, env)
    paths.WHOLE.unlink(missing_ok=True)
    return up(progress, world, env)


def _lives(world: KindWorld) -> str:
    """From which configuration the nodes were made, which containers they are, and since when they run."""
    config = hashlib.sha256((paths.project() / "kind-config.yaml").read_bytes()).hexdigest()
    return "\n".join([config, *(f"{node.id} {world.docker.inspect(node.name)['State']['StartedAt']}" for node in world.docker.nodes())])


class Kubes:
    """The API of the lab's cluster for a block."""

    def __enter__(self) -> Kube:
        self._kube = Kube()
        return self._kube

    def __exit__(self, *_: object) -> None:
        self._kube.close()


def down(progress: Progress, docker: Docker | None, env: Mapping[str, str]) -> None:
    """Remove the cluster, its network, and what was changed on the host. Idempotent; the caller removes the state folder and the engine."""
    if docker is not None:
        with progress.step("removing the cluster"):
            kind.delete(docker, env)
    host.restore()


def _create(progress: Progress, world: KindWorld, env: Mapping[str, str]) -> None:
    """`kind create cluster`; meanwhile each node's network while it boots, and the manifests as soon as the API server answers.

    Their pods then wait for nodes, and no node for them.
    """
    connected = applied = False
    with ThreadPoolExecutor(1) as pool:
        creating = pool.submit(kind.create, progress, world.docker, paths.project() / "kind-config.yaml", env)
        try:
            while not applied and not creating.done():
                world.clock.sleep(EARLY_LOOK_S)
                with contextlib.suppress(LabError):  # not yet: the next look, or the end, does it
                    connected = connected or _connect(world)
                    applied = applied or _apply_early(world, env)
            creating.result()
        except BaseException:  # Ctrl-C does not reach kind, which has a session of its own, and the pool waits for it
            shell.end_all()
            raise
    EARLY_KUBECONFIG.unlink(missing_ok=True)
    with progress.step("network and manifests"):
        if not connected and not _connect(world):
            raise Aborted("connect the nodes", "kind made them, and not all have an address", "lab down, then lab up")
        if not applied:
            _apply(paths.KUBECONFIG, env)


@contextlib.contextmanager
def _first(docker: Docker, *nodes: str) -> Iterator[None]:
    """Let nodes go first for a block."""
    for node in nodes:
        docker.weigh(node, FIRST_SHARES)
    try:
        yield
    finally:
        for node in nodes:
            docker.weigh(node, USUAL_SHARES)


def _apply_early(world: KindWorld, env: Mapping[str, str]) -> bool:
    """Apply with the control plane's own credentials, which are there before kind hands out any.

    Whether the API server answers is asked on its port: an exec in the node would cost 0.1 s of a CPU that all wait for.
    """
    server = networking(paths.project() / "kind-config.yaml")
    place = f"https://{server['apiServerAddress']}:{server['apiServerPort']}"
    if not api.answers(place):
        return False
    own = world.docker.run(world.control, ["cat", "/etc/kubernetes/admin.conf"], timeout_s=5)
    if own.code != 0:
        return False
    EARLY_KUBECONFIG.touch(mode=0o600)
    EARLY_KUBECONFIG.write_text(re.sub(r"server: \S+", f"server: {place}", own.output), encoding="utf-8")
    _apply(EARLY_KUBECONFIG, env)
    return True


def _connect(world: KindWorld) -> bool:
    """Give every node its network; False if not all of them are there yet."""
    names = [node.name for node in world.nodes]
    addresses = world.docker.addresses()
    if not all(addresses.get(name) for name in names):
        return False
    kinds = networking(paths.project() / "kind-config.yaml")
    network.connect(world.docker, addresses, network.ranges(names, kinds["podSubnet"]), kinds["serviceSubnet"])
    return True


def _apply(kubeconfig: Path, env: Mapping[str, str]) -> None:
    """The lab's objects, and the lab's change to CoreDNS."""
    manifests = paths.project() / "manifests"
    kubectl = [str(paths.cache() / "bin" / "kubectl"), "--kubeconfig", str(kubeconfig)]
    patch = ["patch", "deployment", "coredns", "--namespace", "kube-system", "--patch-file", str(manifests / "coredns-patch.yaml")]
    shell.run([*kubectl, *patch], timeout_s=READY_ALLOWED_S, env=env)
    shell.run([*kubectl, "apply", "--server-side", "-k", str(arms.write(arms.FIRST, FIRST_PODS))], timeout_s=READY_ALLOWED_S, env=env)


def _home(progress: Progress, world: KindWorld, kube: Kube) -> str:
    """The node of the first workload pod."""
    homes: set[str] = set()

    def look() -> str:
        homes.update(pod["spec"]["nodeName"] for pod in kube.pods(labelled("app")) if "nodeName" in pod["spec"])
        return "" if homes else "none yet"

    until(progress, world.clock, "a node for the first workload pod", look, READY_ALLOWED_S)
    return homes.pop()
