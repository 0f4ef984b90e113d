"""What the lab itself costs: it shares the cores with what it measures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lab.core.clock import Clock
from lab.core.protocols import Reading

CpuSeconds = Callable[[Iterable[int]], Mapping[int, float]]
Family = Callable[[], Mapping[int, str]]
"""The lab's own processes now: pid to command line."""


@dataclass(slots=True)
class LabCpu:
    """Cores used by the runner and its children, and apart from them by Locust, which is the users.

    Args:
        family: runner, watchdog and all their children.
        cpu_seconds: CPU time of each process, without its children.
        interval_s: chosen: CPU time comes in ticks of 10 ms, so over 5 s the error is 0.2 % of a core.
        timeout_s: files only.
    """

    family: Family
    cpu_seconds: CpuSeconds
    clock: Clock
    interval_s: float = 5.0
    timeout_s: float = 2.0
    name: str = "lab_cpu"
    _last: tuple[float, Mapping[int, float]] | None = field(default=None)
    """When, and the CPU seconds of every process ever seen, so that one which a look misses does not count from zero at the next."""

    def sample(self) -> Sequence[Reading]:
        """`lab_cpu_cores`, `locust_cpu_cores`."""
        family = self.family()
        now = self.clock.now_s(), self.cpu_seconds(family)
        last, self._last = self._last, (now[0], {**(self._last[1] if self._last else {}), **now[1]})
        if last is None or now[0] <= last[0]:
            why = "a rate needs two readings"
            return [Reading("lab_cpu_cores", "lab", None, why), Reading("locust_cpu_cores", "locust", None, why)]
        locust = {pid for pid, command in family.items() if "locust" in command}
        return [
            Reading("lab_cpu_cores", "lab", _cores(last, now, family.keys() - locust)),
            Reading("locust_cpu_cores", "locust", _cores(last, now, locust)),
        ]


def _cores(last: tuple[float, Mapping[int, float]], now: tuple[float, Mapping[int, float]], pids: Iterable[int]) -> float:
    """Cores used between two readings. A process that began in between counts from zero; what one used that ended is missed."""
    used_s = sum(max(0.0, now[1][pid] - last[1].get(pid, 0.0)) for pid in pids if pid in now[1])
    return round(used_s / (now[0] - last[0]), 4)
