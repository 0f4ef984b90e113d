import json

import pytest
from kafka.record.default_records import DefaultRecordBatchBuilder

from lab.adapters.kafka_topic import Batches, split
from lab.core.errors import LabError
from lab.core.tally import Tally
from lab.workload.accounting import Accounting
from lab.workload.delivered import account_now, by_pod
from lab.workload.tallies import read_all


def line(pod, seq):
    return json.dumps({"pod": pod, "seq": seq, "at": 1.5, "message": "x"}).encode()


def batch(values, base=0):
    """A record batch as kafka-python's producer makes it, numbered as the broker does it."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 100_000)
    for offset, value in enumerate(values):
        builder.append(offset, 1000 + offset, b"key", value, [])
    raw = bytearray(builder.build())
    raw[:8] = base.to_bytes(8, "big")
    return bytes(raw)


class FakeReader:
    def __init__(self, raw):
        self.raw = raw
        self.closed = False

    def batches(self, topic, timeout_s):
        assert topic == "logs"
        yield split(self.raw, 0)

    def close(self):
        self.closed = True


def test_batches_are_split_and_counted():
    raw = batch([line("a", 1), line("b", 1)]) + batch([line("a", 2)], base=2)
    assert split(raw, 0) == Batches(raw, 3, 3)


@pytest.mark.parametrize("cut", [1, 40, 70])
def test_a_batch_cut_off_by_the_broker_is_left_for_the_next_fetch(cut):
    whole = batch([line("a", 1)])
    assert split(whole + batch([line("a", 2)], base=1)[:-cut], 0) == Batches(whole, 1, 1)


def test_a_compressed_batch_is_refused():
    raw = bytearray(batch([line("a", 1)]))
    raw[22] |= 1
    with pytest.raises(LabError, match="attributes 1"):
        split(bytes(raw), 0)


def test_lines_are_known_by_pod_and_number():
    found = by_pod([split(batch([line("a", 1), line("b", 7), line("a", 1)]), 0)])
    assert {pod: list(numbers) for pod, numbers in found.items()} == {"a": [1, 1], "b": [7]}


def test_a_record_that_is_no_line_makes_the_count_worthless():
    with pytest.raises(LabError, match="1 lines in 2 records"):
        by_pod([split(batch([line("a", 1), b"something else"]), 0)])


def test_tallies_are_read_and_one_that_is_not_laid_out_is_left_out(tmp_path):
    (tmp_path / "a").write_bytes(b"".join(n.to_bytes(8, "little") for n in (5, 1000, 2, 400, 7, 1, 0, 0)))
    (tmp_path / "b").write_bytes(b"")
    assert read_all(tmp_path) == {"a": Tally(5, 1000, 2, 400, 7, 1)}


def test_no_folder_is_no_tallies(tmp_path):
    assert read_all(tmp_path / "none") == {}


def test_what_rsyslog_says_was_acknowledged_must_be_in_the_topic(tmp_path):
    (tmp_path / "a").write_bytes(b"".join(n.to_bytes(8, "little") for n in (5, 1000, 0, 0, 0, 1, 0, 0)))
    (tmp_path / "a.1").write_text('now: { "name": "omkafka", "origin": "omkafka", "acked": 4 }\n')
    reader = FakeReader(batch([line("a", 1), line("a", 3), line("a", 3)]))
    assert account_now(None, ["a"], tmp_path, reader) == Accounting(written=5, delivered=2, backlog=2, unaccounted=1, duplicates=1)


def test_the_whole_account_from_files_and_topic(tmp_path):
    (tmp_path / "a").write_bytes(b"".join(n.to_bytes(8, "little") for n in (5, 1000, 2, 400, 7, 1, 0, 0)))
    reader = FakeReader(batch([line("a", 1), line("a", 2), line("a", 2)]))
    assert account_now(None, ["a"], tmp_path, reader) == Accounting(written=5, delivered=2, backlog=3, duplicates=1)
    assert reader.closed
