"""Link 1 where each node has a collector instead of a logger in each pod: the same series, from its counters and the pods' tallies."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lab.core.clock import Clock
from lab.core.protocols import Reading
from lab.core.shipped import Shipped
from lab.core.tally import Tally
from lab.probes.pods import PodCache
from lab.probes.reflector import Watched
from lab.probes.tallies import ReadTallies, unknown

ReadShipped = Callable[[], Mapping[str, Shipped]]
"""What each collector has done, by its node."""


@dataclass(slots=True)
class CollectorsProbe:
    """Backlog and collector CPU per node.

    A node's backlog is what its living pods have written and its collector has not taken, and what the collector has taken and Kafka has not
    acknowledged. What was stored of a pod that is gone is gone with it.

    Args:
        nodes: app nodes.
        pods: says who is where.
        watch: says whether `pods` can be believed.
        read: reads the tallies: how much was written.
        collectors: reads the counters.
        interval_s: as that of the tallies; 5 files more.
        timeout_s: files only.
    """

    nodes: Sequence[str]
    pods: PodCache
    watch: Watched
    read: ReadTallies
    collectors: ReadShipped
    clock: Clock
    interval_s: float = 1.0
    timeout_s: float = 1.0
    name: str = "tallies"
    _last: tuple[float, Mapping[str, Shipped]] | None = field(default=None)

    def sample(self) -> Sequence[Reading]:
        """`log_backlog_bytes` and `sidecar_cpu_cores` of each node, `log_backlog_bytes_max` of the pod that most was not taken from."""
        if self.watch.problem:
            self._last = None
            return unknown(self.nodes, self.watch.problem)
        homes = {pod.name: pod.node for pod in self.pods.pods() if pod.phase not in ("Succeeded", "Failed")}
        tallies, done = self.read(homes), self.collectors()
        last, self._last = self._last, (self.clock.now_s(), done)
        waiting = {name: _not_taken(name, tally, done.get(homes[name], Shipped())) for name, tally in tallies.items()}
        mean_bytes = _line_bytes(tallies.values())
        return [
            *(Reading("log_backlog_bytes", node, _backlog_bytes(node, homes, waiting, done, mean_bytes)) for node in self.nodes),
            Reading("log_backlog_bytes_max", "pod-max", float(round(max(waiting.values(), default=0) * mean_bytes))),
            *(_cores(node, last, self._last) for node in self.nodes),
        ]


def _not_taken(pod: str, tally: Tally, done: Shipped) -> int:
    return max(0, tally.written_lines - done.taken.get(pod, 0))


def _line_bytes(tallies: Iterable[Tally]) -> float:
    """Mean length of a line; a line's length varies by 6 of 200 bytes."""
    both = [(tally.written_bytes, tally.written_lines) for tally in tallies]
    return sum(size for size, _ in both) / max(1, sum(lines for _, lines in both))


def _backlog_bytes(
    node: str, homes: Mapping[str, str], waiting: Mapping[str, int], done: Mapping[str, Shipped], line_bytes: float
) -> float:
    lines = sum(lines for pod, lines in waiting.items() if homes[pod] == node) + done.get(node, Shipped()).in_flight
    return float(round(lines * line_bytes))


def _cores(node: str, last: tuple[float, Mapping[str, Shipped]] | None, now: tuple[float, Mapping[str, Shipped]]) -> Reading:
    """Cores used by the collector of `node`; one that started between counts from its start."""
    if last is None or now[0] <= last[0] or node not in now[1]:
        return Reading("sidecar_cpu_cores", node, None, "a rate needs two readings")
    used_us = now[1][node].cpu_us - last[1].get(node, Shipped()).cpu_us
    return Reading("sidecar_cpu_cores", node, round(max(0, used_us) / 1e6 / (now[0] - last[0]), 4))
