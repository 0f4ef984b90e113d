"""Going first, and no longer."""

import os

import pytest

from lab.adapters.niceness import at_niceness


def now() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may go first again")
def test_a_block_has_its_own_and_what_is_within_has_its_own_again() -> None:
    before = now()
    with at_niceness(before + 2):
        with pytest.raises(ZeroDivisionError), at_niceness(before + 1):
            1 / (now() - before - 1)
        assert now() == before + 2
    assert now() == before


def test_who_may_not_come_back_does_not_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    before = now()
    with at_niceness(before + 1):
        assert now() == before
