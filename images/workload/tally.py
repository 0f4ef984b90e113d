"""The pod's tally: 64 bytes on the node, shared by the pod's containers and read from outside without asking the pod.

It outlives the pod, so lines that go with an evicted pod can still be counted, and a starved node pays nothing for being read.
Each word has one writer, and an aligned 8-byte store is never seen half done.
"""

# pathlib costs as much to import as the rest of this program.
# ruff: noqa: PTH118

import mmap
import os

FOLDER = os.environ.get("TALLY_DIR", "/var/lib/cascade-lab/tally")
POD = os.environ.get("POD_NAME", "nopod")
HOST = os.environ.get("NODE_NAME", "nohost")
LOG_DIR = os.environ.get("LOG_DIR", "/var/log/app")

SIZE = 64
WRITTEN_LINES, WRITTEN_BYTES, SHIPPED_LINES, SHIPPED_BYTES, LOGGER_CPU_US, METRICS_ACKED = range(6)


def opened() -> memoryview:
    """The tally of this pod as eight 64-bit words (little endian on every machine the lab runs on); made when it is not there."""
    file = os.open(os.path.join(FOLDER, POD), os.O_RDWR | os.O_CREAT, 0o644)
    os.ftruncate(file, SIZE)
    words = memoryview(mmap.mmap(file, SIZE)).cast("Q")
    os.close(file)
    return words
