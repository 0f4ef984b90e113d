"""The real world: the kind cluster as an experiment sees it.

It can freeze the broker, shape the nodes, and bring the whole system back to a fresh steady state before each run.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from lab.adapters import host
from lab.adapters.balancer import Balancer
from lab.adapters.clock import SystemClock
from lab.adapters.consul import NEIGHBOURS_PORT, Consul
from lab.adapters.docker import NEIGHBOUR, Docker
from lab.adapters.kube import Kube
from lab.cluster import arms, kind, neighbour, node_images, vault
from lab.cluster.arms import Arm
from lab.cluster.broker import BrokerPowers
from lab.cluster.pods import WorkloadPowers
from lab.cluster.redeploy import RedeployPowers
from lab.cluster.shape import SHARES, Node, Plan, read_nodes
from lab.cluster.units import Units, each
from lab.core.clock import Clock
from lab.core.neighbour import Neighbour
from lab.core.paths import STATE, TALLY, VAULT_KEYS, project
from lab.core.progress import Progress
from lab.core.vault import Storage

PRISTINE = STATE / "pristine"
"""Holds the number of pods while no run has touched the cluster: adding pods to it is as fresh as a reset."""


class KindWorld(BrokerPowers, WorkloadPowers, RedeployPowers):
    """One kind cluster. `nodes` are those of kind-config.yaml."""

    def __init__(self, docker: Docker, clock: Clock, nodes: Iterable[Node]) -> None:
        self.docker = docker
        self.clock = clock
        self.nodes = list(nodes)
        self.core = next(node.name for node in self.nodes if node.role == "core")
        self.app_nodes = [node.name for node in self.nodes if node.role == "app"]
        self.control = next(node.name for node in self.nodes if node.role == "control-plane")
        self.units = Units(docker)

    def cap(self, plan: Plan) -> None:
        """Put the CPU caps on the app nodes and the core node, and on the neighbour's app node where there is one."""
        caps = dict.fromkeys(self.app_nodes, plan.app_cap_cores) | {self.core: plan.core_cap_cores}
        caps |= {neighbour.APP: plan.neighbour_cap_cores} if plan.neighbour_cap_cores else {}
        each(caps, lambda name: self.docker.cap(name, caps[name]))

    def uncap(self) -> None:
        """Take every cap off. Idempotent."""
        each([*self.app_nodes, self.core], lambda name: self.docker.cap(name, 0))

    def weigh(self) -> None:
        """Put the share ratio of a large host on the app nodes' slices (`SHARES`). Idempotent, lost when a node restarts."""
        self._weigh(self.app_nodes)

    def _weigh(self, nodes: Iterable[str]) -> None:
        commands = [f"systemctl set-property --runtime {unit} CPUShares={shares}" for unit, shares in SHARES.items()]
        each(nodes, lambda name: self.docker.run_checked(name, ["sh", "-ec", "\n".join(commands)], timeout_s=30))

    def consul(self) -> Consul:
        """A client of the Consul servers, a new connection for each question."""
        return Consul(keep=False)

    def balancer(self) -> Balancer:
        """A client of the load balancer, a new connection for each question."""
        return Balancer()

    def hold(
        self, progress: Progress, tag: str, roles: Sequence[str], image: Callable[[], str], env: Callable[[], Mapping[str, str]]
    ) -> None:
        """See to it that the nodes hold the engine's image of this tag; see `lab.cluster.node_images`.

        Args:
            progress: one step, if any node lacks it.
            tag: of the image.
            roles: `core`, `app`: the nodes that shall hold it.
            image: looks up the id that the tag stands for.
            env: looks up the variables for `docker`.
        """
        nodes = [node.name for node in self.nodes if node.role in roles]
        beside = [neighbour.APP] if "app" in roles and self.docker.nodes(NEIGHBOUR) else []
        node_images.load(progress, self.docker, [*nodes, *beside], node_images.EngineImage(tag, image()), env())

    def idle_share(self, window_s: float) -> float:
        """Share of the host's CPU, of all its cores, that nobody used over `window_s`."""
        idle_s, all_s = host.idle_seconds()
        self.clock.sleep(window_s)
        later_idle_s, later_all_s = host.idle_seconds()
        return (later_idle_s - idle_s) / max(later_all_s - all_s, 1e-9)

    def carry(self, arm: Arm, kube: Kube) -> None:
        """Have the cluster carry this arm; see `lab.cluster.arms.apply`."""
        arms.apply(arm, kube)

    def open_vault(self, progress: Progress, storage: Storage) -> None:
        """See to it that Vault is initialised and every instance that `storage` has unsealed. Idempotent; see `lab.cluster.vault`."""
        vault.ensure(progress, self.clock, vault.instances(storage), VAULT_KEYS)

    def make_neighbour(self, progress: Progress, env: Callable[[], Mapping[str, str]]) -> None:
        """Make the second cluster, without pods; see `lab.cluster.neighbour`."""
        neighbour.make(progress, self.docker, self.nodes, env())

    def join_neighbour(self, progress: Progress, wanted: Neighbour, consul: str) -> None:
        """Bring up its pods, and see their agents in the pool that is asked for."""
        with progress.step("the neighbour's pods"):
            neighbour.apply(wanted, consul)
        own = Consul(NEIGHBOURS_PORT, keep=False)
        neighbour.await_members(progress, self.clock, wanted, own, self.consul())
        self._weigh([neighbour.APP])

    def dismiss_neighbour(self, progress: Progress, env: Callable[[], Mapping[str, str]]) -> bool:
        """Remove it; True if there was one."""
        if not self.docker.nodes(NEIGHBOUR) and not kind.makers(NEIGHBOUR):
            return False
        neighbour.remove(progress, self.docker, self.nodes, env())
        return True

    def pristine_pods(self) -> int | None:
        """How many pods the cluster has while no run has touched it; None once one has."""
        return int(PRISTINE.read_text(encoding="ascii")) if PRISTINE.exists() else None

    def keep_pristine(self, pods: int) -> None:
        """Note that no run has touched the cluster, with so many pods."""
        PRISTINE.write_text(str(pods), encoding="ascii")

    def touch(self) -> None:
        """Note that a run touches the cluster."""
        PRISTINE.unlink(missing_ok=True)

    def forget_tallies(self) -> None:
        """Delete the counters of earlier pods."""
        host.forget_tallies(TALLY)


def open_world() -> KindWorld:
    """The world of this machine's lab, as the watchdog opens it: nothing is asked yet."""
    return KindWorld(Docker(), SystemClock(), read_nodes(project() / "kind-config.yaml"))
