"""Small programs that run inside nodes as transient systemd units: an injury that has to go on in time lives there, and not in the runner.

Whatever becomes of the runner, the unit is found by its name and stopped; it also ends by itself after `LIFE_S_MAX`. It is begun by the node's systemd, and
found and ended from the host: to ask a node that a hundred agents starve took longer than a heal may.
"""

import shlex
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from lab.adapters import node_processes
from lab.adapters.docker import Docker, Ran
from lab.adapters.node_processes import Process, StillThere
from lab.core.errors import LabError

T = TypeVar("T")

EXEC_TIMEOUT_S = 8.0
"""Chosen: an exec into a node takes 0.1 s at rest and was seen to take 2 s at its cap; a heal has 10 s in all."""
AT_ONCE_S = 1.0
"""Chosen: a killed process needs some milliseconds of its node's CPU, and a capped node has its share anew ten times a second."""
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

    A node's cap is lifted while it is asked: a program that is run in a starved node gets the share of one process against all pods, and a process that
    was killed there needs CPU to end.
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
        """End it wherever it runs; fine where it does not. systemd sees to `after` when the node has the CPU for that.

        Caps are lifted only for what has no CPU to end: on a host without any left, heals that lifted those of five nodes first took 7 to 12 s.

        Raises:
            Unavailable: the engine does not answer, or a process does not end.
        """
        if not self._ended(unit, AT_ONCE_S):
            with self._uncapped(unit.nodes):
                self._end(unit)

    def active(self, unit: Unit) -> bool:
        """Does it run on any of its nodes? Asks the host's process table."""
        return bool(self._running(unit))

    def resume(self, nodes: Sequence[str], program: str) -> None:
        """SIGCONT to every process of a program in these nodes, in whichever pod."""
        node_processes.send(node_processes.named(self._containers(nodes), program), signal.SIGCONT)

    def stopped(self, nodes: Sequence[str], program: str) -> bool:
        """Is any of these processes stopped?"""
        return any(process.state == node_processes.STOPPED for process in node_processes.named(self._containers(nodes), program))

    def _running(self, unit: Unit) -> list[Process]:
        return node_processes.of_unit(self._containers(unit.nodes), unit.name)

    def _ended(self, unit: Unit, within_s: float) -> bool:
        try:
            self._end(unit, within_s)
        except StillThere:
            return False
        return True

    def _end(self, unit: Unit, within_s: float = EXEC_TIMEOUT_S) -> None:
        containers = self._containers(unit.nodes)
        node_processes.end(unit.name, lambda: node_processes.of_unit(containers, unit.name), within_s)

    def _containers(self, nodes: Sequence[str]) -> list[str]:
        """Their ids; a node that is gone has no process either."""
        return [found.id for found in self._docker.nodes() if found.name in nodes]

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
        with self._uncapped([node]):
            return self._docker.run(node, argv, timeout_s=EXEC_TIMEOUT_S)

    @contextmanager
    def _uncapped(self, nodes: Sequence[str]) -> Iterator[None]:
        caps = {node: cap_cores for node in nodes if (cap_cores := self._docker.cap_of(node))}
        each(caps, lambda node: self._docker.cap(node, 0))
        try:
            yield
        finally:
            each(caps, lambda node: self._docker.cap(node, caps[node]))


def each(nodes: Iterable[str], act: Callable[[str], T]) -> list[T]:
    """Do it on all nodes at once; the answers in their order."""
    nodes = list(nodes)
    with ThreadPoolExecutor(max(1, len(nodes))) as pool:
        return list(pool.map(act, nodes))
