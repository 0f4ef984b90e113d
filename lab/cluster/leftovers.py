"""What of the lab is on this machine, asked of the machine: containers, networks, volumes, routes, processes, files."""

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from lab.adapters.docker import CLUSTER, NEIGHBOUR, Docker, Node
from lab.cluster import host
from lab.core import paths
from lab.core.ledger import Ledger

PROCESS_MARKS = ("lab.runner.watchdog", "loadtests/")
"""In the command lines of the lab's own helpers: the watchdog and Locust."""


@dataclass(frozen=True, slots=True)
class Status:
    """The lab on this machine. `leftovers` are things without an owner: none of them belongs to a living cluster or run."""

    clusters: Sequence[str]
    open_faults: Sequence[str]
    leftovers: Sequence[str]


def status(docker: Docker | None, run_is_alive: bool) -> Status:
    """Ask the machine.

    Args:
        docker: the engine, or None when none answers.
        run_is_alive: a run holds the lock, so its watchdog, its load and its neighbour are not leftovers.
    """
    engine = docker.leftovers() if docker else []
    nodes, beside = (docker.nodes(), docker.nodes(NEIGHBOUR)) if docker else ([], [])
    whole = _runs(nodes)
    left: list[str] = [] if whole else [*engine, *_host()]
    if not run_is_alive:
        left += [f"container {node.name}" for node in beside if whole]
        left += processes()
    clusters = [name for name, there in ((CLUSTER, whole), (NEIGHBOUR, whole and run_is_alive and _runs(beside))) if there]
    return Status(clusters, [entry.fault for entry in Ledger(paths.LEDGER).open_entries()], left)


def _runs(nodes: Sequence[Node]) -> bool:
    return bool(nodes) and all(node.state == "running" for node in nodes)


def processes() -> list[str]:
    """The lab's helper processes, as `process PID COMMAND`."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if any(mark in command for mark in PROCESS_MARKS) and "python" in command:
            found.append(f"process {process.info['pid']} {command[:100]}")
    return found


def _host() -> list[str]:
    route = [f"route blackhole {host.BLACKHOLE[0]}"] if host.has_blackhole() else []
    return route + ([f"files {paths.STATE}"] if paths.STATE.exists() else [])
