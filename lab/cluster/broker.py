"""What can be done to the broker: freeze it, make it come and go, cut it off. All of it happens in the core node."""

from lab.adapters.docker import Docker
from lab.adapters.kafka import Broker
from lab.cluster.units import EXEC_TIMEOUT_S, Unit, Units
from lab.core.clock import Clock
from lab.core.errors import Unavailable

BROKER = "kafka[.]Kafka"
"""Pattern of the broker's command line; the brackets keep it from matching its own search."""
CHAIN = "LAB-CUT"
"""The iptables chain of the core node that holds the cut; nothing else uses it."""
PORTS = (9092, 19092)
"""The broker's listeners (manifests/core/kafka-config.yaml): the loggers' and the host's. The lab's own probe stands on the loggers' side."""


class BrokerPowers:
    """Implements `Pausable`, `Flappable` and `Partitionable` for a world that has these parts."""

    docker: Docker
    clock: Clock
    units: Units
    core: str

    def freeze_broker(self) -> None:
        """SIGSTOP every process of the broker. Idempotent."""
        self.docker.run_checked(self.core, ["pkill", "-STOP", "-f", BROKER], timeout_s=EXEC_TIMEOUT_S)

    def thaw_broker(self) -> None:
        """SIGCONT every process of the broker. Idempotent; fine when none is stopped."""
        self._ask(["pkill", "-CONT", "-f", BROKER])

    def broker_frozen(self) -> bool:
        """Is any process of the broker stopped? Asks the core node's process table."""
        return self._ask(["pgrep", "-f", "-r", "T", BROKER])

    def broker_answers(self, timeout_s: float) -> bool:
        """True if the broker answers a metadata request within `timeout_s`."""
        broker = Broker(self.clock)
        try:
            return broker.answers(timeout_s)
        finally:
            broker.close()

    def flap_broker(self, away_s: float, back_s: float) -> None:
        """Freeze and thaw the broker in turn, until it is steadied. Idempotent."""
        self.units.start(self._flapping(away_s, back_s))

    def steady_broker(self) -> None:
        """End the flapping and thaw. Idempotent."""
        self.units.stop(self._flapping())
        self.thaw_broker()

    def broker_flaps(self) -> bool:
        """Does the flapping go on, or has it left the broker frozen?"""
        return self.units.active(self._flapping()) or self.broker_frozen()

    def cut_broker(self, loss_ratio: float) -> None:
        """Drop this share of the packets to the broker. Idempotent."""
        chance = f"-m statistic --mode random --probability {loss_ratio:.4f} " if loss_ratio < 1 else ""
        rules = [f"iptables -w -A {CHAIN} -p tcp --dport {port} {chance}-j DROP" for port in PORTS]
        script = [
            f"iptables -w -S {CHAIN} >/dev/null 2>&1 && exit 0",
            f"iptables -w -N {CHAIN}",
            *rules,
            f"iptables -w -I FORWARD -j {CHAIN}",
        ]
        self.docker.run_checked(self.core, ["sh", "-ec", "\n".join(script)], timeout_s=EXEC_TIMEOUT_S)

    def join_broker(self) -> None:
        """Let every packet through again. Idempotent."""
        script = [
            f"iptables -w -S {CHAIN} >/dev/null 2>&1 || exit 0",
            f"while iptables -w -D FORWARD -j {CHAIN} 2>/dev/null; do :; done",
            f"iptables -w -F {CHAIN}",
            f"iptables -w -X {CHAIN}",
        ]
        self.docker.run_checked(self.core, ["sh", "-ec", "\n".join(script)], timeout_s=EXEC_TIMEOUT_S)

    def broker_cut(self) -> bool:
        """Is there a cut? Asks the core node's packet filter."""
        return self.docker.run(self.core, ["iptables", "-w", "-S", CHAIN], timeout_s=EXEC_TIMEOUT_S).code == 0

    def packets_dropped(self) -> int:
        """How many packets the cut has dropped so far; 0 without one."""
        listed = self.docker.run(self.core, ["iptables", "-w", "-L", CHAIN, "-v", "-x", "-n"], timeout_s=EXEC_TIMEOUT_S)
        return sum(int(line.split()[0]) for line in listed.output.splitlines() if " DROP " in line)

    def _flapping(self, away_s: float = 1.0, back_s: float = 1.0) -> Unit:
        script = f"while :; do pkill -STOP -f '{BROKER}'; sleep {away_s:g}; pkill -CONT -f '{BROKER}'; sleep {back_s:g}; done"
        return Unit("lab-flap-broker", [self.core], script, after=f"pkill -CONT -f '{BROKER}' || :")

    def _ask(self, argv: list[str]) -> bool:
        """Did pgrep or pkill find any? Both exit 0 for yes, 1 for none, and more when they could not look (procps 4.0)."""
        ran = self.docker.run(self.core, argv, timeout_s=EXEC_TIMEOUT_S)
        if ran.code > 1:
            raise Unavailable(f"run {' '.join(argv)} in {self.core}", f"exit {ran.code}: {ran.output.strip()}", "docker ps; lab heal")
        return ran.code == 0
