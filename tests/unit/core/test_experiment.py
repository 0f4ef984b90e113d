"""The published schema and the experiments agree with the code."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from lab.core.experiment import Experiment, schema_text
from lab.runner.load import EXPERIMENTS, FOLDER, load_experiment

SCHEMA = FOLDER / "experiment.schema.json"


def test_the_published_schema_is_the_one_of_the_code() -> None:
    again = (
        'python -c "from lab.core.experiment import schema_text; print(schema_text(), end=str())" > lab/experiments/experiment.schema.json'
    )
    assert SCHEMA.read_text() == schema_text(), f"write it again: {again}"


@pytest.mark.parametrize("path", EXPERIMENTS.values(), ids=sorted(EXPERIMENTS))
def test_every_experiment_file_names_the_schema_and_obeys_it(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("# yaml-language-server: $schema=experiment.schema.json\n")
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(YAML(typ="safe").load(text))


def test_an_experiment_survives_being_stored_and_read_again() -> None:
    cascade = load_experiment("cascade")
    assert Experiment.model_validate_json(cascade.model_dump_json()) == cascade
