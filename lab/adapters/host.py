"""What the host's kernel knows for nothing: control groups of containers, processes of agents, the lab's own CPU.

Containers share the host's kernel, so their processes and counters are read here without asking, or waking, anything inside a starved node.
"""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from lab.core import shipped
from lab.core.errors import Unavailable
from lab.core.shipped import Shipped
from lab.core.tally import SIZE_BYTES, Tally, parse

PROC: Final = Path("/proc")
CGROUPS: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class CpuCounters:
    """CPU counters of a control group since it was made.

    Args:
        used_s: CPU time, seconds.
        periods: scheduling periods in which the group wanted to run while it had a cap.
        throttled_periods: those in which the cap stopped it.
    """

    used_s: float
    periods: int
    throttled_periods: int


class Cgroup:
    """The control group of one container, found through its first process; cgroup v1 and v2.

    Args:
        container_id: the engine's full id, which is part of the group's path.
        pid: the container's first process on the host. Its own group may lie deeper (systemd), so the path is cut at the container's id.
        proc: where processes are shown.
        root: where control groups are mounted.

    Raises:
        Unavailable: the process is gone, or the group is not found.
    """

    def __init__(self, container_id: str, pid: int, proc: Path = PROC, root: Path = CGROUPS) -> None:
        tried = f"find the control group of container {container_id[:12]}"
        try:
            lines = (proc / str(pid) / "cgroup").read_text().splitlines()
        except OSError as error:
            raise Unavailable(tried, str(error)) from error
        paths = dict(line.split(":", 2)[1:] for line in lines)
        one = next((path for names, path in paths.items() if "cpu" in names.split(",")), None)
        self._v1 = one is not None
        path = _cut(one if one is not None else paths.get("", "/"), container_id)
        self._stat = (root / "cpu" if self._v1 else root) / path / "cpu.stat"
        self._usage = root / "cpuacct" / path / "cpuacct.usage"
        if not self._stat.exists():
            raise Unavailable(tried, f"no {self._stat}")

    def read(self) -> CpuCounters:
        """The counters now.

        Raises:
            Unavailable: the container is gone.
        """
        try:
            stat = dict(line.split() for line in self._stat.read_text().splitlines())
            used_s = int(self._usage.read_text()) / 1e9 if self._v1 else int(stat["usage_usec"]) / 1e6
        except (OSError, ValueError, KeyError) as error:
            raise Unavailable(f"read {self._stat}", f"{type(error).__name__}: {error}") from error
        return CpuCounters(used_s, int(stat.get("nr_periods", 0)), int(stat.get("nr_throttled", 0)))


class Agents:
    """Names of the Consul agents whose processes live on this host, from the process table.

    A process is looked at closely once; after that a scan lists the table and reads the command lines of the agents alone. Safe from many threads:
    the probes share one, for in a cascade new processes come by the hundred.
    """

    def __init__(self, proc: Path = PROC, now_s: Callable[[], float] = time.monotonic) -> None:
        self._proc = proc
        self._now_s = now_s
        self._agents: set[str] = set()
        self._strangers: dict[str, float] = {}
        self._lock = threading.Lock()

    def living(self) -> set[str]:
        """The `-node=` names of the running `consul` processes, the last of each as for the agent; a zombie has no command line and does not count."""
        with self._lock:
            pids = {name for name in os.listdir(self._proc) if name.isdigit()}  # noqa: PTH208  # a Path for each of a thousand costs five times as much
            self._strangers = {pid: since_s for pid, since_s in self._strangers.items() if pid in pids}
            old_s = self._now_s() - _NEW_S
            names = {pid: self._name(pid) for pid in pids - {pid for pid, since_s in self._strangers.items() if since_s < old_s}}
            self._agents = {pid for pid, name in names.items() if name}
            return {name for name in names.values() if name}

    def _name(self, pid: str) -> str | None:
        if pid not in self._agents and self._first_line(pid, "comm") != "consul":
            self._strangers.setdefault(pid, self._now_s())
            return None
        self._strangers.pop(pid, None)
        words = self._first_line(pid, "cmdline").split("\0")
        return next((word.split("=", 1)[1] for word in reversed(words) if word.lstrip("-").startswith("node=")), None)

    def _first_line(self, pid: str, file: str) -> str:
        try:
            with (self._proc / pid / file).open(encoding="utf-8", errors="replace") as opened:
                return opened.read(4096).strip("\n")
        except OSError:
            return ""  # it ended between the listing and the reading


_NEW_S: Final = 10.0
"""How long a process that is not an agent is looked at again. Chosen: a container's first process is called `runc` before it becomes the agent, for
seconds on a starved node. Higher costs a file read a process and scan."""


def idle_seconds() -> tuple[float, float]:
    """CPU time of this host since its boot, seconds, summed over its cores: idle, and all."""
    times = psutil.cpu_times()
    return times.idle + times.iowait, sum(times) - times.guest - times.guest_nice  # the kernel counts guests among user and nice


def cpu_seconds(pids: Iterable[int]) -> dict[int, float]:
    """CPU time in seconds that each living process of `pids` has used, without its children."""
    used: dict[int, float] = {}
    for pid in pids:
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.Error:
            continue  # ended, or not ours to see
        used[pid] = times.user + times.system
    return used


def family(pid: int, proc: Path = PROC) -> dict[int, str]:
    """`pid` and all its living descendants, with their command lines; empty when it is gone.

    Follows the kernel's lists of children; psutil asks every process of the host for its parent, which costs 20 times more with 500 of them.
    """
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            words = (proc / str(one) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            threads = list((proc / str(one) / "task").iterdir())
        except OSError:
            continue  # it ended meanwhile
        found[one] = words
        waiting += [child for thread in threads for child in _children(thread)]
    return found


def _children(thread: Path) -> list[int]:
    """Of a thread; none when it has ended since its process' threads were listed, as probes' threads do all the time."""
    try:
        return [int(child) for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def read_tallies(folder: Path, pods: Iterable[str]) -> dict[str, Tally]:
    """Tallies of `pods` in `folder`; a pod that has not laid its own out yet is left out."""
    found: dict[str, Tally] = {}
    for pod in pods:
        try:
            with (folder / pod).open("rb") as opened:
                found[pod] = parse(opened.read(SIZE_BYTES))
        except (OSError, ValueError):
            continue  # not there yet, or being made
    return found


def read_shipped(folder: Path) -> dict[str, Shipped]:
    """What each shipper in `folder` that keeps no tally says of itself; nothing where there is none."""
    files = sorted(path for path in folder.iterdir() if shipped.STATS_FILE.match(path.name)) if folder.is_dir() else []
    return shipped.added((path.name, _end_of(path, shipped.TAIL_BYTES)) for path in files)


def _end_of(path: Path, size: int) -> str:
    try:
        with path.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - size))
            return opened.read().decode(errors="replace")
    except OSError:
        return ""  # it was deleted meanwhile


def forget_tallies(folder: Path) -> None:
    """Delete the counters of earlier pods. The folder is the lab's, so that its user may, whoever wrote them."""
    for file in folder.iterdir():
        file.unlink(missing_ok=True)


def _cut(path: str, container_id: str) -> str:
    """`path` without its leading slash, up to the part that names the container."""
    parts = path.strip("/").split("/")
    last = next((number for number, part in enumerate(parts) if container_id in part), len(parts) - 1)
    return "/".join(parts[: last + 1])


def thaw(container_id: str, freezer: Path = Path("/sys/fs/cgroup/freezer")) -> int:
    """Thaw every frozen cgroup below a container, as root on cgroup v1; how many there were.

    runc freezes a cgroup while it changes its devices. One that is killed in that moment leaves it frozen, and under version 1 a frozen
    process cannot even be killed, nor can the container that holds it. Version 2 has neither trouble nor such files.
    """
    thawed = 0
    for folder, _, files in os.walk(freezer):  # which passes over what ends meanwhile; glob does not
        if container_id not in folder or "freezer.state" not in files:
            continue
        state = Path(folder) / "freezer.state"
        try:
            if state.read_text(encoding="ascii").strip() != "THAWED":
                state.write_text("THAWED", encoding="ascii")
                thawed += 1
        except OSError as gone:
            if gone.errno not in {errno.ENOENT, errno.ENODEV}:
                raise
    return thawed
