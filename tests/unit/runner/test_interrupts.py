"""Signals: raised once, never inside a shield, never lost."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from lab.runner.interrupts import Interrupted, Interrupts


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    watched = Interrupts()
    with watched.installed():
        yield watched


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_in_a_shield_waits_for_its_end(interrupts: Interrupts) -> None:
    done: list[str] = []

    def work() -> None:
        with interrupts.shielded():
            with interrupts.shielded():
                press()
                done.append("inner")
            done.append("outer")
        done.append("never")

    with pytest.raises(Interrupted, match="SIGINT"):
        work()
    assert done == ["inner", "outer"]


def test_only_the_first_signal_is_raised(interrupts: Interrupts) -> None:
    with pytest.raises(Interrupted):
        press()
    press()
    with interrupts.shielded():
        press()


def test_a_signal_that_was_swallowed_is_raised_at_the_next_check(interrupts: Interrupts) -> None:
    with pytest.raises(Interrupted):
        press()
    with pytest.raises(Interrupted):
        interrupts.check()


def test_once_the_run_is_ending_signals_change_nothing(interrupts: Interrupts) -> None:
    interrupts.no_more()
    press()
    interrupts.check()
    assert interrupts.received == "SIGINT"


def test_no_client_that_retries_on_exceptions_swallows_it(interrupts: Interrupts) -> None:
    assert not issubclass(Interrupted, Exception)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_ignored_stays_ignored_and_the_others_come_back(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Interrupts().installed():
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("ends", [Interrupts.no_more, Interrupts.check])
def test_nothing_happens_without_a_signal(interrupts: Interrupts, ends: Callable[[Interrupts], None]) -> None:
    ends(interrupts)
    assert interrupts.received is None
