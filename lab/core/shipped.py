"""What rsyslog says of its own work: the counters of its module impstats, from the file that each of its starts writes beside the tallies.

It knows nothing of tallies, so what Kafka has acknowledged to it and the CPU that it used are read here, from outside, as tallies are.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lab.core.tally import Tally

STATS_FILE = re.compile(r"^(?P<who>.+)\.\d+$")
"""Names of such files: the pod or, of a collector, the node, and the second of the start (images/rsyslog/ship.sh). A tally's name has no such end."""

TAIL_BYTES = 16_384
"""Chosen: one round of counters is 2.5 kB a second, and 30 bytes for each pod of a collector; several whole ones are in the last 16 kB."""

_LINE = re.compile(r'\{ "name": "(?P<name>omkafka|resource-usage|taken)", .*\}$', re.MULTILINE)
"""The objects that matter. Source: rsyslog 8.2302, plugins/omkafka/omkafka.c, plugins/impstats/impstats.c, and the bucket of images/rsyslog/ship.conf."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """What one shipper has done.

    Args:
        acked: sends that Kafka has acknowledged. A line that was sent again counts again, and the last ones are counted when the next line is
            handed over: omkafka asks its Kafka client for answers only then.
        cpu_us: CPU time, user and system, in microseconds.
        taken: lines of each pod that were handed to its Kafka client.
    """

    acked: int = 0
    cpu_us: int = 0
    taken: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Shipped") -> "Shipped":
        taken = {pod: self.taken.get(pod, 0) + other.taken.get(pod, 0) for pod in {**self.taken, **other.taken}}
        return Shipped(self.acked + other.acked, self.cpu_us + other.cpu_us, taken)

    @property
    def in_flight(self) -> int:
        """Lines that its Kafka client has, and Kafka has not acknowledged; lines of pods that are gone are among them."""
        return max(0, sum(self.taken.values()) - self.acked)


def parse(text: str) -> Shipped:
    """The newest counters in the end of a file; zero for those that it does not hold yet. The last line may be half written, the first cut."""
    whole = text[: text.rfind("\n") + 1]
    newest = {found["name"]: json.loads(found[0]) for found in _LINE.finditer(whole)}
    used = newest.get("resource-usage", {})
    taken = newest.get("taken", {}).get("values", {})
    return Shipped(newest.get("omkafka", {}).get("acked", 0), used.get("utime", 0) + used.get("stime", 0), taken)


def added(files: Iterable[tuple[str, str]]) -> dict[str, Shipped]:
    """By shipper, the sum over its starts.

    Args:
        files: name and end of each file; others than those of `STATS_FILE` are passed over.
    """
    found: dict[str, Shipped] = {}
    for name, text in files:
        if match := STATS_FILE.match(name):
            found[match["who"]] = found.get(match["who"], Shipped()) + parse(text)
    return found


def credited(tally: Tally, shipped: Shipped) -> Tally:
    """The tally of a pod whose shipper keeps none. Bytes are those of lines of mean length: a line's length varies by 6 of 200 bytes."""
    lines = min(shipped.acked, tally.written_lines)
    size = tally.written_bytes * lines // max(1, tally.written_lines)
    return replace(tally, shipped_lines=lines, shipped_bytes=size, logger_cpu_us=shipped.cpu_us)
