"""Where every log line went. Lines carry their pod and a number without gaps, so each can be looked for by name.

    written = delivered + backlog + gone_with_pod + unaccounted

A line that the logger had seen acknowledged and that is not in the topic is unaccounted, whatever became of its pod: that is a defect.
A line never acknowledged is in the backlog of a living pod, or went with the volume of one that is gone.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lab.core.tally import Tally

Seqs = NDArray[np.int64]
"""(N,) int64: the numbers of one pod's lines as the topic holds them, in any order, repeats included."""

_NONE: Seqs = np.empty(0, np.int64)
_NOTHING = Tally(0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Accounting:
    """Numbers of log lines.

    Args:
        written: by the app; a delivered line was written, even if the app was killed before it had counted it.
        delivered: in the topic, each counted once.
        backlog: not acknowledged, in the file of a living pod.
        gone_with_pod: not acknowledged, in the file of a pod that is gone.
        unaccounted: acknowledged, and not in the topic; not zero is a defect.
        duplicates: deliveries beyond the first; an at-least-once shipper makes some when it sends again. Not part of the sum.
    """

    written: int = 0
    delivered: int = 0
    backlog: int = 0
    gone_with_pod: int = 0
    unaccounted: int = 0
    duplicates: int = 0

    def __add__(self, other: "Accounting") -> "Accounting":
        mine, theirs = asdict(self), asdict(other)
        return Accounting(**{name: mine[name] + theirs[name] for name in mine})


def of_pod(tally: Tally, seqs: Seqs, *, living: bool) -> Accounting:
    """Account for one pod.

    Args:
        tally: read before the topic was, so that all it calls acknowledged is in what was read.
        seqs: of its lines in the topic.
        living: is its volume still there and still shipped from?
    """
    found = np.unique(seqs)
    delivered = int(found.size)
    written = max(tally.written_lines, int(found[-1]) if delivered else 0)
    acknowledged = min(tally.shipped_lines, written)
    unaccounted = acknowledged - int(np.searchsorted(found, acknowledged, side="right"))
    waiting = written - delivered - unaccounted
    return Accounting(
        written=written,
        delivered=delivered,
        backlog=waiting if living else 0,
        gone_with_pod=0 if living else waiting,
        unaccounted=unaccounted,
        duplicates=int(seqs.size) - delivered,
    )


def account(
    tallies: Mapping[str, Tally], topic: Mapping[str, Seqs], living: Collection[str], acked: Mapping[str, int] | None = None
) -> Accounting:
    """Account for all pods that have a tally or a line in the topic.

    Args:
        tallies: by pod, read before the topic was.
        topic: numbers of the lines in the topic, by pod.
        living: pods whose volumes are still there.
        acked: sends that Kafka acknowledged to a shipper without a tally, by pod or by the node of a collector, read before the topic was. It sends
            in no certain order, so only how many lines must be there is known, not which: what it lost before Kafka had it counts as backlog.
    """
    total = Accounting()
    for pod in tallies.keys() | topic.keys():
        total += of_pod(tallies.get(pod, _NOTHING), topic.get(pod, _NONE), living=pod in living)
    return _without(total, _absent(acked or {}, topic, tallies.keys() | topic.keys()))


def _absent(acked: Mapping[str, int], topic: Mapping[str, Seqs], pods: Collection[str]) -> int:
    """Acknowledged sends that are not in the topic. Those of collectors are lines of many pods: they are held against all that arrived."""
    of_pods = sum(max(0, sends - topic.get(pod, _NONE).size) for pod, sends in acked.items() if pod in pods)
    collected = sum(sends for who, sends in acked.items() if who not in pods)
    return of_pods + (max(0, collected - sum(seqs.size for seqs in topic.values())) if collected else 0)


def _without(total: Accounting, absent: int) -> Accounting:
    """`absent` lines neither wait nor went with a pod: they are unaccounted."""
    waiting = min(absent, total.backlog)
    gone = min(absent - waiting, total.gone_with_pod)
    unaccounted = total.unaccounted + waiting + gone
    return replace(total, backlog=total.backlog - waiting, gone_with_pod=total.gone_with_pod - gone, unaccounted=unaccounted)
