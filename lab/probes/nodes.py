"""Links 2 and 3: is a node's CPU cut off, does its runtime answer, does its kubelet keep its lease, is it Ready."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from lab.core.clock import Clock
from lab.core.errors import Unavailable
from lab.core.protocols import Emit, Reading
from lab.probes.ask import Paced, reason, timed
from lab.probes.reflector import Object, Watched


class Counters(Protocol):
    """CPU counters of a node since it started."""

    @property
    def used_s(self) -> float: ...
    @property
    def periods(self) -> int: ...
    @property
    def throttled_periods(self) -> int: ...


class Group(Protocol):
    """The control group of a node."""

    def read(self) -> Counters: ...


Locate = Callable[[str], Group]
"""Finds the control group of a node by its name; raises Unavailable."""


@dataclass(slots=True)
class CpuProbe:
    """Cores used by each node, and the share of scheduling periods in which its cap stopped it.

    Read from the host's control groups: the engine's own counters come from there too, for a hundred times the CPU.

    Args:
        nodes: names.
        locate: asked again when a node's group is gone (its container was started again).
        interval_s: chosen: 20 periods of 100 ms, so the share has steps of 5 %; less is coarser.
        timeout_s: files only; finding a group asks the engine once.
    """

    nodes: Sequence[str]
    locate: Locate
    clock: Clock
    interval_s: float = 2.0
    timeout_s: float = 5.0
    name: str = "node_cpu"
    _groups: dict[str, Group] = field(default_factory=dict)
    _last: dict[str, tuple[float, Counters]] = field(default_factory=dict)

    def sample(self) -> Sequence[Reading]:
        """`node_cpu_cores`, `node_throttled_ratio` of each node."""
        return [reading for node in self.nodes for reading in self._of(node)]

    def _of(self, node: str) -> list[Reading]:
        try:
            if node not in self._groups:
                self._groups[node] = self.locate(node)
            now = self.clock.now_s(), self._groups[node].read()
        except Unavailable as error:
            self._groups.pop(node, None)
            self._last.pop(node, None)
            return _no_cpu(node, reason(error))
        last, self._last[node] = self._last.get(node), now
        if last is None:
            return _no_cpu(node, "a rate needs two readings")
        return _cpu(node, last, now)


def _no_cpu(node: str, why: str) -> list[Reading]:
    return [Reading(series, node, None, why) for series in ("node_cpu_cores", "node_throttled_ratio")]


def _cpu(node: str, last: tuple[float, Counters], now: tuple[float, Counters]) -> list[Reading]:
    elapsed_s = now[0] - last[0]
    used_s = now[1].used_s - last[1].used_s
    periods = now[1].periods - last[1].periods
    if elapsed_s <= 0 or used_s < 0 or periods < 0:
        return _no_cpu(node, "its counters began anew")
    stopped = now[1].throttled_periods - last[1].throttled_periods
    return [
        Reading("node_cpu_cores", node, round(used_s / elapsed_s, 4)),
        Reading("node_throttled_ratio", node, round(stopped / periods, 4) if periods else 0.0),
    ]


class NodeCache:
    """Ready condition of each node; tells every change, and the state at the start."""

    def __init__(self) -> None:
        self._ready: dict[str, str] = {}

    def ready(self) -> dict[str, str]:
        """Node name to "True", "False" or "Unknown"."""
        return dict(self._ready)

    def replace(self, objects: Iterable[Object], emit: Emit) -> None:
        """Take over a fresh list."""
        listed = list(objects)
        for gone in self._ready.keys() - {found["metadata"]["name"] for found in listed}:
            del self._ready[gone]
        for found in listed:
            self.apply("MODIFIED", found, emit)

    def apply(self, change: str, found: Object, emit: Emit) -> None:
        """Take over one node."""
        name = found["metadata"]["name"]
        if change == "DELETED":
            self._ready.pop(name, None)
            return
        conditions = found.get("status", {}).get("conditions", ())
        ready = next((str(each["status"]) for each in conditions if each["type"] == "Ready"), "Unknown")
        if self._ready.get(name) != ready:
            self._ready[name] = ready
            emit("node", {"node": name, "ready": ready})


class LeaseCache:
    """When each kubelet last renewed its lease."""

    def __init__(self) -> None:
        self._renewed: dict[str, datetime] = {}

    def renewed(self) -> dict[str, datetime]:
        """Node name to the time of its last renewal."""
        return dict(self._renewed)

    def replace(self, objects: Iterable[Object], emit: Emit) -> None:
        """Take over a fresh list."""
        self._renewed = {}
        for found in objects:
            self.apply("ADDED", found, emit)

    def apply(self, change: str, found: Object, emit: Emit) -> None:  # noqa: ARG002  a lease is sampled, not told
        """Take over one lease."""
        renewed = found["spec"].get("renewTime")
        if change == "DELETED" or renewed is None:
            self._renewed.pop(found["metadata"]["name"], None)
        else:
            self._renewed[found["metadata"]["name"]] = datetime.fromisoformat(renewed).astimezone(UTC)


@dataclass(slots=True)
class NodesProbe:
    """Age of each node's lease, and how many nodes are not Ready.

    Lease times are wall times of the nodes, which share this host's clock, so they compare with ours.

    Args:
        nodes: filled by the watch of nodes.
        leases: filled by the watch of leases.
        node_watch: says whether `nodes` can be believed.
        lease_watch: says whether `leases` can be believed.
        interval_s: chosen: leases are renewed every 2 s; 1 s shows a gap as it grows.
        timeout_s: nothing is waited for.
    """

    nodes: NodeCache
    leases: LeaseCache
    node_watch: Watched
    lease_watch: Watched
    clock: Clock
    interval_s: float = 1.0
    timeout_s: float = 1.0
    name: str = "nodes"

    def sample(self) -> Sequence[Reading]:
        """`nodes_not_ready`, and `lease_gap_s` of each node."""
        return [self._not_ready(), *self._gaps()]

    def _not_ready(self) -> Reading:
        if self.node_watch.problem:
            return Reading("nodes_not_ready", "cluster", None, self.node_watch.problem)
        return Reading("nodes_not_ready", "cluster", float(sum(ready != "True" for ready in self.nodes.ready().values())))

    def _gaps(self) -> list[Reading]:
        now, problem = self.clock.utc(), self.lease_watch.problem
        return [
            Reading("lease_gap_s", node, None if problem else round((now - renewed).total_seconds(), 3), problem)
            for node, renewed in sorted(self.leases.renewed().items())
        ]


class Runtimes(Protocol):
    """Container runtimes by node; may be asked by several threads at once."""

    def check(self, node: str, timeout_s: float) -> None: ...


@dataclass(slots=True)
class CriProbe:
    """How long a node's container runtime takes to answer, one node after the other.

    The runtime needs a node's CPU only to accept, to wake up and to answer: what it takes longer than a few milliseconds is waiting for the CPU.

    Args:
        nodes: names.
        runtimes: asked over the sockets that the kubelets use.
        round_s: each node is asked once in this time. Chosen: the grace period of a node is 12 s, so a starving one is seen three times before
            it is lost; a question costs the node 0.6 ms of CPU (measured), and here 0.5 ms.
        timeout_s: chosen: a kubelet takes a runtime that is silent for so long for broken; higher keeps more questions under way.
    """

    nodes: Sequence[str]
    runtimes: Runtimes
    clock: Clock
    round_s: float = 4.0
    timeout_s: float = 10.0
    name: str = "cri"
    _turns: Iterator[str] = field(init=False)
    _paced: Paced = field(init=False)

    def __post_init__(self) -> None:
        self._turns = itertools.cycle(self.nodes)
        self._paced = Paced(math.ceil(self.timeout_s / self.interval_s), self.interval_s * 0.8)

    @property
    def interval_s(self) -> float:
        """The round, shared out among the nodes."""
        return self.round_s / len(self.nodes)

    def sample(self) -> Sequence[Reading]:
        """`cri_latency_ms` of the nodes that answered since the last call."""
        node = next(self._turns)
        return self._paced.ask(lambda: [self._of(node)], self.name)

    def _of(self, node: str) -> Reading:
        return timed(self.clock, "cri_latency_ms", node, lambda: self.runtimes.check(node, self.timeout_s))
