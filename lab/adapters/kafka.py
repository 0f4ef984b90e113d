"""The broker as the host sees it: does it answer, and how many lines has it got.

Uses kafka-python's protocol classes on a socket of our own. Its clients reconnect and back off by themselves in threads, which is right for an
application and wrong for a probe: here each question has one deadline, nothing runs between questions, and a frozen broker costs one socket.
"""

import socket
import warnings
from typing import Any, Final

from lab.core.clock import Clock
from lab.core.errors import Unavailable

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it reads its schemas by a call that Python 3.11 calls old
    from kafka.errors import KafkaError
    from kafka.protocol.consumer import ListOffsetsRequest
    from kafka.protocol.metadata import MetadataRequest
    from kafka.protocol.parser import KafkaProtocol

HOST: Final = "127.0.0.1"
PORT: Final = 19092

_Protocol: Any = KafkaProtocol
_METADATA: Final = MetadataRequest[9]
_LIST_OFFSETS: Final = ListOffsetsRequest[6]
"""Versions that Kafka 2.4 to 4.3 serve; seen answered by 4.3.1."""

_UNANSWERED_MAX: Final = 5
"""Requests left on one connection before it is dropped. Chosen: a frozen broker's listen queue (50 by default) must not fill with our connections,
and a connection that is silently dead must not be kept. Higher keeps a dead one longer."""


class Broker:
    """One connection to one broker, made when needed; not for use by two threads at once."""

    def __init__(self, clock: Clock, host: str = HOST, port: int = PORT) -> None:
        self._clock = clock
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self._protocol = _Protocol(client_id="cascade-lab")

    def check(self, timeout_s: float) -> None:
        """Have a metadata request answered.

        Raises:
            Unavailable: no answer within `timeout_s`.
        """
        self._ask(_METADATA(topics=[], allow_auto_topic_creation=False), timeout_s)

    def answers(self, timeout_s: float) -> bool:
        """True if a metadata request is answered within `timeout_s`."""
        try:
            self.check(timeout_s)
        except Unavailable:
            return False
        return True

    def end_offset(self, topic: str, timeout_s: float, partition: int = 0) -> int:
        """The offset that the next message of `topic` will get.

        Raises:
            Unavailable: no answer within `timeout_s`, or the broker has no such topic.
        """
        named = _LIST_OFFSETS.ListOffsetsTopic
        part = named.ListOffsetsPartition(partition_index=partition, current_leader_epoch=-1, timestamp=-1)
        request = _LIST_OFFSETS(replica_id=-1, isolation_level=0, topics=[named(name=topic, partitions=[part])])
        found = self._ask(request, timeout_s).topics[0].partitions[0]
        if found.error_code:
            raise Unavailable(f"read the end offset of {topic}", f"Kafka error code {found.error_code}")
        return int(found.offset)

    def close(self) -> None:
        """Drop the connection; the next question makes a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, request: Any, timeout_s: float) -> Any:
        deadline_s = self._clock.now_s() + timeout_s
        try:
            connected = self._connected(timeout_s)
            wanted = self._protocol.send_request(request)
            connected.settimeout(max(0.001, deadline_s - self._clock.now_s()))
            connected.sendall(self._protocol.send_bytes())
            return self._answer_to(wanted, connected, deadline_s)
        except TimeoutError as error:
            raise Unavailable(self._tried(), f"timed out after {timeout_s:g} s") from error
        except (OSError, KafkaError) as error:
            self.close()
            raise Unavailable(self._tried(), f"{type(error).__name__}: {error}") from error

    def _connected(self, timeout_s: float) -> socket.socket:
        """The open connection, or a new one. Late answers to earlier questions may still arrive on an open one."""
        if self._socket is not None and len(self._protocol.in_flight_requests) >= _UNANSWERED_MAX:
            self.close()
        if self._socket is None:
            self._protocol = _Protocol(client_id="cascade-lab")
            self._socket = socket.create_connection(self._address, timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _answer_to(self, wanted: int, connected: socket.socket, deadline_s: float) -> Any:
        while (left_s := deadline_s - self._clock.now_s()) > 0:
            connected.settimeout(left_s)
            received = connected.recv(65536)
            if not received:
                raise ConnectionResetError("the broker closed the connection")
            for number, response in self._protocol.receive_bytes(received):
                if number == wanted:
                    return response
        raise TimeoutError

    def _tried(self) -> str:
        return f"get an answer from the Kafka broker at {self._address[0]}:{self._address[1]}"
