"""Healing from the ledger: all of it, whatever fails."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.adapters.clock import SystemClock
from lab.core.errors import NotHealed, Unavailable
from lab.core.ledger import Entry, Ledger
from lab.faults.table import FAULTS
from lab.runner.heal import end_leftover_load, heal_open
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


@pytest.mark.parametrize("noted", ["", "{}", "[]", "null", '{"pid": "x"}', '{"pid": 999999999, "started": 1}', '{"pid": 1, "started": 1}'])
def test_a_note_of_a_load_that_is_no_process_of_ours_ends_nothing(tmp_path: Path, noted: str) -> None:
    (tmp_path / "locust.pid").write_text(noted)
    assert end_leftover_load(tmp_path) is None


def test_a_load_that_was_left_is_ended_with_its_whole_group(tmp_path: Path) -> None:
    with subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; wait"], start_new_session=True, stdout=subprocess.PIPE, text=True) as load:
        assert load.stdout is not None
        grandchild = int(load.stdout.readline())
        note(tmp_path, load.pid, started=psutil.Process(load.pid).create_time())
        assert end_leftover_load(tmp_path) == load.pid
        assert load.wait(10) < 0
    clock = SystemClock()
    give_up_s = clock.now_s() + 10
    while not has_ended(grandchild):
        assert clock.now_s() < give_up_s
        clock.sleep(0.01)
    assert not (tmp_path / "locust.pid").exists()


def test_a_process_that_only_has_the_same_number_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as other:
        note(tmp_path, other.pid, started=psutil.Process(other.pid).create_time() - 5)
        assert end_leftover_load(tmp_path) is None
        assert other.poll() is None
        other.kill()


def test_our_own_process_group_is_never_ended(tmp_path: Path) -> None:
    note(tmp_path, os.getpid(), started=psutil.Process().create_time())
    assert end_leftover_load(tmp_path) is None


def has_ended(pid: int) -> bool:
    """Nobody may be there to collect an orphan."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def note(folder: Path, pid: int, **fields: Any) -> None:
    (folder / "locust.pid").write_text(json.dumps({"pid": pid, **fields}))
