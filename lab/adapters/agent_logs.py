"""What Consul agents wrote to their logs, read from the file trees of the nodes without asking anything inside a starved one.

memberlist tells of a full hand-off queue in its log alone: no telemetry has it. The logs are files of the nodes' runtimes, reached through
`/proc/PID/root`, the file tree of a node's first process.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from lab.core.errors import Unavailable

LOGS: Final = "var/log/pods"
_OF_AGENTS: Final = "lab_*/consul*/*.log"
_DROPPED: Final = b"handler queue full, dropping message"
"""hashicorp/memberlist net.go and, from August 2018 on, the same words for the queue that replaced it."""


class AgentLogs:
    """The logs of the agents and servers on each node, each byte of them read once.

    Args:
        pid: first process of a node on the host.
        proc: where processes are shown.
    """

    def __init__(self, pid: Callable[[str], int], proc: Path = Path("/proc")) -> None:
        self._pid = pid
        self._proc = proc
        self._read: dict[tuple[str, str], tuple[int, int]] = {}

    def dropped(self, node: str) -> int:
        """Messages that agents on `node` have thrown away because their hand-off queue was full; logs that are gone count as far as they were read.

        Raises:
            Unavailable: the node is gone, or not ours to see.
        """
        logs = self._proc / str(self._pid(node)) / "root" / LOGS
        if not logs.is_dir():
            raise Unavailable(f"read the logs of {node}", f"no {logs}")
        for file in logs.glob(_OF_AGENTS):
            at, count = self._read.get((node, str(file.relative_to(logs))), (0, 0))
            whole = _whole_lines(file, at)
            self._read[node, str(file.relative_to(logs))] = (at + len(whole), count + whole.count(_DROPPED))
        return sum(count for (where, _), (_, count) in self._read.items() if where == node)


def _whole_lines(file: Path, at: int) -> bytes:
    """What follows byte `at`, up to the last line that is whole; nothing from a log that is gone."""
    try:
        with file.open("rb") as opened:
            opened.seek(at)
            told = opened.read()
    except OSError:
        return b""
    return told[: told.rfind(b"\n") + 1]
