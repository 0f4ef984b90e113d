"""The cluster: nodes with their pods and logs, the node controller, evictions, and the scheduler that puts replacements elsewhere.

One step is a second. Arrays throughout, so that 41,000 pods on thousands of nodes take milliseconds.
"""

import heapq
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lab.sim.chain.nodes import Nodes, per_node, water_fill
from lab.sim.chain.parameters import Costs, Timers
from lab.sim.chain.plan import LINES_EACH
from lab.sim.chain.pods import CREATING, EVICTED, FREE, NOWHERE, PENDING, REMOVING, RUNNING, STARTING, STOPPING, Pods

Rows = NDArray[np.int64]
WORK_SPREAD = 0.3
"""Log-normal spread of the work on a pod. Chosen: pods that were evicted together were gone within a quarter of the time that it took."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that the history tells: a node's Ready condition, or what became of a pod.

    Args:
        kind: `node` or `pod`.
        node: where; empty where a pod has no node yet.
        what: `True` or `Unknown` of a node; `created`, `started` (its containers run), `running`, `evicting`, `stopping` (they got their signal) or
            `deleted` of a pod.
        pod: which.
    """

    kind: str
    node: str
    what: str
    pod: int | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What a second asks of the platform.

    Args:
        pages: requests of users, over all pods.
        asks: requests of the flood.
        broker_up: the broker answers.
        burners: (N,) busy processes on each node beside the pods.
        pods_wanted: pods that the deployment asks for.
        messages_per_s: (P,) gossip packets of each pod's agent, by row; None before the first second.
    """

    pages: int = 0
    asks: int = 0
    broker_up: bool = True
    burners: tuple[int, ...] = ()
    pods_wanted: int | None = None
    messages_per_s: NDArray[np.float64] | None = None


@dataclass(slots=True)
class Lines:
    """Log lines: written, delivered to the broker, gone with a pod; and what the last second shipped."""

    written: float = 0.0
    delivered: float = 0.0
    gone: float = 0.0
    shipped_now: float = 0.0


@dataclass(slots=True)
class Platform:
    """All nodes and pods. `step` goes one second on and says what changed."""

    nodes: Nodes
    pods: Pods
    costs: Costs
    timers: Timers
    chance: np.random.Generator
    lines: Lines = field(default_factory=Lines)
    logger_cores: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    evictions: int = 0
    at_s: float = 0.0
    changes: list[Change] = field(default_factory=list)
    _running: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    _ready: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    _serving: Rows = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def at_rest(
        cls, pods: int, nodes: int, cap_multiple: float, costs: Costs, chance: np.random.Generator, lines_per_s: float = 0.0
    ) -> "Platform":
        """Pods spread evenly and running; the cap is a multiple of what a node used while it was measured."""
        each = costs.pod_cores * pods + lines_per_s * (costs.line_written_s + costs.line_shipped_s)
        rest_cores = costs.system_cores + each / nodes
        timers = Timers()
        made = Nodes.at_rest(nodes, cap_multiple * costs.calibration_excess * rest_cores, timers, chance)
        platform = cls(made, Pods(), costs, timers, chance, logger_cores=np.zeros(nodes))
        rows = platform.pods.add(pods)
        platform.pods.node[rows] = np.arange(pods) % nodes
        platform.pods.put(rows, RUNNING)
        return platform

    def step(self, at_s: float, demand: Demand) -> list[Change]:
        """One second, from `at_s` on."""
        self.at_s, self.changes = at_s, []
        self._scale(demand.pods_wanted)
        written = self._written(demand)
        self._use_cpu(demand, written)
        renewed, posted = self.nodes.run_kubelets(at_s, self.costs, self.chance)
        self._learn_of_evictions(renewed)
        self._come_back(posted)
        if at_s % self.timers.monitor_s == 0:
            self._lose_silent()
        self._evict()
        self._schedule()
        return self.changes

    def serving(self) -> Rows:
        """Rows of pods that get users' requests: running, on a Ready node. Kept until either changes, as it is asked for three times a second."""
        rows, ready = self.pods.of(RUNNING), self.nodes.ready
        if rows is not self._running or not np.array_equal(ready, self._ready):
            self._running, self._ready, self._serving = rows, ready.copy(), rows[ready[self.pods.node[rows]]]
        return self._serving

    def backlog_lines(self) -> NDArray[np.float64]:
        """(N,) lines on each node that are not shipped."""
        return per_node(self.pods.node - NOWHERE, self.pods.backlog, 1 + len(self.nodes.names))[1:]

    def _scale(self, wanted: int | None) -> None:
        """A deployment that asks for more gets new pods; one that asks for less loses the youngest."""
        alive = self.pods.of(PENDING, CREATING, STARTING, RUNNING)
        if wanted is None or wanted == len(alive):
            return
        if wanted > len(alive):
            self._create(wanted - len(alive))
            return
        for row in alive[wanted:]:
            self._end(row)

    def _create(self, count: int) -> None:
        for row in self.pods.add(count):
            self._tell(row, "created")

    def _written(self, demand: Demand) -> NDArray[np.float64]:
        """(P,) lines that each pod is asked to write: requests fall on pods by chance, as through a NodePort."""
        asked, serving = np.zeros(len(self.pods.state)), self.serving()
        if len(serving):
            pages = np.bincount(self.chance.integers(0, len(serving), demand.pages), minlength=len(serving))
            asks = np.bincount(self.chance.integers(0, len(serving), demand.asks), minlength=len(serving))
            asked[serving] = self.costs.lines_per_request * pages + LINES_EACH * asks
        return asked

    def _use_cpu(self, demand: Demand, asked: NDArray[np.float64]) -> None:
        costs, pods, count = self.costs, self.pods, len(self.nodes.names)
        live = pods.of(RUNNING, EVICTED, STOPPING)
        node, asked = pods.node[live], asked[live]
        at_rest = np.where(self.nodes.full[node], costs.starved_pod_cores, costs.pod_cores)
        rigid = at_rest + asked * costs.line_written_s
        if demand.messages_per_s is not None:
            rigid = rigid + demand.messages_per_s[live] * costs.message_s
        starting = pods.of(STARTING)
        waiting = pods.backlog[live] + asked
        ships = np.minimum(1.0, waiting * costs.line_shipped_s) if demand.broker_up else np.zeros(len(live))
        burners = np.repeat(np.arange(len(demand.burners)), demand.burners)
        of = np.concatenate([node, pods.node[starting], burners])
        greedy = np.concatenate([ships, np.full(len(starting), costs.start_cores), np.ones(len(burners))])
        busy = pods.of(CREATING, STOPPING, REMOVING)
        work = np.minimum(self.nodes.cap_cores, per_node(pods.node[busy], pods.to_do_s[busy], count))
        rigid_asks = per_node(node, rigid, count)
        got = self.nodes.share_cpu(work, rigid_asks, of, greedy, costs)
        self._write_and_ship(live, asked, got[: len(live)])
        self._start(starting, got[len(live) : len(live) + len(starting)])
        self._work(busy, work * self.nodes.work_share)

    def _write_and_ship(self, live: Rows, asked: NDArray[np.float64], logger_cores: NDArray[np.float64]) -> None:
        """A pod's backlog grows by what it writes and shrinks by what its logger ships: cores / line_shipped_s lines a second."""
        pods, node, backlog = self.pods, self.pods.node[live], self.pods.backlog[live]
        written = asked * self.nodes.rigid_share[node]
        shipped = np.minimum(logger_cores / self.costs.line_shipped_s, backlog + written)
        pods.backlog[live] = backlog + (written - shipped)
        self.logger_cores = per_node(node, logger_cores, len(self.nodes.names))
        self.lines.written += float(written.sum())
        self.lines.shipped_now = float(shipped.sum())
        self.lines.delivered += self.lines.shipped_now

    def _start(self, starting: Rows, cores: NDArray[np.float64]) -> None:
        self.pods.to_start_s[starting] -= cores
        for row in starting[self.pods.to_start_s[starting] <= 1e-9]:
            self.pods.put(row, RUNNING)
            self._tell(row, "running")

    def _work(self, busy: Rows, budget_s: NDArray[np.float64]) -> None:
        """The runtime makes and ends all pods of a node at once, each with an even part of `budget_s` (N,) core seconds in this second."""
        pods = self.pods
        pods.to_do_s[busy] -= water_fill(budget_s, pods.node[busy], pods.to_do_s[busy])
        for row in busy[pods.to_do_s[busy] <= 1e-9]:
            if pods.state[row] == CREATING:
                pods.put(row, STARTING)
                self._tell(row, "started")
            elif pods.state[row] == STOPPING:
                self._set_work(row, REMOVING, self.costs.remove_s)
                self._tell(row, "stopping")
            else:
                self._delete(row)

    def _learn_of_evictions(self, renewed: Rows) -> None:
        """A kubelet that gets through to the API sees which of its pods are deleted, and begins to end them."""
        evicted = self.pods.of(EVICTED)
        for row in evicted[np.isin(self.pods.node[evicted], renewed)]:
            self._end(row)

    def _end(self, row: int) -> None:
        """A pod without containers has nothing to stop."""
        if self.pods.state[row] == PENDING:
            self._delete(row)
        elif self.pods.state[row] == CREATING:
            self._set_work(row, REMOVING, self.costs.remove_s)
        else:
            self._set_work(row, STOPPING, self.costs.stop_s)

    def _set_work(self, row: int, state: int, mean_s: float) -> None:
        self.pods.put(row, state)
        self.pods.to_do_s[row] = mean_s * self.chance.lognormal(0, WORK_SPREAD)

    def _delete(self, row: int) -> None:
        self._tell(row, "deleted")
        self.lines.gone += float(self.pods.backlog[row])
        self.pods.backlog[row] = 0.0
        self.pods.put(row, FREE)
        self.pods.node[row] = NOWHERE

    def _come_back(self, posted: Rows) -> None:
        """A status makes a node Ready again."""
        for node in posted[~self.nodes.ready[posted]]:
            self.nodes.ready[node] = True
            self.changes.append(Change("node", self.nodes.names[node], "True"))

    def _lose_silent(self) -> None:
        """The controller looks every `monitor_s`: a lease older than `grace_s` makes a node NotReady."""
        nodes = self.nodes
        for node in np.flatnonzero(nodes.ready & (self.at_s - nodes.renewed_at_s > self.timers.grace_s)):
            nodes.ready[node], nodes.lost_at_s[node] = False, self.at_s
            self.changes.append(Change("node", nodes.names[node], "Unknown"))

    def _evict(self) -> None:
        """After the toleration all pods of a lost node are deleted in the API; their containers run on until the kubelet hears of it."""
        due = ~self.nodes.ready & (self.at_s - self.nodes.lost_at_s >= self.timers.toleration_s)
        if not due.any():
            return
        placed = self.pods.of(CREATING, STARTING, RUNNING)
        gone = placed[due[self.pods.node[placed]]]
        for row in gone:
            self._tell(row, "evicting")
            if self.pods.state[row] == CREATING:
                self._end(row)
            else:
                self.pods.put(row, EVICTED)
        self.evictions += len(gone)
        self._create(len(gone))

    def _schedule(self) -> None:
        """A waiting pod goes to the Ready node with the fewest pods that are not being deleted; with none, it waits."""
        waiting = self.pods.of(PENDING)
        if not len(waiting) or not self.nodes.ready.any():
            return
        placed = self.pods.of(CREATING, STARTING, RUNNING)
        counts = np.bincount(self.pods.node[placed], minlength=len(self.nodes.names))
        heap = [(int(counts[node]), int(node)) for node in np.flatnonzero(self.nodes.ready)]
        heapq.heapify(heap)
        for row in waiting:
            many, node = heapq.heappop(heap)
            heapq.heappush(heap, (many + 1, node))
            self.pods.node[row] = node
            self.pods.to_start_s[row] = self.costs.start_s
            self._set_work(row, CREATING, self.costs.create_s)

    def _tell(self, row: int, what: str) -> None:
        node = int(self.pods.node[row])
        self.changes.append(Change("pod", "" if node == NOWHERE else self.nodes.names[node], what, int(self.pods.number[row])))
