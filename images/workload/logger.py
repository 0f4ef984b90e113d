"""The logging sidecar: ships every line of the app's log to Kafka, and loses none.

It tails the file from the stored offset, and moves the offset on only when Kafka has acknowledged the lines: over an outage the
backlog waits in the file, and when Kafka is back it goes out as fast as the CPU allows, in every pod at once. That is the flood.
Each line is parsed and enriched, as real shippers do; this, and the client, are its cost.
"""

# pathlib costs as much to import as the rest of this program.
# ruff: noqa: PTH105, PTH118, PTH123

import json
import os
import signal
import sys
import time

import tally
from shipping import KafkaError, producer

TOPIC = "logs"
BATCH_LINES = 500
"""Chosen: 100 kB in flight, six requests of the client's batch size; what is resent after a crash is at most this."""

READ_BYTES = BATCH_LINES * 256
POLL_S = float(os.environ.get("POLL_S", "1.0"))
"""How often to look for new lines when there are none. Source: Filebeat's `backoff` of 1 s. Lower costs CPU in a quiet pod."""

LOG = os.path.join(tally.LOG_DIR, "app.log")
OFFSET = os.path.join(tally.LOG_DIR, "offset")


class Shipper:
    """Where the shipping stands: byte offset and lines acknowledged, on disk and in the tally."""

    def __init__(self) -> None:
        self.words = tally.opened()
        self.cpu_before_us = self.words[tally.LOGGER_CPU_US]
        self.offset, self.lines = self._stored()
        self._count()
        self.pod = tally.POD.encode()
        self.kafka = producer()
        self.file = None

    def _stored(self) -> tuple[int, int]:
        try:
            with open(OFFSET) as file:
                offset, lines = file.read().split()
        except FileNotFoundError:
            return 0, 0
        return int(offset), int(lines)

    def _count(self) -> None:
        self.words[tally.SHIPPED_BYTES] = self.offset
        self.words[tally.SHIPPED_LINES] = self.lines
        self.count_cpu()

    def count_cpu(self) -> None:
        """Add this process to what its predecessors used."""
        self.words[tally.LOGGER_CPU_US] = self.cpu_before_us + time.process_time_ns() // 1000

    def _read(self) -> list[bytes]:
        """At most a batch of whole lines from the offset on; empty when there are none."""
        if self.file is None:
            try:
                self.file = os.open(LOG, os.O_RDONLY)
            except FileNotFoundError:
                return []
        lines = os.pread(self.file, READ_BYTES, self.offset).splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            lines.pop()
        return lines[:BATCH_LINES]

    def _enriched(self, line: bytes) -> bytes:
        fields = json.loads(line)
        fields["host"] = tally.HOST
        fields["shipped_at"] = time.time()
        return json.dumps(fields).encode()

    def _acknowledged(self, messages: list[bytes]) -> None:
        """Send until Kafka has taken every one; what is refused or not taken is sent again."""
        while messages:
            sent = [(message, self.kafka.send(TOPIC, key=self.pod, value=message)) for message in messages]
            self.kafka.flush()
            messages = [message for message, answer in sent if not answer.succeeded()]
            if messages:
                print(f"{len(messages)} of {len(sent)} lines to send again", file=sys.stderr, flush=True)

    def ship_batch(self) -> bool:
        """Ship what there is, up to a batch; False when there is nothing."""
        lines = self._read()
        if not lines:
            return False
        self._acknowledged([self._enriched(line) for line in lines])
        self.offset += sum(map(len, lines))
        self.lines += len(lines)
        with open(OFFSET + ".new", "w") as file:
            file.write(f"{self.offset} {self.lines}")
        os.replace(OFFSET + ".new", OFFSET)
        self._count()
        return True


def main() -> None:
    """Ship for ever. What is not shipped when the pod ends goes with its volume, and the tally tells how much that was."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    shipper = Shipper()
    while True:
        try:
            if not shipper.ship_batch():
                shipper.count_cpu()
                time.sleep(POLL_S)
        except KafkaError as refused:
            print(f"Kafka refused a batch: {refused}", file=sys.stderr, flush=True)
            time.sleep(POLL_S)


if __name__ == "__main__":
    main()
