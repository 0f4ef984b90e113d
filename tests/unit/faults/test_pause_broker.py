"""The fault: idempotent both ways, asks the system, and can be healed by a process that only has its record."""

import pytest

from lab.faults.table import FAULTS
from tests.fakes import FakeWorld


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


def test_it_freezes_and_thaws_however_often_it_is_asked(world: FakeWorld) -> None:
    fault = FAULTS["pause-broker"].from_record({})
    fault.inject(world)
    fault.inject(world)
    assert (fault.is_active(world), fault.witness(world)) == (True, True)
    fault.heal(world)
    fault.heal(world)
    assert (fault.is_active(world), fault.witness(world)) == (False, False)


def test_healing_what_was_never_injected_is_fine(world: FakeWorld) -> None:
    FAULTS["pause-broker"].from_record({}).heal(world)
    assert not world.frozen


def test_it_is_active_by_what_the_system_says_and_not_by_what_it_remembers(world: FakeWorld) -> None:
    fault = FAULTS["pause-broker"].from_record({})
    world.frozen = True
    assert fault.is_active(world)
    world.frozen = False
    assert not fault.is_active(world)


def test_a_frozen_broker_that_still_answers_is_no_witness(world: FakeWorld) -> None:
    world.deaf = True
    fault = FAULTS["pause-broker"].from_record({})
    fault.inject(world)
    assert not fault.witness(world)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_another_process_can_heal_from_the_record_alone(world: FakeWorld, name: str) -> None:
    fault = FAULTS[name].from_record({})
    fault.inject(world)
    FAULTS[name].from_record(fault.to_record()).heal(world)
    assert not fault.is_active(world)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_goes_by_its_name_in_the_table(name: str) -> None:
    assert FAULTS[name].from_record({}).name == name
