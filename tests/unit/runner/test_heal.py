"""Healing from the ledger: all of it, whatever fails."""

from pathlib import Path

import pytest

from lab.core.errors import NotHealed, Unavailable
from lab.core.ledger import Entry, Ledger
from lab.faults.table import FAULTS
from lab.runner.heal import heal_open
from tests.fakes import FakeClock, FakeWorld


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl")


def test_nothing_open_heals_nothing_and_asks_no_world(ledger: Ledger) -> None:
    assert heal_open(ledger, None, FAULTS, FakeClock()) == []


def test_what_is_open_is_healed_seen_and_closed(ledger: Ledger) -> None:
    world = FakeWorld()
    world.frozen = True
    ledger.open(Entry("a", "pause-broker", {}, 0))
    assert heal_open(ledger, world, FAULTS, FakeClock()) == ["pause-broker"]
    assert not world.frozen
    assert ledger.open_entries() == []


def test_a_heal_that_does_not_take_is_tried_for_its_time_and_then_told(ledger: Ledger) -> None:
    world, clock = FakeWorld(), FakeClock()
    world.frozen = world.stuck = True
    ledger.open(Entry("a", "pause-broker", {}, 0))
    with pytest.raises(NotHealed, match="it is still active, after 30 s"):
        heal_open(ledger, world, FAULTS, clock)
    assert world.thawed > 10
    assert len(ledger.open_entries()) == 1


def test_one_that_cannot_be_healed_does_not_keep_the_others_open(ledger: Ledger) -> None:
    world = FakeWorld()
    world.frozen = True
    for entry in (Entry("a", "pause-broker", {}, 0), Entry("b", "unknown-fault", {}, 0)):
        ledger.open(entry)
    with pytest.raises(NotHealed, match="unknown-fault") as caught:
        heal_open(ledger, world, FAULTS, FakeClock())
    assert caught.value.exit_code == 5
    assert [entry.id for entry in ledger.open_entries()] == ["b"]
    assert not world.frozen


def test_an_engine_that_is_busy_for_a_while_is_asked_again(ledger: Ledger) -> None:
    class Busy(FakeWorld):
        def thaw_broker(self) -> None:
            super().thaw_broker()
            if self.thawed < 4:
                raise Unavailable("run pkill", "timed out after 8 s")

    ledger.open(Entry("a", "pause-broker", {}, 0))
    assert heal_open(ledger, Busy(), FAULTS, FakeClock()) == ["pause-broker"]


def test_a_client_that_raises_is_a_fault_not_healed(ledger: Ledger) -> None:
    class Broken(FakeWorld):
        def thaw_broker(self) -> None:
            raise ConnectionError("engine away")

    ledger.open(Entry("a", "pause-broker", {}, 0))
    with pytest.raises(NotHealed, match="ConnectionError: engine away"):
        heal_open(ledger, Broken(), FAULTS, FakeClock())
