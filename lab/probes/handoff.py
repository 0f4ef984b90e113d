"""Link 5: news of the pool that agents threw away, because more waited for them than they hold.

What old and new gossip libraries differ in: before August 2018 an agent's hand-off queue is one FIFO list of 1,024 messages, and what comes when it is
full is lost; since then news of the living goes first, the newest before the oldest. While no agent throws anything away, that changes little.
Source: hashicorp/memberlist net.go (`HandoffQueueDepth`), pull request 159.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lab.core.errors import Unavailable
from lab.core.protocols import Reading
from lab.probes.ask import reason


class Logs(Protocol):
    """The logs of the agents on each node."""

    def dropped(self, node: str) -> int: ...


@dataclass(slots=True)
class HandoffProbe:
    """Messages thrown away by the agents of each node since its pods began.

    Args:
        nodes: names.
        logs: read from the host; a log that ends with its pod between two looks is read up to the first of them.
        interval_s: chosen: a pod that is killed has its log for a second or more; half of it costs twice the file reads.
        timeout_s: files only; finding a node asks the engine.
    """

    nodes: Sequence[str]
    logs: Logs
    interval_s: float = 5.0
    timeout_s: float = 5.0
    name: str = "handoff"

    def sample(self) -> Sequence[Reading]:
        """`gossip_handoff_dropped` of each node."""
        return [self._of(node) for node in self.nodes]

    def _of(self, node: str) -> Reading:
        try:
            return Reading("gossip_handoff_dropped", node, float(self.logs.dropped(node)))
        except Unavailable as error:
            return Reading("gossip_handoff_dropped", node, None, reason(error))
