"""What counts is what the system says."""

import pytest

from lab.faults.table import FAULTS
from tests.fakes import FakeWorld


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


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
