import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.tally import Tally
from lab.workload.accounting import Accounting, account, of_pod


def counted(written, shipped):
    return Tally(written, written * 200, shipped, shipped * 200, 0, 0)


def seqs(*numbers):
    return np.array(numbers, np.int64)


def test_a_shipper_without_a_tally_is_held_to_the_number_of_its_acknowledged_sends():
    tallies, topic = {"a": counted(5, 0), "b": counted(5, 0)}, {"a": seqs(1, 3, 3), "b": seqs(2, 1)}
    assert account(tallies, topic, ["a"]) == Accounting(10, 4, 3, 3, 0, 1)
    assert account(tallies, topic, ["a"], {"a": 3, "b": 2}) == Accounting(10, 4, 3, 3, 0, 1)
    assert account(tallies, topic, ["a"], {"a": 3, "b": 4}) == Accounting(10, 4, 1, 3, 2, 1)
    assert account(tallies, topic, [], {"a": 4}) == Accounting(10, 4, 0, 5, 1, 1)


def test_a_collector_s_acknowledged_sends_are_held_against_all_that_arrived():
    tallies, topic = {"a": counted(5, 0), "b": counted(5, 0)}, {"a": seqs(1, 3), "b": seqs(2, 1)}
    assert account(tallies, topic, ["a"], {"node-1": 3, "node-2": 1}) == Accounting(10, 4, 3, 3)
    assert account(tallies, topic, ["a"], {"node-1": 3, "node-2": 3}) == Accounting(10, 4, 1, 3, 2)


CASES = {
    "all delivered": (counted(3, 3), seqs(1, 2, 3), True, Accounting(3, 3, 0, 0, 0, 0)),
    "in a living pod's file": (counted(5, 2), seqs(1, 2), True, Accounting(5, 2, 3, 0, 0, 0)),
    "gone with an evicted pod": (counted(5, 2), seqs(1, 2), False, Accounting(5, 2, 0, 3, 0, 0)),
    "arrived, but the acknowledgement did not": (counted(5, 2), seqs(1, 2, 3, 4), True, Accounting(5, 4, 1, 0, 0, 0)),
    "sent again after a restart": (counted(3, 3), seqs(1, 2, 2, 3, 1), True, Accounting(3, 3, 0, 0, 0, 2)),
    "acknowledged and not there": (counted(5, 4), seqs(1, 3), True, Accounting(5, 2, 1, 0, 2, 0)),
    "acknowledged and not there, pod gone": (counted(5, 4), seqs(1, 3), False, Accounting(5, 2, 0, 1, 2, 0)),
    "killed before it counted": (counted(3, 3), seqs(1, 2, 3, 4), False, Accounting(4, 4, 0, 0, 0, 0)),
    "nothing written": (counted(0, 0), seqs(), True, Accounting()),
}


@pytest.mark.parametrize(("tally", "found", "living", "expected"), CASES.values(), ids=CASES)
def test_one_pod(tally, found, living, expected):
    assert of_pod(tally, found, living=living) == expected


def test_pods_add_up_and_a_pod_without_a_tally_counts():
    tallies = {"a": counted(4, 2), "b": counted(4, 2)}
    topic = {"a": seqs(1, 2), "b": seqs(1, 2), "c": seqs(1, 1)}
    assert account(tallies, topic, living={"a"}) == Accounting(written=9, delivered=5, backlog=2, gone_with_pod=2, duplicates=1)


def test_a_wiped_topic_is_a_defect():
    assert account({"a": counted(4, 4)}, {}, living={"a"}).unaccounted == 4


@given(
    written=st.integers(0, 40),
    shipped=st.integers(0, 45),
    arrived=st.lists(st.integers(1, 42), max_size=60),
    living=st.booleans(),
)
def test_every_written_line_is_in_exactly_one_place(written, shipped, arrived, living):
    sums = of_pod(counted(written, shipped), seqs(*arrived), living=living)
    assert sums.written == sums.delivered + sums.backlog + sums.gone_with_pod + sums.unaccounted
    assert min(sums.backlog, sums.gone_with_pod, sums.unaccounted, sums.duplicates) >= 0
    assert sums.delivered + sums.duplicates == len(arrived)
    expected_lost = set(range(1, min(shipped, sums.written) + 1)) - set(arrived)
    assert sums.unaccounted == len(expected_lost)
