"""Questions that hang never delay the next ones, and none is forgotten."""

import threading

from probe_fakes import HandClock, reasons, silent

from lab.core.protocols import Reading
from lab.probes.ask import Paced, Rate, timed


def answer(value):
    return lambda: [Reading("s", "t", value)]


def hanging(release, value):
    def ask():
        release.wait(10)
        return [Reading("s", "t", value)]

    return ask


def test_an_answer_that_comes_at_once_is_returned_by_the_same_call():
    assert Paced(1, wait_s=5).ask(answer(1.0), "s") == [Reading("s", "t", 1.0)]


def test_a_hanging_question_does_not_keep_the_next_from_being_asked():
    release, paced = threading.Event(), Paced(2, wait_s=0.02)
    assert paced.ask(hanging(release, 1.0), "s") == []
    assert paced.ask(answer(2.0), "s") == [Reading("s", "t", 2.0)]
    release.set()


def test_a_late_answer_is_handed_over_with_a_later_call():
    release, paced = threading.Event(), Paced(2, wait_s=0.02)
    paced.ask(hanging(release, 1.0), "s")
    release.set()
    late = [thread for thread in threading.enumerate() if thread.name == "ask-s"]
    for thread in late:
        thread.join(5)
    assert {r.value for r in paced.ask(answer(2.0), "s")} == {1.0, 2.0}


def test_when_all_askers_wait_nothing_more_is_asked_until_one_is_done():
    release, paced = threading.Event(), Paced(1, wait_s=0.02)
    paced.ask(hanging(release, 1.0), "s")
    assert paced.ask(answer(2.0), "s") == []
    release.set()


def test_a_call_is_timed_in_milliseconds():
    clock = HandClock()
    assert timed(clock, "s", "t", lambda: clock.sleep(0.25)) == Reading("s", "t", 250.0)


def test_a_failed_call_gives_its_reason_and_no_time():
    assert reasons([timed(HandClock(), "s", "t", silent)]) == {("s", "t"): "timed out after 2 s"}


def test_a_rate_is_growth_over_time():
    clock = HandClock()
    rate = Rate(clock)
    assert rate.of(10) is None
    clock.sleep(2)
    assert rate.of(40) == 15.0


def test_a_counter_that_goes_back_has_no_rate_until_it_was_read_twice_again():
    clock = HandClock()
    rate = Rate(clock)
    found = []
    for count in (100, 5, 8):
        found.append(rate.of(count))
        clock.sleep(1)
    assert found == [None, None, 3.0]


def test_two_readings_too_close_together_give_no_rate_and_do_not_move_the_first():
    clock = HandClock()
    rate, found = Rate(clock, least_s=0.5), []
    for pause_s, count in ((0, 0), (0.1, 90), (1.9, 200)):
        clock.sleep(pause_s)
        found.append(rate.of(count))
    assert found == [None, None, 100.0]
