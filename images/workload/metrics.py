"""The metrics sidecar: every few seconds one message with the pod's CPU time and memory, to Kafka's topic `metrics`.

It adds up what /proc says of every process it sees. The pod's containers share one process namespace, so that is the whole pod;
the CPU time of a process that has ended is no longer in the sum. It does not wait for Kafka: over an outage samples pile up in memory.
"""

# pathlib costs as much to import as the rest of this program.
# ruff: noqa: PTH123, PTH208

import json
import os
import signal
import sys
import time

import tally
from shipping import KafkaError, producer

TOPIC = "metrics"
PERIOD_S = float(os.environ.get("METRICS_PERIOD_S", "5"))
"""Chosen: between cAdvisor's 10 s housekeeping and the 1 s of a tracing agent."""

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def usage() -> dict[str, float]:
    """CPU seconds since their start, resident bytes (shared pages counted in each), and number of the processes in sight."""
    cpu_ticks = rss_pages = processes = 0
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        cpu_ticks += int(fields[11]) + int(fields[12])
        rss_pages += int(fields[21])
        processes += 1
    return {"cpu_s": round(cpu_ticks * TICK_S, 2), "rss_bytes": rss_pages * PAGE_BYTES, "processes": processes}


def main() -> None:
    """Ship for ever, one sample per period."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    words = tally.opened()
    kafka = producer()

    def acknowledged(_: object) -> None:
        words[tally.METRICS_ACKED] += 1

    while True:
        sample = {"pod": tally.POD, "host": tally.HOST, "at": time.time(), **usage()}
        try:
            kafka.send(TOPIC, key=tally.POD.encode(), value=json.dumps(sample).encode()).add_callback(acknowledged)
        except KafkaError as refused:
            print(f"one sample lost: {refused}", file=sys.stderr, flush=True)
        time.sleep(PERIOD_S)


if __name__ == "__main__":
    main()
