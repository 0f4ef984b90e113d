"""The broker's probe: only an answer counts, and a rate survives an outage."""

from probe_fakes import HandClock, reasons, values

from lab.core.errors import Unavailable
from lab.probes.kafka import KafkaProbe


class FakeBroker:
    def __init__(self, clock):
        self.clock, self.end, self.takes_s, self.topic_exists = clock, 0, 0.004, True

    def check(self, timeout_s):
        self.clock.sleep(min(self.takes_s, timeout_s))
        if self.takes_s > timeout_s:
            raise Unavailable("ask", f"timed out after {timeout_s:g} s")

    def end_offset(self, topic, timeout_s):
        assert timeout_s > 0
        if not self.topic_exists:
            raise Unavailable("read the end offset", "Kafka error code 3")
        return self.end


def started():
    clock = HandClock()
    broker = FakeBroker(clock)
    return KafkaProbe(broker, clock), broker, clock


def test_a_healthy_broker_gives_its_time_and_its_end_offset():
    probe, broker, _ = started()
    broker.end = 500
    found = values(probe.sample())
    assert round(found["kafka_answer_ms", "broker"], 3) == 4.0
    assert found["kafka_end_offset", "logs"] == 500
    assert ("shipped_lines_per_s", "logs") not in found


def test_the_second_reading_gives_lines_per_second():
    probe, broker, clock = started()
    probe.sample()
    clock.sleep(1.996)
    broker.end = 300
    assert round(values(probe.sample())["shipped_lines_per_s", "logs"], 6) == 150.0


def test_a_frozen_broker_gives_no_value_and_the_same_reason_for_all_series():
    probe, broker, _ = started()
    broker.takes_s = 60
    readings = probe.sample()
    assert set(values(readings).values()) == {None}
    assert set(reasons(readings).values()) == {"timed out after 1.8 s"}


def test_after_a_freeze_the_rate_is_the_mean_over_it():
    probe, broker, clock = started()
    probe.sample()
    broker.takes_s = 60
    probe.sample()
    broker.takes_s, broker.end = 0.0, 1000
    clock.at_s = 100.004 + 10
    assert values(probe.sample())["shipped_lines_per_s", "logs"] == 100.0


def test_a_topic_that_is_not_there_yet_does_not_make_the_broker_look_dead():
    probe, broker, _ = started()
    broker.topic_exists = False
    readings = probe.sample()
    assert values(readings)["kafka_answer_ms", "broker"] is not None
    assert reasons(readings)["kafka_end_offset", "logs"] == "Kafka error code 3"
