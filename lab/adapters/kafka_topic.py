"""A whole topic, read as raw bytes: for counting a million lines in seconds.

kafka-python's consumer makes an object of every record, 50 microseconds each. Its protocol classes give the bytes of the record batches,
and a caller that looks for one pattern in them needs no more.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kafka.protocol.consumer import FetchRequest

from lab.adapters.kafka import Broker
from lab.core.errors import LabError, Unavailable

_FETCH: Final = FetchRequest[11]
"""The last version before flexible encoding and topic ids; Kafka 2.3 to 4.3 serve it."""

FETCH_BYTES: Final = 8 * 1024 * 1024
"""Chosen: 30,000 lines an answer, so that the round trips do not count; more only costs memory."""

FETCH_TIMEOUT_S: Final = 15.0
"""Chosen: an answer of 8 MiB took 0.1 s at rest; a capped and busy broker gets a hundred times that."""

_HEADER: Final = struct.Struct(">qiibIhi")
_COUNT: Final = struct.Struct(">i")
_COUNT_AT: Final = 57
_LENGTH_FROM: Final = 12
_HEADER_BYTES: Final = 61
"""Record batch, magic 2: base offset, length (of what follows it), leader epoch, magic, CRC, attributes, last offset delta, ..., records count.
Source: https://kafka.apache.org/documentation/#recordbatch."""


@dataclass(frozen=True, slots=True)
class Batches:
    """Whole record batches as they lie in the log, uncompressed: their bytes, their number of records, and the offset after the last."""

    raw: bytes
    records: int
    next_offset: int


def split(raw: bytes, offset: int) -> Batches:
    """The whole batches at the start of `raw`; a broker cuts the last one where its limit falls.

    Raises:
        LabError: compressed, or not magic 2: the lab's loggers write neither.
    """
    position = records = 0
    while position + _HEADER_BYTES <= len(raw):
        base, length, _, magic, _, attributes, last = _HEADER.unpack_from(raw, position)
        if position + _LENGTH_FROM + length > len(raw):
            break
        if magic != 2 or attributes & 7:
            raise LabError("read the record batches of a topic", f"magic {magic}, attributes {attributes} at offset {base}")
        records += _COUNT.unpack_from(raw, position + _COUNT_AT)[0]
        position += _LENGTH_FROM + length
        offset = base + last + 1
    return Batches(raw[:position], records, offset)


class TopicReader(Broker):
    """A broker connection that can also read a topic from its beginning to where it ends now."""

    def batches(self, topic: str, timeout_s: float, partition: int = 0) -> Iterator[Batches]:
        """All record batches of the partition, up to the end offset at the time of the call.

        Args:
            topic: its name.
            timeout_s: seconds for all of it.
            partition: its number.

        Raises:
            Unavailable: not done within `timeout_s`; says how far it came.
        """
        deadline_s = self._clock.now_s() + timeout_s
        end = self.end_offset(topic, FETCH_TIMEOUT_S, partition)
        offset = 0
        while offset < end:
            left_s = deadline_s - self._clock.now_s()
            if left_s <= 0:
                raise Unavailable(f"read topic {topic}", f"at offset {offset} of {end} after {timeout_s:g} s", "give it more time")
            found = split(self._fetched(topic, partition, offset, min(left_s, FETCH_TIMEOUT_S)), offset)
            if found.next_offset <= offset:
                raise LabError(f"read topic {topic}", f"nothing at offset {offset} of {end}", "was the broker wiped meanwhile?")
            offset = found.next_offset
            yield found

    def _fetched(self, topic: str, partition: int, offset: int, timeout_s: float) -> bytes:
        named = _FETCH.FetchTopic
        part = named.FetchPartition(
            partition=partition,
            current_leader_epoch=-1,
            fetch_offset=offset,
            log_start_offset=-1,
            partition_max_bytes=FETCH_BYTES,
        )
        request = _FETCH(
            replica_id=-1,
            max_wait_ms=100,
            min_bytes=1,
            max_bytes=FETCH_BYTES,
            isolation_level=0,
            session_id=0,
            session_epoch=-1,
            topics=[named(topic=topic, partitions=[part])],
            forgotten_topics_data=[],
            rack_id="",
        )
        answer = self._ask(request, timeout_s).responses[0].partitions[0]
        if answer.error_code:
            raise Unavailable(f"read topic {topic} at offset {offset}", f"Kafka error code {answer.error_code}")
        return bytes(answer.records or b"")
