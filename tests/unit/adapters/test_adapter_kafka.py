"""The broker's client against a broker that answers, freezes, thaws and restarts."""

import socket
import struct
import threading
from contextlib import contextmanager, suppress

import pytest
from kafka.protocol.consumer import ListOffsetsResponse
from kafka.protocol.metadata import MetadataResponse

from lab.adapters.clock import SystemClock
from lab.adapters.kafka import Broker
from lab.core.errors import Unavailable

LIST_OFFSETS = 2


class FakeBroker:
    """Speaks Kafka's frames: answers every request in order, but not while it is frozen. The kernel goes on accepting for it."""

    def __init__(self, end=0, error=0):
        self.end, self.error = end, error
        self.thawed, self.connections, self.ended = threading.Event(), 0, False
        self.thawed.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(accepted)
            threading.Thread(target=self.serve, args=(accepted,), daemon=True).start()

    def serve(self, accepted):
        with suppress(OSError), accepted, accepted.makefile("rb") as requests:
            while len(size := requests.read(4)) == 4:
                frame = requests.read(struct.unpack(">i", size)[0])
                self.thawed.wait(10)
                accepted.sendall(self.answer(*struct.unpack_from(">hhi", frame)))

    def answer(self, key, version, number):
        if key == LIST_OFFSETS:
            named = ListOffsetsResponse[version].ListOffsetsTopicResponse
            part = named.ListOffsetsPartitionResponse(
                version=version, partition_index=0, error_code=self.error, timestamp=-1, offset=self.end, leader_epoch=0
            )
            topic = named(version=version, name="logs", partitions=[part])
            response = ListOffsetsResponse[version](throttle_time_ms=0, topics=[topic])
        else:
            response = MetadataResponse[version](throttle_time_ms=0, brokers=[], cluster_id="x", controller_id=1, topics=[])
        response.with_header(correlation_id=number)
        return response.encode(framed=True, header=True)

    def hang_up(self):
        for each in self.open:
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def broker(**answers):
    fake = FakeBroker(**answers)
    client = Broker(SystemClock(), port=fake.port)
    try:
        yield fake, client
    finally:
        client.close()
        fake.thawed.set()
        fake.listener.shutdown(socket.SHUT_RDWR)
        fake.listener.close()


def test_an_answering_broker_answers_over_one_connection():
    with broker(end=1234) as (fake, client):
        assert client.answers(2)
        assert client.end_offset("logs", 2) == 1234
        assert fake.connections == 1


def test_a_frozen_broker_accepts_but_does_not_answer():
    with broker() as (fake, client):
        fake.thawed.clear()
        with pytest.raises(Unavailable) as failure:
            client.check(0.05)
        assert failure.value.came_back == "timed out after 0.05 s"


def test_after_the_thaw_late_answers_are_not_taken_for_the_new_one():
    with broker(end=1) as (fake, client):
        fake.thawed.clear()
        assert [client.answers(0.02) for _ in range(3)] == [False] * 3
        fake.thawed.set()
        fake.end = 77
        assert client.end_offset("logs", 2) == 77
        assert fake.connections == 1


def test_a_long_freeze_costs_a_new_connection_only_now_and_then():
    with broker() as (fake, client):
        assert client.answers(2)
        fake.thawed.clear()
        for _ in range(11):
            client.answers(0.01)
        fake.thawed.set()
        assert client.answers(2)
        assert fake.connections == 3


def test_a_broker_that_hangs_up_is_asked_again_on_a_new_connection():
    with broker() as (fake, client):
        assert client.answers(2)
        fake.hang_up()
        assert not client.answers(0.5)
        assert client.answers(2)


def test_nobody_there_is_unavailable():
    with broker() as (fake, _):
        port = fake.port
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
        Broker(SystemClock(), port=port).check(0.2)


def test_a_topic_that_does_not_exist_is_told_apart_from_a_dead_broker():
    with broker(error=3) as (_, client), pytest.raises(Unavailable, match="error code 3"):
        client.end_offset("logs", 2)
