"""Every fault keeps the promise: idempotent both ways, asks the system, and can be healed by a process that only has its record."""

import json

import pytest

from lab.core.fault_specs import FAULT_SPECS
from lab.core.remedy_specs import REMEDY_SPECS
from lab.faults.table import FAULTS
from tests.cluster.test_lab import FAULT_SETTINGS
from tests.fakes import FakeWorld

MORE = {"churn-pods": {"pods_low": 10, "pods_high": 35}}
every = pytest.mark.parametrize("name", sorted(FAULTS))


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


def settings(name: str) -> dict[str, object]:
    if name in REMEDY_SPECS:
        return REMEDY_SPECS[name].model_validate({"remedy": name}).settings()
    return FAULT_SPECS[name].model_validate({"fault": name, **MORE.get(name, {})}).settings()


@every
def test_it_acts_and_ends_however_often_it_is_asked(world: FakeWorld, name: str) -> None:
    fault = FAULTS[name].from_record(settings(name))
    fault.inject(world)
    fault.inject(world)
    assert (fault.is_active(world), fault.witness(world)) == (True, True)
    fault.heal(world)
    fault.heal(world)
    assert (fault.is_active(world), fault.witness(world)) == (False, False)


@every
def test_healing_what_was_never_injected_is_fine(world: FakeWorld, name: str) -> None:
    fault = FAULTS[name].from_record(settings(name))
    fault.heal(world)
    assert not fault.is_active(world)


@every
def test_another_process_can_heal_from_the_record_alone(world: FakeWorld, name: str) -> None:
    fault = FAULTS[name].from_record(settings(name))
    fault.inject(world)
    again = FAULTS[name].from_record(json.loads(json.dumps(fault.to_record())))
    assert again == fault
    again.heal(world)
    assert not fault.is_active(world)


@every
def test_a_fault_goes_by_its_name_in_the_table(name: str) -> None:
    assert FAULTS[name].from_record(settings(name)).name == name


def test_what_a_file_may_say_and_what_there_is_are_the_same_faults_and_remedies() -> None:
    assert set(FAULT_SPECS) | set(REMEDY_SPECS) == set(FAULTS)
    assert not set(FAULT_SPECS) & set(REMEDY_SPECS)


def test_a_churn_that_ended_with_fewer_pods_is_not_healed(world: FakeWorld) -> None:
    fault = FAULTS["churn-pods"].from_record(settings("churn-pods"))
    world.wanted = 10
    assert fault.is_active(world)


def test_the_settings_reach_the_system(world: FakeWorld) -> None:
    for name in FAULTS:
        FAULTS[name].from_record(settings(name)).inject(world)
    assert world.going == {
        "flap": (15, 5),
        "cut": (1.0,),
        "kill": (0.5, 20),
        "pause": (0.5, 12, 4),
        "churn": (10, 35, 15),
        "stress": (1, 2),
        "redeploy": (1, 0.25),
    }


@every
def test_it_says_how_far_it_may_reach(name: str) -> None:
    fault = FAULTS[name].from_record(settings(name))
    assert fault.blast_radius
    assert "{" not in fault.blast_radius


def test_each_is_killed_and_healed_on_the_cluster() -> None:
    assert set(FAULT_SETTINGS) == set(FAULTS)
