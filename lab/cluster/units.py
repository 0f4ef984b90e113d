"""Small programs that run inside nodes as transient systemd units: an injury that has to go on in time lives there, and not in the runner.

Whatever becomes of the runner, the unit is found by its name and stopped; it also ends by itself after `LIFE_S_MAX`.
"""

import shlex
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from lab.adapters.docker import Docker
from lab.core.errors import LabError

T = TypeVar("T")

EXEC_TIMEOUT_S = 8.0
"""Chosen: an exec into a node takes 0.1 s at rest and was seen to take 2 s at its cap; a heal has 10 s in all."""
LIFE_S_MAX = 7200
"""Chosen: twice the longest phase that an experiment file may ask for."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One program in one or more nodes.

    Args:
        name: of the unit, `lab-...`.
        nodes: where.
        script: for /bin/sh; runs until it is stopped.
        after: for /bin/sh, run by systemd whenever the unit ends, however it ends.
        slice: whose CPU share it takes part in; systemd's own when left out.
    """

    name: str
    nodes: Sequence[str]
    script: str = ""
    after: str = ""
    slice: str = ""


class Units:
    """Starts, stops and finds units."""

    def __init__(self, docker: Docker) -> None:
        self._docker = docker

    def start(self, unit: Unit) -> None:
        """Start it where it does not run yet."""
        options = ["--quiet", "--collect", f"--unit={unit.name}", f"--property=RuntimeMaxSec={LIFE_S_MAX}", "--property=CPUAccounting=yes"]
        options += [f"--slice={unit.slice}"] if unit.slice else []
        options += [f"--property=ExecStopPost=/bin/sh -c {shlex.quote(unit.after)}"] if unit.after else []
        command = shlex.join(["systemd-run", *options, "/bin/sh", "-c", unit.script])
        looked = f"systemctl is-active --quiet {unit.name} || {command}"
        each(unit.nodes, lambda node: self._docker.run_checked(node, ["sh", "-ec", looked], timeout_s=EXEC_TIMEOUT_S))

    def stop(self, unit: Unit) -> None:
        """Stop it wherever it runs; fine where it does not."""
        script = f"! systemctl is-active --quiet {unit.name} || systemctl stop {unit.name}"
        each(unit.nodes, lambda node: self._docker.run_checked(node, ["sh", "-ec", script], timeout_s=EXEC_TIMEOUT_S))

    def active(self, unit: Unit) -> bool:
        """Does it run on any of its nodes? Asks systemd."""
        return any(each(unit.nodes, lambda node: self._docker.run(node, _ask(unit), timeout_s=EXEC_TIMEOUT_S).code == 0))

    def cpu_s(self, unit: Unit) -> float:
        """CPU seconds that it has used on all of its nodes together."""
        asked = ["systemctl", "show", "--property=CPUUsageNSec", "--value", unit.name]
        told = each(unit.nodes, lambda node: self._docker.run_checked(node, asked, timeout_s=EXEC_TIMEOUT_S).strip())
        try:
            return sum(int(text) for text in told) / 1e9
        except ValueError as error:
            raise LabError(f"read the CPU use of {unit.name}", ", ".join(told)) from error


def each(nodes: Iterable[str], act: Callable[[str], T]) -> list[T]:
    """Do it on all nodes at once; the answers in their order."""
    nodes = list(nodes)
    with ThreadPoolExecutor(max(1, len(nodes))) as pool:
        return list(pool.map(act, nodes))


def _ask(unit: Unit) -> list[str]:
    return ["systemctl", "is-active", "--quiet", unit.name]
