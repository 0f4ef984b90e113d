"""`lab experiments`, and an experiment of one's own through every command that takes one."""

import json
from pathlib import Path

import pytest

from lab.core.experiment import Experiment, schema_text
from lab.runner.load import EXPERIMENTS, load_experiment
from tests.command_line import Lab


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [("experiments",), ("experiments", "list")])
def test_the_list_names_each_experiment_what_it_must_show_and_how_long_it_takes(lab: Lab, words: tuple[str, ...]) -> None:
    answer = lab(*words)
    assert [line.split()[0] for line in answer.text.splitlines()] == list(EXPERIMENTS)
    assert (
        "Kafka goes away, comes back, and takes the platform with it; expected deviated with links 0, 1, 2, 3, 4, 5, 6, 7, 9; 215 s"
        in answer.text
    )


def test_the_list_for_machines_holds_the_same(lab: Lab) -> None:
    rows = json.loads(lab("experiments", "list", "--json").text)
    assert [row["name"] for row in rows] == list(EXPERIMENTS)
    assert [row["lasts_s"] for row in rows if row["name"] in ("baseline", "cascade", "flapping")] == [215.0, 215.0, 255.0]


def test_what_is_shown_can_be_kept_and_run(lab: Lab) -> None:
    shown = lab("experiments", "show", "cascade", "--set", "workload.pods=9")
    Path("kept.yaml").write_text(shown.text)
    assert load_experiment("./kept.yaml") == load_experiment("cascade", ["workload.pods=9"])
    as_json = lab("experiments", "show", "cascade", "--set", "workload.pods=9", "--json")
    assert Experiment.model_validate_json(as_json.text) == load_experiment("./kept.yaml")


def test_an_experiment_of_ones_own_from_its_birth_to_its_rehearsal(lab: Lab) -> None:
    born = lab("experiments", "new", "mine.yaml", "--from", "baseline", "--set", "workload.pods=3")
    assert (born.code, born.text.strip()) == (0, "wrote mine.yaml; run it with: lab run ./mine.yaml")
    checked = lab("experiments", "validate", "mine.yaml", "cascade")
    assert (checked.code, checked.text.splitlines()[0]) == (0, "mine.yaml: good (mine, 0 faults, 215 s, expected held)")
    assert lab("experiments", "show", "./mine.yaml", "--json").text.count('"pods": 3') == 1
    rehearsed = lab("run", "./mine.yaml", "--dry-run")
    assert (rehearsed.code, '{"replicas": 3}' in rehearsed.text) == (0, True)


def test_validate_names_all_that_is_wrong_in_each_file_and_ends_with_2(lab: Lab) -> None:
    good = EXPERIMENTS["cascade"].read_text()
    Path("a.yaml").write_text(good.replace("pods: 35", "pods: many"))
    Path("b.yaml").write_text(good)
    Path("c.yaml").write_text(good.replace("verdict: deviated", "verdict: broken"))
    answer = lab("experiments", "validate", "a.yaml", "b.yaml", "c.yaml")
    assert answer.code == 2
    assert "workload.pods: Input should be a valid integer, not 'many'; allowed: a whole number, 1 to 110" in answer.text
    assert "b.yaml: good (cascade" in answer.text
    assert "expected.verdict: Input should be 'held' or 'deviated', not 'broken'; allowed: held or deviated" in answer.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("experiments", "new", "mine.txt"), "does not end in .yaml"),
        (("experiments", "new", "mine.yaml", "--from", "cascad"), "did you mean cascade?"),
        (("experiments", "show", "zzz"), "known: baseline, cascade"),
        (("run", "cascade", "--dry-run", "--set", "workload.pods=x"), "'x'; allowed: a whole number, 1 to 110"),
        (("run", "cascade", "--dry-run", "--set", "expected.verdict=maybe"), "'maybe'; allowed: held or deviated"),
        (("run", "cascade", "--dry-run", "--set", "faults.0.heal_at_s=-1"), "-1; allowed: a number, 0 to 3600"),
        (("run", "cascade", "--dry-run", "--set", "faults.0.heal_by_s=1"), "did you mean heal_at_s?; allowed: fault, heal_at_s"),
        (("run", "cascade", "--dry-run", "--set", "faults.4.heal_at_s=1"), "there is no 4 to change: the list holds 1, counted from 0"),
        (("run", "cascade", "--dry-run", "--set", "steady_s"), "it is not FIELD=VALUE; allowed: a number, 10 to 3600"),
        (("run", "cascade", "--dry-run", "--set", "outage_s=["), "outage_s: '[' is not YAML; allowed: a number, 0 to 3600"),
    ],
)
def test_what_cannot_be_done_is_refused_with_field_given_and_allowed(lab: Lab, words: tuple[str, ...], said: str) -> None:
    answer = lab(*words)
    assert (answer.code, said in answer.text) == (2, True), answer.text
    assert list(Path().iterdir()) == []


def test_every_field_is_listed_with_what_is_allowed(lab: Lab) -> None:
    rows = {row["field"]: row for row in json.loads(lab("experiments", "fields", "--json").text)}
    assert rows["workload.pods"]["allowed"] == "a whole number, 1 to 110"
    assert {"faults.N.loss_ratio", "seed", "expected.links"} <= set(rows)
    assert "faults.N.loss_ratio" in lab("experiments", "fields").text


def test_the_schema_is_printed_as_it_is_published(lab: Lab) -> None:
    assert lab("experiments", "schema").text == schema_text()
