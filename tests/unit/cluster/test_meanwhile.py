"""Waits beside others: all are waited for, and none outlives a failure."""

import threading

import pytest

from lab.cluster.balancer import await_serving
from lab.cluster.meanwhile import meanwhile, waiting
from lab.core.errors import Aborted, Unavailable
from tests.fakes import FakeClock, FakeProgress


def until(progress=None):
    return waiting(progress or FakeProgress(), FakeClock())


def test_the_block_ends_when_all_have_ended():
    seen, open_now = [], threading.Event()

    def work(wait):
        open_now.wait(5)
        wait("a thing", lambda: "", 10)
        seen.append("work")

    with meanwhile(until(), work):
        seen.append("block")
        open_now.set()
    assert seen == ["block", "work"]


def test_a_work_that_fails_fails_the_block():
    def work(wait):
        wait("what never comes", lambda: "not there", 3)

    with pytest.raises(Aborted, match="not there"), meanwhile(until(), work):
        pass


def test_a_block_that_fails_ends_the_waits_of_the_works():
    looks = []

    def endless(title, look, allowed_s):
        while look():
            looks.append(title)

    def work(wait):
        wait("for ever", lambda: "not there", 1e9)

    with pytest.raises(KeyboardInterrupt), meanwhile(endless, work):
        raise KeyboardInterrupt
    assert set(looks) <= {"for ever"}


class FakeBalancer:
    def __init__(self, *answers):
        self.answers = list(answers)

    def backends(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise Unavailable("ask the balancer", "connection refused")
        return answer


def test_pods_are_waited_for_until_they_answer_behind_the_balancer():
    balancer = FakeBalancer(None, {"a": True}, {"a": True, "b": False}, {"a": True, "b": True})
    await_serving(until(), 2, balancer)
    assert len(balancer.answers) == 1


def test_for_no_pods_an_answer_is_enough():
    progress = FakeProgress()
    await_serving(until(progress), 0, FakeBalancer(None, {}))
    assert progress.titles == ["the load balancer"]


def test_pods_that_do_not_come_are_told():
    with pytest.raises(Aborted, match="1 of 2 answer"):
        await_serving(until(), 2, FakeBalancer({"a": True}))
