"""One app node: how its capped CPU is shared, and what the kubelet makes of its part."""

from dataclasses import dataclass, field

from lab.sim.chain.parameters import Costs, Timers


@dataclass(slots=True)
class Pod:
    """A workload pod.

    Args:
        number: counts up; also its name in the gossip pool, after the servers.
        state: `pending`, `starting`, `running`, `terminating` (evicted, its containers still run) or `gone`.
        weight: of its traffic.
        to_create_s: core seconds of the system's work left until its containers exist.
        to_start_s: core seconds of its own work left after that until it runs.
        backlog: log lines written and not shipped.
    """

    number: int
    state: str = "pending"
    weight: float = 1.0
    to_create_s: float = 0.0
    to_start_s: float = 0.0
    backlog: float = 0.0


@dataclass(slots=True)
class Node:
    """A node and what one second of it gave.

    Args:
        name: as Kubernetes knows it.
        cap_cores: most CPU that all of it may use.
        pods: on it.
        ready: as the node controller sees it.
        renewed_at_s: last renewal of its lease.
        not_ready_since_s: when the controller lost it.
        to_do_s: system work left of the renewal under way, and of pod starts.
        system_share: what the system got of what it asked for, in (0, 1].
        pod_share: the same for the pods.
        load: CPU asked for over the cap.
    """

    name: str
    cap_cores: float
    pods: list[Pod] = field(default_factory=list)
    ready: bool = True
    renewed_at_s: float = 0.0
    not_ready_since_s: float = 0.0
    to_do_s: float = 0.0
    system_share: float = 1.0
    pod_share: float = 1.0
    load: float = 0.0

    def share_cpu(self, pods_ask_cores: float, costs: Costs) -> None:
        """Split the cap for a second.

        Pods ask p, the system asks s (its rest, and the creating of pods), the cap is c, the system's weight w:
        the system gets min(s, max(w c, c - p)), the pods min(p, c - that).
        """
        system_asks = costs.system_cores + self.creating_cores(costs)
        system = min(system_asks, max(costs.system_weight * self.cap_cores, self.cap_cores - pods_ask_cores))
        pods = min(pods_ask_cores, self.cap_cores - system)
        self.system_share = system / system_asks
        self.pod_share = pods / pods_ask_cores if pods_ask_cores > 0 else 1.0
        self.load = (pods_ask_cores + system_asks) / self.cap_cores

    def creating_cores(self, costs: Costs) -> float:
        """What runtime and kubelet ask for to create pods."""
        return min(costs.create_cores, sum(pod.to_create_s for pod in self.pods if pod.state == "starting"))

    def start_pods(self, created_s: float, costs: Costs) -> list[Pod]:
        """The system creates one pod after the other, `created_s` of work in this second; then each starts at the pods' share. Those that now run."""
        begun = []
        for pod in self.pods:
            if pod.state != "starting":
                continue
            if pod.to_create_s > 0:
                done_s = min(created_s, pod.to_create_s)
                pod.to_create_s -= done_s
                created_s -= done_s
                continue
            pod.to_start_s -= costs.start_cores * self.pod_share
            if pod.to_start_s <= 0:
                pod.state = "running"
                begun.append(pod)
        return begun

    def run_kubelet(self, at_s: float, timers: Timers) -> bool:
        """A renewal takes `lease_renew_s` of undisturbed time: progress per second is the system's share. True when one is made."""
        self.to_do_s -= self.system_share
        if self.to_do_s > 1e-9:
            return False
        self.to_do_s = timers.lease_renew_s
        self.renewed_at_s = at_s
        return True

    def throttled(self) -> float:
        """Share of scheduler periods in which the node ran into its cap: min(1, load^4); 0.2 at the lab's rest load of 1 / 1.5. Chosen."""
        return min(1.0, self.load**4)

    def used_cores(self) -> float:
        """CPU used, at most the cap."""
        return min(1.0, self.load) * self.cap_cores
