"""What may be set: every field of the models, in words that name type, range and choices."""

import pytest

from lab.core.experiment import Experiment
from lab.core.fault_specs import FAULT_SPECS
from lab.core.fields import allowed_at, fault_fields, fields, names_at
from lab.runner.load import load_experiment


def test_every_field_of_an_experiment_is_listed_once() -> None:
    listed = [field.path for field in fields()]
    assert len(listed) == len(set(listed))
    assert {path.split(".")[0] for path in listed} == set(Experiment.model_fields)
    assert {"workload.pods", "shape.cap_multiple", "expected.links"} <= set(listed)


def test_the_faults_of_a_file_are_listed_under_their_numbers() -> None:
    listed = [field.path for field in fields(["pause-broker", "flap-broker"])]
    assert {"faults.0.heal_at_s", "faults.1.away_s"} <= set(listed)
    assert "faults.0.away_s" not in listed


@pytest.mark.parametrize("name", sorted(FAULT_SPECS))
def test_every_setting_of_every_fault_is_listed(name: str) -> None:
    assert {field.path.rpartition(".")[2] for field in fault_fields(name)} == set(FAULT_SPECS[name].model_fields)


@pytest.mark.parametrize(
    ("path", "allowed", "default"),
    [
        ("workload.pods", "a whole number, 1 to 110", "50"),
        ("workload.requests_per_s", "a number, more than 0, at most 2000", "25"),
        ("recovery_ends_early", "true or false", "false"),
        ("expected.verdict", "held or deviated", ""),
        ("expected.links", "a list of 0, 1, 2, ", "[]"),
        ("name", "text that matches ^[a-z]", ""),
        ("title", "text", ""),
        ("faults", "a list of faults", "[]"),
    ],
)
def test_a_field_says_what_is_allowed_and_what_it_is_when_left_out(path: str, allowed: str, default: str) -> None:
    field = next(field for field in fields() if field.path == path)
    assert field.allowed.startswith(allowed)
    assert field.default.removesuffix(".0") == default


def test_allowed_at_follows_lists_and_kinds_of_fault() -> None:
    assert allowed_at(("faults", 3, "loss_ratio"), "partition-broker") == "a number, more than 0, at most 1"
    assert allowed_at(("expected", "links", 0)).startswith("0, 1, 2")
    assert allowed_at(("faults", 0, "loss_ratio"), "pause-broker") == allowed_at(("no", "such")) == allowed_at(("title", "x")) == ""


def test_names_at_a_branch_and_none_at_a_leaf() -> None:
    assert names_at(("workload",)) == [
        "agents_per_pod",
        "flood_lines_per_s",
        "logging",
        "pods",
        "requests_per_s",
        "shipper",
        "through",
        "watches_per_pod",
    ]
    assert names_at(("workload", "pods")) == names_at(("zzz",)) == []


def test_what_is_said_to_be_the_default_is_what_a_file_gets_that_leaves_it_out() -> None:
    plain = Experiment.model_validate({"name": "x", "title": "x", "hypothesis": "x", "expected": {"verdict": "held"}})
    given = [f"{field.path}={field.default}" for field in fields() if field.default and field.path != "expected.links"]
    assert load_experiment("baseline", given).model_dump(exclude={"name", "title", "hypothesis"}) == plain.model_dump(
        exclude={"name", "title", "hypothesis"}
    )
