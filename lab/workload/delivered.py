"""The lines that arrived: the topic read from its beginning, and each line known by its pod and number."""

import re
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np

from lab.adapters.host import read_shipped
from lab.adapters.kafka_topic import Batches, TopicReader
from lab.core.clock import Clock
from lab.core.errors import LabError
from lab.core.paths import TALLY
from lab.workload.accounting import Accounting, Seqs, account
from lab.workload.tallies import read_all

TOPIC = "logs"

TIMEOUT_S = 120.0
"""Chosen: the largest run so far holds about a million lines, which take some 5 s; a capped broker on a busy machine is slower."""

LINE = re.compile(rb'\{"pod": "([^"]{1,253})", "seq": ([0-9]{1,18}), "at": ')
"""How each line begins. Source: images/workload/app.py; the logger keeps the order of the fields."""


def by_pod(batches: Iterable[Batches]) -> dict[str, Seqs]:
    """Numbers of the lines in `batches`, by pod.

    Raises:
        LabError: not as many lines as the batches hold records; then no count would be worth anything.
    """
    numbers: defaultdict[bytes, array[int]] = defaultdict(lambda: array("q"))
    for batch in batches:
        lines = LINE.findall(batch.raw)
        if len(lines) != batch.records:
            raise LabError(
                "count the lines in the topic", f"{len(lines)} lines in {batch.records} records before offset {batch.next_offset}"
            )
        for pod, seq in lines:
            numbers[pod].append(int(seq))
    return {pod.decode(): np.frombuffer(seqs, np.int64) for pod, seqs in numbers.items()}


def account_now(clock: Clock, living: Collection[str], folder: Path = TALLY, reader: TopicReader | None = None) -> Accounting:
    """Read all tallies, then the topic, and account for every line.

    Args:
        clock: for the time-out.
        living: names of the pods whose volumes are still there.
        folder: of the tallies.
        reader: connection to the broker; the host's port of the lab's Kafka when left out.

    Raises:
        Unavailable: the topic could not be read to its end within `TIMEOUT_S`.
    """
    tallies = read_all(folder)
    acked = {who: shipped.acked for who, shipped in read_shipped(folder).items()}
    reader = reader or TopicReader(clock)
    try:
        topic = by_pod(reader.batches(TOPIC, TIMEOUT_S))
    finally:
        reader.close()
    return account(tallies, topic, living, acked)
