"""Link 1: what the pods have written and not yet delivered, and the CPU that their loggers burn, from the tallies on the host."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lab.core.clock import Clock
from lab.core.protocols import Reading
from lab.core.tally import Tally
from lab.probes.pods import Pod, PodCache
from lab.probes.reflector import Watched

ReadTallies = Callable[[Iterable[str]], Mapping[str, Tally]]
"""Tallies of the named pods; a pod that has none yet is left out."""


@dataclass(slots=True)
class TalliesProbe:
    """Backlog and logger CPU per node, over the pods that the API still has there.

    A pod on a lost node counts until its object goes: its log is still on that node. After that it is gone with the pod, which the accounting counts.

    Args:
        nodes: app nodes; one without pods has a backlog of zero.
        pods: says who is where.
        watch: says whether `pods` can be believed.
        read: reads the tallies.
        interval_s: chosen: a flood lasts seconds; 60 files cost about 2 ms of CPU.
        timeout_s: files only.
    """

    nodes: Sequence[str]
    pods: PodCache
    watch: Watched
    read: ReadTallies
    clock: Clock
    interval_s: float = 1.0
    timeout_s: float = 1.0
    name: str = "tallies"
    _last: tuple[float, Mapping[str, Tally]] | None = field(default=None)

    def sample(self) -> Sequence[Reading]:
        """`log_backlog_bytes` and `sidecar_cpu_cores` of each node, `log_backlog_bytes_max` of the worst pod."""
        if self.watch.problem:
            self._last = None
            return unknown(self.nodes, self.watch.problem)
        living = [pod for pod in self.pods.pods() if pod.phase not in ("Succeeded", "Failed")]
        tallies = self.read(pod.name for pod in living)
        now_s = self.clock.now_s()
        last, self._last = self._last, (now_s, tallies)
        worst = max((tally.backlog_bytes for tally in tallies.values()), default=0)
        return [
            *(Reading("log_backlog_bytes", node, float(_backlog(living, tallies, node))) for node in self.nodes),
            Reading("log_backlog_bytes_max", "pod-max", float(worst)),
            *(_cores(living, last, (now_s, tallies), node) for node in self.nodes),
        ]


def unknown(nodes: Sequence[str], why: str) -> list[Reading]:
    """The readings of link 1 when nobody knows which pods there are."""
    per_node = [Reading(series, node, None, why) for node in nodes for series in ("log_backlog_bytes", "sidecar_cpu_cores")]
    return [*per_node, Reading("log_backlog_bytes_max", "pod-max", None, why)]


def _backlog(living: Sequence[Pod], tallies: Mapping[str, Tally], node: str) -> int:
    return sum(tallies[pod.name].backlog_bytes for pod in living if pod.node == node and pod.name in tallies)


def _cores(
    living: Sequence[Pod], last: tuple[float, Mapping[str, Tally]] | None, now: tuple[float, Mapping[str, Tally]], node: str
) -> Reading:
    """Cores used by the loggers of `node`: of each pod seen both times, what it used between. A restarted logger that counts anew counts as none."""
    if last is None or now[0] <= last[0]:
        return Reading("sidecar_cpu_cores", node, None, "a rate needs two readings")
    both = (pod.name for pod in living if pod.node == node and pod.name in last[1] and pod.name in now[1])
    used_us = sum(max(0, now[1][name].logger_cpu_us - last[1][name].logger_cpu_us) for name in both)
    return Reading("sidecar_cpu_cores", node, round(used_us / 1e6 / (now[0] - last[0]), 4))
