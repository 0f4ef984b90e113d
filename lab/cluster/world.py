"""The real world: the kind cluster as an experiment sees it.

It can freeze the broker, shape the nodes, and bring the whole system back to a fresh steady state before each run.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from lab.adapters.clock import SystemClock
from lab.adapters.docker import Docker
from lab.adapters.kafka import Broker
from lab.cluster.shape import SHARES, Node, Plan, read_nodes
from lab.core.clock import Clock
from lab.core.errors import Unavailable
from lab.core.paths import project

BROKER = "kafka[.]Kafka"
"""Pattern of the broker's command line; the brackets keep it from matching its own search."""
EXEC_TIMEOUT_S = 8.0
"""Chosen: an exec into the core node takes 0.1 s at rest and was seen to take 2 s at its cap; a heal has 10 s in all."""


class KindWorld:
    """One kind cluster. `nodes` are those of kind-config.yaml."""

    def __init__(self, docker: Docker, clock: Clock, nodes: Iterable[Node]) -> None:
        self.docker = docker
        self.clock = clock
        self.nodes = list(nodes)
        self.core = next(node.name for node in self.nodes if node.role == "core")
        self.app_nodes = [node.name for node in self.nodes if node.role == "app"]

    def freeze_broker(self) -> None:
        """SIGSTOP every process of the broker. Idempotent."""
        self.docker.run_checked(self.core, ["pkill", "-STOP", "-f", BROKER], timeout_s=EXEC_TIMEOUT_S)

    def thaw_broker(self) -> None:
        """SIGCONT every process of the broker. Idempotent; fine when none is stopped."""
        self._ask_processes(["pkill", "-CONT", "-f", BROKER])

    def broker_frozen(self) -> bool:
        """Is any process of the broker stopped? Asks the core node's process table."""
        return self._ask_processes(["pgrep", "-f", "-r", "T", BROKER])

    def broker_answers(self, timeout_s: float) -> bool:
        """True if the broker answers a metadata request within `timeout_s`."""
        broker = Broker(self.clock)
        try:
            return broker.answers(timeout_s)
        finally:
            broker.close()

    def cap(self, plan: Plan) -> None:
        """Put the CPU caps on the app nodes and the core node."""
        caps = dict.fromkeys(self.app_nodes, plan.app_cap_cores) | {self.core: plan.core_cap_cores}
        self._each(caps, lambda name: self.docker.cap(name, caps[name]))

    def uncap(self) -> None:
        """Take every cap off. Idempotent."""
        self._each([*self.app_nodes, self.core], lambda name: self.docker.cap(name, 0))

    def weigh(self) -> None:
        """Put the share ratio of a large host on the app nodes' slices (`SHARES`). Idempotent, lost when a node restarts."""
        commands = [f"systemctl set-property --runtime {unit} CPUShares={shares}" for unit, shares in SHARES.items()]
        self._each(self.app_nodes, lambda name: self.docker.run_checked(name, ["sh", "-ec", "\n".join(commands)], timeout_s=30))

    def forget_tallies(self) -> None:
        """Delete the counters of earlier pods, as root inside a node: the host's user may not own them."""
        self.docker.run_checked(self.app_nodes[0], ["sh", "-c", "rm -f /var/lib/cascade-lab/tally/*"], timeout_s=EXEC_TIMEOUT_S)

    def _ask_processes(self, argv: list[str]) -> bool:
        """Did pgrep or pkill find any? Both exit 0 for yes, 1 for none, and more when they could not look (procps 4.0)."""
        ran = self.docker.run(self.core, argv, timeout_s=EXEC_TIMEOUT_S)
        if ran.code > 1:
            raise Unavailable(f"run {' '.join(argv)} in {self.core}", f"exit {ran.code}: {ran.output.strip()}", "docker ps; lab heal")
        return ran.code == 0

    def _each(self, names: Iterable[str], act: Callable[[str], object]) -> None:
        names = list(names)
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(act, names))


def open_world() -> KindWorld:
    """The world of this machine's lab, as the watchdog opens it: nothing is asked yet."""
    return KindWorld(Docker(), SystemClock(), read_nodes(project() / "kind-config.yaml"))
