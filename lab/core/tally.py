"""The tally of one pod: 64 bytes, written by the pod, read from the host.

The pod's programs map the file and count in place, so reading it costs a starved node nothing, and it outlives the pod.
"""

import struct
from dataclasses import dataclass

_LAYOUT = struct.Struct("<8Q")
SIZE_BYTES = _LAYOUT.size


@dataclass(frozen=True, slots=True)
class Tally:
    """What one pod has counted since it started.

    Args:
        written_lines: log lines the app wrote to its file.
        written_bytes: their bytes.
        shipped_lines: lines that Kafka acknowledged to the logger.
        shipped_bytes: offset in the log file up to which all is acknowledged.
        logger_cpu_us: CPU time of the logging sidecar in microseconds.
        metrics_sent: messages of the metrics sidecar that Kafka acknowledged.
    """

    written_lines: int
    written_bytes: int
    shipped_lines: int
    shipped_bytes: int
    logger_cpu_us: int
    metrics_sent: int

    @property
    def backlog_bytes(self) -> int:
        """Bytes written and not yet acknowledged; two programs write, so a torn view is never negative."""
        return max(0, self.written_bytes - self.shipped_bytes)

    @property
    def backlog_lines(self) -> int:
        """Lines written and not yet acknowledged."""
        return max(0, self.written_lines - self.shipped_lines)


def parse(raw: bytes) -> Tally:
    """The tally in `raw`; what follows the first 64 bytes is ignored.

    Raises:
        ValueError: fewer than 64 bytes: the pod has not laid its file out yet.
    """
    if len(raw) < SIZE_BYTES:
        raise ValueError(f"a tally has {SIZE_BYTES} bytes, this one has {len(raw)}")
    return Tally(*_LAYOUT.unpack_from(raw)[:6])
