"""What of this machine the lab might change, as the machine tells it."""

import shutil
import subprocess
from pathlib import Path

import psutil

from lab.core import paths


def machine() -> dict[str, object]:
    """Routes, links, packet filter, mounts, processes, limits, and the state folder."""

    def lines(*argv: str) -> list[str]:
        return sorted(subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines())

    def rules(table: str) -> list[str]:
        # A bare machine has no iptables before the lab installs it, and then no rule but that all is accepted, which is not counted.
        if shutil.which("iptables") is None:
            return []
        return [line for line in lines("iptables", "-t", table, "-S") if not (line.startswith("-P ") and line.endswith(" ACCEPT"))]

    def kept(name: str) -> bool:
        return any(mark in name for mark in ("cascade-lab", "dockerd", "containerd", "kubelet", "consul", "kafka", "locust"))

    # By its program, or the script of a Python: what only names the lab's folders (an editor, a shell) is somebody else's.
    every = [process.info["cmdline"] or [""] for process in psutil.process_iter(["cmdline"])]
    commands = [" ".join(argv[:3] if "python" in argv[0] else argv[:1]) for argv in every]
    return {
        "routes": lines("ip", "-o", "route", "show", "table", "all"),
        "links": [line.split(":")[1] for line in lines("ip", "-o", "link")],
        "iptables": rules("filter") + rules("nat"),
        "mounts": sorted(line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()),
        "processes": sorted({command.split()[0] for command in commands if command.strip() and kept(command) and "pytest" not in command}),
        "inotify": Path("/proc/sys/fs/inotify/max_user_instances").read_text(encoding="ascii"),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(encoding="ascii"),
        "state": paths.STATE.exists(),
    }
