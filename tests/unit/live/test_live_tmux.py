"""The same keys in tmux, which is where a long run is left alone: in a run, and in `lab watch`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tmux import PROGRAM, Tmux, tmux

from lab.core.history import History
from lab.core.paths import project

ENV = {"PYTHONPATH": str(project())}

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no tmux on this machine: scripts/programs")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Tmux]:
    """A run in its outage."""
    viewed = Path(__file__).with_name("viewed_run.py")
    with tmux([sys.executable, str(viewed), str(tmp_path / "state"), str(tmp_path / "run")], tmp_path, ENV) as shown:
        shown.until(lambda text: "viewed · outage" in text and "pause-broker" in text)
        yield shown


def test_a_run_is_paused_explained_and_aborted(run: Tmux, tmp_path: Path) -> None:
    run.press("p")
    run.until_text("PAUSED: the drawing only")
    run.press("p")
    run.press("?")
    run.until_text("end the run: heal everything, then judge what was seen")
    run.press("x")
    run.until_text("p: pause, a: abort, ?: help")
    run.press("a")
    run.until_text("abort the run? It is healed first")
    run.press("y")
    assert "interrupted, frozen: False" in run.until_text("ended with 4")
    assert History.read(tmp_path / "run" / "history.jsonl").first("end", status="interrupted") is not None


def test_control_c_ends_a_run_as_an_abort_does(run: Tmux) -> None:
    run.press("C-c")
    assert "interrupted, frozen: False" in run.until_text("ended with 4")


def test_a_stored_run_is_watched_paused_explained_and_left(stored: Path, tmp_path: Path) -> None:
    with tmux([sys.executable, "-m", "lab.cli", "watch", str(stored), "--speed", "1"], tmp_path, ENV) as shown:
        shown.until_text("p: pause, q: quit, ?: help")
        shown.press("p")
        shown.until_text("PAUSED: the drawing only")
        shown.press("p")
        shown.press("?")
        shown.until_text("pause the drawing, never the run")
        shown.press("x")
        shown.until_text("p: pause, q: quit, ?: help")
        shown.press("q")
        assert "no longer watching" in shown.until_text("ended with 0")
