"""What this machine can do, found before anything starts: each shortage with what was seen and what to run.

`read_host` asks the machine; `examine` is pure, so each finding is tested without one.
"""

import os
import re
import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from lab.adapters import debian
from lab.core import paths
from lab.core.errors import Refused

GIB = 2**30
MEMORY_NEEDED = 10 * GIB
"""Chosen: 7 nodes and 60 pods were seen to use 7 GiB, and the page cache of the builds needs the rest."""
DISK_NEEDED = 25 * GIB
"""Chosen: a cold build leaves 14 GiB in the cache and 6 GiB of images; the rest is room for node file systems."""
CORES_NEEDED = 2
INOTIFY_INSTANCES_NEEDED = 512
"""kind's documentation, known issues, "pod errors due to too many open files"."""
OPEN_FILES_NEEDED = 8192
"""Chosen: containerd and the kubelet open under 2,000 each; dockerd hands its own limit down."""
PORTS = (16443, 18080, 18090, 18200, 18201, 18202, 18404, 18500, 18501, 19092)
"""Host ports of kind-config.yaml."""
ALL_CAPABILITIES = 41
"""Linux 5.9 and later know capabilities 0-40 (capability.h, CAP_LAST_CAP)."""

Level = Literal["ok", "warn", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, how it stands, what was seen, what to run."""

    subject: str
    level: Level
    saw: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """What `read_host` saw. Sizes in bytes; `engine` is its version, "installed" when it is not running, or empty."""

    root: bool
    debian: bool
    cores: int
    memory: int
    disk_free: int
    cgroup: Literal["v1", "v2", "none"]
    capabilities_bound: frozenset[int]
    inotify_instances: int
    open_files: int
    engine: str
    lab_is_up: bool
    ports_taken: tuple[int, ...]
    tools_missing: tuple[str, ...]
    images_made: bool


def read_host(
    engine_version: Callable[[], str],
    lab_is_up: Callable[[], bool],
    tools_missing: Callable[[], Sequence[str]],
    images_made: Callable[[], bool],
) -> Host:
    """Ask the machine; changes nothing."""
    up = lab_is_up()
    return Host(
        root=os.geteuid() == 0,
        debian=shutil.which("apt-get") is not None,
        cores=len(os.sched_getaffinity(0)),
        memory=psutil.virtual_memory().total,
        disk_free=psutil.disk_usage(str(_existing(paths.cache()))).free,
        cgroup=_cgroup_version(),
        capabilities_bound=capabilities(_status_field("CapBnd")),
        inotify_instances=int(Path("/proc/sys/fs/inotify/max_user_instances").read_text(encoding="ascii")),
        open_files=_hard_open_files(),
        engine=engine_version(),
        lab_is_up=up,
        ports_taken=() if up else tuple(port for port in PORTS if _taken(port)),
        tools_missing=tuple(tools_missing()),
        images_made=images_made(),
    )


def examine(host: Host) -> list[Finding]:
    """Judge the host. Pure. `missing` stops `lab up` unless it may mend it itself; `warn` is worked around and said."""
    return [
        _cores(host),
        _memory(host),
        _disk(host),
        _engine(host),
        _tools(host),
        _cgroup(host),
        _capabilities(host),
        _inotify(host),
        _files(host),
        _ports(host),
    ]


def need_ports(ports: Sequence[int], wanted: str) -> None:
    """See that nobody has these ports.

    Raises:
        Refused: somebody has; `wanted` is what they are needed for.
    """
    if taken := [port for port in ports if _taken(port)]:
        raise Refused(wanted, *_who_has(taken))


def capabilities(mask: str) -> frozenset[int]:
    """Capability numbers set in a hexadecimal mask of /proc/PID/status."""
    bits = int(mask, 16)
    return frozenset(number for number in range(64) if bits >> number & 1)


def _cores(host: Host) -> Finding:
    if host.cores < CORES_NEEDED:
        return Finding("processor", "missing", f"{host.cores} core", f"use a machine with at least {CORES_NEEDED} cores")
    return Finding("processor", "ok", f"{host.cores} cores")


def _memory(host: Host) -> Finding:
    saw = f"{host.memory / GIB:.0f} GiB"
    if host.memory < MEMORY_NEEDED:
        return Finding("memory", "missing", saw, f"use a machine with at least {MEMORY_NEEDED // GIB} GiB")
    return Finding("memory", "ok", saw)


def _disk(host: Host) -> Finding:
    saw = f"{host.disk_free / GIB:.0f} GiB free at {paths.cache()}"
    if host.disk_free < DISK_NEEDED and not host.images_made:
        return Finding("disk", "missing", saw, f"free {DISK_NEEDED // GIB} GiB, or set CASCADE_LAB_CACHE to a larger disk")
    if host.disk_free < DISK_NEEDED // 5:
        return Finding("disk", "missing", saw, f"free {DISK_NEEDED // 5 // GIB} GiB, or set CASCADE_LAB_CACHE to a larger disk")
    return Finding("disk", "ok", saw)


def _engine(host: Host) -> Finding:
    if _answers(host):
        return Finding("engine", "ok", f"Docker {host.engine} answers")
    if host.root and host.debian:
        return Finding(
            "engine", "warn", "Docker is not running" if host.engine else "no Docker", "lab up installs and starts it: make lab-up"
        )
    return Finding(
        "engine",
        "missing",
        "Docker is not running" if host.engine else "no Docker",
        "sudo apt-get install docker.io && sudo systemctl start docker",
    )


def _answers(host: Host) -> bool:
    return bool(host.engine) and host.engine != "installed"


def _tools(host: Host) -> Finding:
    unneeded = {*(debian.BUILD_TOOLS if host.images_made else ()), *(debian.ENGINE_PARTS if _answers(host) else ())}
    needed = [name for name in host.tools_missing if name not in unneeded]
    if not needed:
        return Finding("tools", "ok", "all that are needed")
    saw, fix = f"missing: {' '.join(needed)}", f"sudo {debian.install_command(needed)}"
    if host.root and host.debian:
        return Finding("tools", "warn", saw, "lab up installs them: make lab-up")
    if set(needed) <= set(debian.BUILD_TOOLS):
        return Finding("tools", "warn", saw, f"for building images, which need not be where a container registry answers: {fix}")
    return Finding("tools", "missing", saw, fix)


def _cgroup(host: Host) -> Finding:
    if host.cgroup == "none":
        return Finding(
            "cgroups", "missing", "no cpu controller is mounted", "mount cgroups: sudo systemctl start docker, or reboot with systemd"
        )
    return Finding("cgroups", "ok", f"cgroup {host.cgroup}" + (": Kubernetes stays at 1.34 or below" if host.cgroup == "v1" else ""))


def _capabilities(host: Host) -> Finding:
    withheld = sorted(set(range(ALL_CAPABILITIES)) - host.capabilities_bound)
    if not withheld:
        return Finding("capabilities", "ok", "full set")
    return Finding(
        "capabilities",
        "warn",
        f"the host withholds {withheld}",
        "worked around: the lab's engine drops them for its containers (scripts/boundcaps)",
    )


def _inotify(host: Host) -> Finding:
    saw = f"{host.inotify_instances} instances per user"
    if host.inotify_instances >= INOTIFY_INSTANCES_NEEDED:
        return Finding("inotify", "ok", saw)
    fix = f"sudo sysctl -w fs.inotify.max_user_instances={INOTIFY_INSTANCES_NEEDED}"
    if host.root:
        return Finding("inotify", "warn", saw, f"lab up raises it and lab down puts it back: {fix}")
    return Finding("inotify", "missing", saw, fix)


def _files(host: Host) -> Finding:
    if host.open_files < OPEN_FILES_NEEDED:
        return Finding("open files", "missing", f"hard limit {host.open_files}", f"raise it: ulimit -Hn {OPEN_FILES_NEEDED}")
    return Finding("open files", "ok", f"hard limit {host.open_files}")


def _ports(host: Host) -> Finding:
    if host.ports_taken:
        return Finding("ports", "missing", *_who_has(host.ports_taken))
    return Finding("ports", "ok", "the lab's own" if host.lab_is_up else "free on 127.0.0.1")


def _who_has(ports: Sequence[int]) -> tuple[str, str]:
    """What was seen, and what to run."""
    taken = [str(port) for port in ports]
    return f"taken on 127.0.0.1: {', '.join(taken)}", f"see who has them: ss -ltnp | grep -E ':({'|'.join(taken)}) '"


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _cgroup_version() -> Literal["v1", "v2", "none"]:
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return "v2"
    return "v1" if Path("/sys/fs/cgroup/cpu").exists() else "none"


def _status_field(name: str) -> str:
    match = re.search(rf"^{name}:\s*(\S+)", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    assert match, f"/proc/self/status has no {name}"
    return match.group(1)


def _hard_open_files() -> int:
    hard = psutil.Process().rlimit(psutil.RLIMIT_NOFILE)[1]
    return 2**31 if hard < 0 else hard


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
