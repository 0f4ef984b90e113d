"""What the shell offers after Tab, asked as bash and zsh ask it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lab.cli import completion
from lab.core.fields import fields
from lab.runner.load import EXPERIMENTS

SCRIPTS = Path(sys.executable).parent


class Context:
    """As much of Typer's context as completion reads."""

    def __init__(self, **params: str) -> None:
        self.params = params


def offered(begun: str, **params: str) -> list[str]:
    return [value for value, _ in completion.settings(Context(**params), begun)]  # type: ignore[arg-type]


def test_experiments_are_offered_by_name_with_their_titles() -> None:
    assert completion.experiments("flo") == [("flood-only", "The flood of cascade, without the outage before it")]
    assert [name for name, _ in completion.experiments("")] == list(EXPERIMENTS)


def test_every_field_that_can_be_set_is_offered() -> None:
    assert [value.split("=")[0] for value in offered("", experiment="baseline")] == [field.path for field in fields()]


def test_a_field_is_offered_with_the_value_that_the_chosen_experiment_has() -> None:
    assert offered("workload.p", experiment="cascade") == ["workload.pods=35"]
    assert offered("faults.0.h", experiment="cascade") == ["faults.0.heal_at_s=40"]
    assert offered("faults.0", experiment="baseline") == []
    assert offered("recovery_e", base="cascade") == ["recovery_ends_early=false"]


def test_after_the_equals_sign_the_choices_are_offered_where_there_are_few() -> None:
    assert offered("expected.verdict=", experiment="cascade") == ["expected.verdict=held", "expected.verdict=deviated"]
    assert offered("recovery_ends_early=t", experiment="cascade") == ["recovery_ends_early=true"]
    assert offered("workload.pods=", experiment="cascade") == []


def test_what_is_offered_is_explained() -> None:
    (_, help_text) = completion.settings(Context(experiment="cascade"), "workload.pods")[0]  # type: ignore[arg-type]
    assert help_text == "workload pods over all app nodes; about 100 is the limit of 2 cores (a whole number, 1 to 110)"


def test_an_unknown_experiment_still_offers_the_fields_of_all() -> None:
    assert "workload.pods=50" in offered("workload", experiment="./not-there.yaml")


def test_runs_are_offered_newest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("20260101T000000Z-a", "20260102T000000Z-b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "history.jsonl").touch()
    (tmp_path / "runs" / "not-a-run").mkdir()
    assert [value for value, _ in completion.runs("")] == ["runs/20260102T000000Z-b", "runs/20260101T000000Z-a"]
    assert completion.runs("runs/20260101") == [("runs/20260101T000000Z-a", "")]


def test_completion_is_installed_for_the_next_bash(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{SCRIPTS}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    subprocess.run(["bash", "-c", "lab --install-completion; exit $?"], env=environment, capture_output=True, check=True)
    asked = ["bash", "-c", f"source {tmp_path}/.bashrc; complete -p lab"]
    assert subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout.split()[-1] == "lab"


def test_bash_completes_commands_experiments_and_fields() -> None:
    """With the script that `lab --install-completion` installs, in a real bash."""
    environment = {**os.environ, "PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
    script = subprocess.run(
        [SCRIPTS / "lab"], env={**environment, "_LAB_COMPLETE": "source_bash"}, capture_output=True, text=True, check=True
    )
    asked = (["lab", "experiments", "va"], ["lab", "run", "cas"], ["lab", "run", "cascade", "--set", "workload.p"])
    calls = [
        f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _lab_completion lab; echo ${{COMPREPLY[*]}}" for words in asked
    ]
    said = subprocess.run(["bash", "-c", "\n".join([script.stdout, *calls])], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["validate", "cascade", "workload.pods=35"]
