"""The cluster: nodes with their pods and logs, the node controller, evictions, and the scheduler that puts replacements elsewhere."""

from dataclasses import dataclass, field

import numpy as np

from lab.sim.chain.node import Node, Pod
from lab.sim.chain.parameters import Costs, Timers


@dataclass(frozen=True, slots=True)
class Change:
    """Something that the history tells: a node's Ready condition, or what became of a pod.

    Args:
        kind: `node` or `pod`.
        node: where.
        what: `True` or `Unknown` of a node; `running`, `evicting` or `gone` of a pod.
        pod: which.
    """

    kind: str
    node: str
    what: str
    pod: int | None = None


@dataclass(slots=True)
class Lines:
    """Log lines: written, delivered to the broker, lost with a pod."""

    written: float = 0.0
    delivered: float = 0.0
    gone: float = 0.0
    shipped_now: float = 0.0


@dataclass(slots=True)
class Platform:
    """All nodes and pods. `step` goes one second on and says what changed."""

    nodes: list[Node]
    costs: Costs
    timers: Timers
    chance: np.random.Generator
    lines: Lines = field(default_factory=Lines)
    waiting: list[Pod] = field(default_factory=list)
    evictions: int = 0
    pods_made: int = 0

    @classmethod
    def at_rest(cls, pods: int, nodes: int, cap_multiple: float, costs: Costs, chance: np.random.Generator) -> "Platform":
        """Pods spread evenly and running, kubelets anywhere between two renewals; the cap is a multiple of a node's mean use."""
        steady_cores = costs.system_cores + pods / nodes * costs.pod_cores
        names = ["cascade-lab-worker" + str(number) for number in range(2, 2 + nodes)]
        timers = Timers()
        made = [Node(name, cap_multiple * steady_cores, to_do_s=float(chance.uniform(0, timers.lease_renew_s))) for name in names]
        platform = cls(made, costs, timers, chance)
        for number in range(pods):
            platform.nodes[number % nodes].pods.append(platform._new_pod("running"))
        return platform

    def step(self, at_s: float, lines_per_s: float, broker_up: bool) -> list[Change]:
        """One second. `lines_per_s` is what all running pods together are asked to write."""
        active = [pod for node in self.nodes for pod in node.pods if pod.state in ("running", "terminating")]
        each = lines_per_s / max(1.0, sum(pod.weight for pod in active))
        self.lines.shipped_now = 0.0
        changes: list[Change] = []
        for node in self.nodes:
            ships = {id(pod): min(pod.backlog + each * pod.weight, self.costs.ship_lines_per_s) if broker_up else 0.0 for pod in node.pods}
            node.share_cpu(self._asked_cores(node, each, ships), self.costs)
            self._write_and_ship(node, each, ships)
            created_s = node.creating_cores(self.costs) * node.system_share
            begun = node.start_pods(created_s, self.costs)
            changes += [Change("pod", node.name, "running", pod.number) for pod in begun]
            if node.run_kubelet(at_s, self.timers):
                changes += self._renewed(node)
        if at_s % self.timers.monitor_s == 0:
            changes += self._monitor(at_s)
        changes += self._evict(at_s)
        self._schedule()
        return changes

    def count(self, state: str) -> int:
        """Pods in one state; `pending` are those that wait for a node or start."""
        placed = [pod.state for node in self.nodes for pod in node.pods]
        return len(self.waiting) + placed.count("starting") if state == "pending" else placed.count(state)

    def backlog_lines(self, node: Node) -> float:
        """Lines on a node that are not shipped."""
        return sum(pod.backlog for pod in node.pods)

    def _new_pod(self, state: str) -> Pod:
        self.pods_made += 1
        return Pod(self.pods_made - 1, state, float(self.chance.lognormal(0, self.costs.traffic_spread)))

    def _asked_cores(self, node: Node, each: float, ships: dict[int, float]) -> float:
        asked = 0.0
        for pod in node.pods:
            if pod.state == "starting":
                asked += self.costs.start_cores if pod.to_create_s <= 0 else 0.0
            else:
                asked += self.costs.pod_cores + each * pod.weight * self.costs.line_written_s + ships[id(pod)] * self.costs.line_shipped_s
        return asked

    def _write_and_ship(self, node: Node, each: float, ships: dict[int, float]) -> None:
        """Both happen at the pods' share of what they ask for; backlog += written - shipped."""
        for pod in node.pods:
            if pod.state not in ("running", "terminating"):
                continue
            written = each * pod.weight * node.pod_share
            shipped = min(ships[id(pod)] * node.pod_share, pod.backlog + written)
            pod.backlog += written - shipped
            self.lines.written += written
            self.lines.delivered += shipped
            self.lines.shipped_now += shipped

    def _renewed(self, node: Node) -> list[Change]:
        """A kubelet that is back makes its node Ready, and stops what was evicted meanwhile."""
        changes = [] if node.ready else [Change("node", node.name, "True")]
        node.ready = True
        for pod in node.pods:
            if pod.state == "terminating":
                self.lines.gone += pod.backlog
                changes.append(Change("pod", node.name, "gone", pod.number))
        node.pods = [pod for pod in node.pods if pod.state != "terminating"]
        return changes

    def _monitor(self, at_s: float) -> list[Change]:
        lost = [node for node in self.nodes if node.ready and at_s - node.renewed_at_s > self.timers.grace_s]
        for node in lost:
            node.ready, node.not_ready_since_s = False, at_s
        return [Change("node", node.name, "Unknown") for node in lost]

    def _evict(self, at_s: float) -> list[Change]:
        """After the toleration all pods of a lost node are deleted in the API; their containers run on until the kubelet is back."""
        changes: list[Change] = []
        for node in self.nodes:
            if node.ready or at_s - node.not_ready_since_s < self.timers.toleration_s:
                continue
            for pod in node.pods:
                if pod.state in ("running", "starting"):
                    pod.state = "terminating"
                    self.evictions += 1
                    self.waiting.append(self._new_pod("pending"))
                    changes.append(Change("pod", node.name, "evicting", pod.number))
        return changes

    def _schedule(self) -> None:
        """A waiting pod goes to the Ready node with the fewest pods; with none, it waits."""
        ready = [node for node in self.nodes if node.ready]
        while self.waiting and ready:
            pod = self.waiting.pop(0)
            pod.state, pod.to_create_s, pod.to_start_s = "starting", self.costs.create_s, self.costs.start_s
            min(ready, key=lambda node: (len(node.pods), node.name)).pods.append(pod)
