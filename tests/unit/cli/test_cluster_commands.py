"""`lab down` where the engine that holds the cluster is out of reach."""

from pathlib import Path

import pytest

from lab.cli import cluster_commands
from lab.core import paths
from tests.command_line import Lab


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nobody answers, nothing of an engine of the lab's own is left; the folder that holds the lab's state."""
    state = tmp_path / "state"
    state.mkdir()
    for name, place in {"STATE": state, "LOCK": state / "run.lock", "KUBECONFIG": state / "kubeconfig"}.items():
        monkeypatch.setattr(paths, name, place)
    monkeypatch.setattr(cluster_commands.engine, "find", lambda: None)
    monkeypatch.setattr(cluster_commands.engine, "left_behind", lambda: False)
    monkeypatch.setattr(cluster_commands.engine, "stop", lambda _: False)
    monkeypatch.setattr(cluster_commands.bring_up, "down", lambda *_: None)
    return state


def test_a_cluster_whose_engine_does_not_answer_is_not_gone(no_engine: Path, lab: Lab) -> None:
    (no_engine / "kubeconfig").touch()
    answer = lab("down")
    assert (answer.code, "does not answer" in answer.text, "DOCKER_HOST" in answer.text) == (2, True, True)
    assert (no_engine / "kubeconfig").exists(), "what is needed to remove it is kept"


def test_without_a_cluster_there_is_nothing_to_wait_for(no_engine: Path, lab: Lab) -> None:
    answer = lab("down")
    assert (answer.code, "The lab is gone" in answer.text, no_engine.exists()) == (0, True, False)
