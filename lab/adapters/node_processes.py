"""Processes inside nodes, seen, ended and let go on from the host: the kernel is one, and a starved node has no CPU to be asked.

Whose a process is tells its control group, whose path holds the container's id, and the name of the systemd unit, under both versions.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from lab.adapters.host import PROC
from lab.core.errors import Unavailable

LOOK_S = 0.05
"""Chosen: a look takes 0.1 s of CPU with 500 processes on 2 slow cores."""
STOPPED, ENDED = "T", "ZX"
"""States (proc(5), stat). One that has ended is there until its parent has asked for its exit code."""


class StillThere(Unavailable):
    """Killed, and not ended: a process needs a little CPU of its node for that."""


@dataclass(frozen=True, slots=True)
class Process:
    """One living process, by its number on the host, and its state."""

    pid: int
    state: str


def of_unit(containers: Collection[str], unit: str, proc: Path = PROC) -> list[Process]:
    """Those of a systemd unit in any of these containers (ids), and those that are about to begin it (`systemd-run --unit=...`): in a starved node they
    live on for seconds after the runner that sent them.
    """
    mark = f"--unit={unit}".encode()
    return list(
        _found(containers, proc, lambda process, groups: f"/{unit}.service" in groups or mark in (process / "cmdline").read_bytes())
    )


def named(containers: Collection[str], name: str, proc: Path = PROC) -> list[Process]:
    """Those of a program of this name in any of these containers, in whichever pod."""
    return list(
        _found(containers, proc, lambda process, _: (process / "comm").read_text(encoding="utf-8", errors="replace").strip() == name)
    )


def send(processes: Collection[Process], number: signal.Signals) -> None:
    """A signal to each; fine where one has ended."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def end(what: str, look: Callable[[], list[Process]], within_s: float) -> None:
    """SIGKILL all that `look` finds until it finds none, as some may be begun meanwhile.

    Raises:
        StillThere: some are still there after `within_s`.
    """

    @retry(
        retry=retry_if_result(bool),
        stop=stop_after_delay(within_s),
        wait=wait_fixed(LOOK_S),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else [],
    )
    def killed() -> list[Process]:
        found = look()
        send(found, signal.SIGKILL)
        return found

    if left := killed():
        pids = ", ".join(str(process.pid) for process in left)
        raise StillThere(f"end {what}", f"processes {pids} live on {within_s:.0f} s after SIGKILL", "lab heal")


def _found(containers: Collection[str], proc: Path, wanted: Callable[[Path, str], bool]) -> Iterator[Process]:
    for process in proc.iterdir():
        if not process.name.isdigit():
            continue
        try:
            groups = (process / "cgroup").read_text(encoding="utf-8", errors="replace")
            if not any(container in groups for container in containers) or not wanted(process, groups):
                continue
            state = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
        except OSError:
            continue  # it ended between the listing and the reading
        if state not in ENDED:
            yield Process(int(process.name), state)
