"""New experiment files: begun from a known one, found by editors, never written over another."""

from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from lab.core.errors import Refused
from lab.core.experiment import Experiment
from lab.core.paths import project
from lab.runner.draft import MARK, draft, resolved, schema_for, write_new
from lab.runner.load import EXPERIMENTS, SCHEMA, load_experiment


@pytest.mark.parametrize("base", sorted(EXPERIMENTS))
def test_a_draft_is_its_base_under_a_new_name_with_the_same_comments(tmp_path: Path, base: str) -> None:
    mine = tmp_path / "mine.yaml"
    write_new(mine, draft(mine, base, []))
    found, known = load_experiment(str(mine)), load_experiment(base)
    assert found.name == "mine"
    assert found.model_dump(exclude={"name"}) == known.model_dump(exclude={"name"})
    comments = [line.split("# ", 1)[1] for line in EXPERIMENTS[base].read_text().splitlines()[1:] if "# " in line]
    assert [comment for comment in comments if comment not in mine.read_text()] == []


def test_the_first_line_names_a_schema_that_is_there_and_that_the_draft_obeys(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    text = draft(mine, "cascade", ["workload.pods=7"])
    first, rest = text.split("\n", 1)
    schema = Path(first.removeprefix(MARK))
    assert (schema, MARK in rest) == (SCHEMA, False)
    jsonschema.Draft202012Validator(YAML(typ="safe").load(schema.read_text())).validate(YAML(typ="safe").load(text))
    assert YAML(typ="safe").load(text)["workload"]["pods"] == 7


def test_within_the_checkout_the_schema_is_named_from_where_the_file_is() -> None:
    assert schema_for(project() / "mine.yaml") == "lab/experiments/experiment.schema.json"
    assert schema_for(project() / "lab" / "experiments" / "x.yaml") == "experiment.schema.json"


def test_a_wrong_setting_or_name_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"workload\.pods: Input should be less than or equal to 110, not 111"):
        draft(tmp_path / "mine.yaml", "cascade", ["workload.pods=111"])
    with pytest.raises(Refused, match=r"name: String should match pattern"):
        draft(tmp_path / "Not A Name.yaml", "cascade", [])


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("precious")
    with pytest.raises(Refused, match="never overwritten"):
        write_new(tmp_path / "mine.yaml", "x")
    assert (tmp_path / "mine.yaml").read_text() == "precious"
    with pytest.raises(Refused, match="No such file or directory"):
        write_new(tmp_path / "nowhere" / "mine.yaml", "x")


def test_a_resolved_experiment_is_the_same_experiment_again(tmp_path: Path) -> None:
    cascade = load_experiment("cascade", ["workload.pods=9"])
    (tmp_path / "again.yaml").write_text(resolved(cascade))
    assert load_experiment(str(tmp_path / "again.yaml")) == cascade
    assert set(YAML(typ="safe").load(resolved(cascade))) == set(Experiment.model_fields)
