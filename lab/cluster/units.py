"""Small programs that run inside nodes as transient systemd units: an injury that has to go on in time lives there, and not in the runner.

Whatever becomes of the runner, the unit is found by its name and stopped; it also ends by itself after `LIFE_S_MAX`.
"""

import shlex
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from lab.adapters.docker import Docker, Ran
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
    """Starts, stops and finds units.

    A node's cap is lifted while it is asked: a program that is run in a starved node gets the share of one process against all pods, and
    the stop of what starves it would take minutes.
    """

    def __init__(self, docker: Docker) -> None:
        self._docker = docker

    def start(self, unit: Unit) -> None:
        """Start it where it does not run yet."""
        options = ["--quiet", "--collect", f"--unit={unit.name}", f"--property=RuntimeMaxSec={LIFE_S_MAX}"]
        options += [f"--slice={unit.slice}"] if unit.slice else []
        options += [f"--property=ExecStopPost=/bin/sh -c {shlex.quote(unit.after)}"] if unit.after else []
        command = shlex.join(["systemd-run", *options, "/bin/sh", "-c", unit.script])
        self.ask(unit, ["sh", "-ec", f"systemctl is-active --quiet {unit.name} || {command}"])

    def stop(self, unit: Unit) -> None:
        """Stop it wherever it runs; fine where it does not."""
        self.ask(unit, ["sh", "-ec", f"! systemctl is-active --quiet {unit.name} || systemctl stop {unit.name}"])

    def active(self, unit: Unit) -> bool:
        """Does it run on any of its nodes? Asks systemd."""
        asked = ["systemctl", "is-active", "--quiet", unit.name]
        return any(ran.code == 0 for ran in each(unit.nodes, lambda node: self.run(node, asked)))

    def ask(self, unit: Unit, argv: Sequence[str]) -> list[str]:
        """Run a program on each of the unit's nodes; what it printed, in their order.

        Raises:
            LabError: it ended with an exit code other than 0.
        """
        ran = each(unit.nodes, lambda node: self.run(node, argv))
        for node, one in zip(unit.nodes, ran, strict=True):
            if one.code:
                raise LabError(f"run {shlex.join(argv)} in {node}", f"exit {one.code}: {one.output.strip()[-300:]}")
        return [one.output.strip() for one in ran]

    def run(self, node: str, argv: Sequence[str]) -> Ran:
        """Run a program in one node and wait for its end.

        Raises:
            Unavailable: it did not end in time.
        """
        cap_cores = self._docker.cap_of(node)
        if cap_cores:
            self._docker.cap(node, 0)
        try:
            return self._docker.run(node, argv, timeout_s=EXEC_TIMEOUT_S)
        finally:
            if cap_cores:
                self._docker.cap(node, cap_cores)


def each(nodes: Iterable[str], act: Callable[[str], T]) -> list[T]:
    """Do it on all nodes at once; the answers in their order."""
    nodes = list(nodes)
    with ThreadPoolExecutor(max(1, len(nodes))) as pool:
        return list(pool.map(act, nodes))
