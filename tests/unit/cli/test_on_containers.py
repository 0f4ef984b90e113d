"""What is done round a run on containers: the neighbour goes with it, however it ends."""

from pathlib import Path

import pytest

from lab.cli import on_containers
from lab.core import paths
from lab.core.errors import Aborted, LabError, Refused, Unavailable
from lab.runner.load import load_experiment
from lab.runner.lock import run_lock
from tests import histories
from tests.fakes import FakeClock


class Console:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def dismissed(monkeypatch: pytest.MonkeyPatch, tmp_path) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(paths, "LOCK", tmp_path / "run.lock")
    monkeypatch.setattr(on_containers.compose, "dismiss_neighbour", lambda _: seen.append("gone"))
    return seen


@pytest.mark.parametrize(("name", "times"), [("shared-gossip", 1), ("gossip-poison", 0)])
def test_a_neighbour_is_removed_after_its_run(name: str, times: int, dismissed: list[str]) -> None:
    with on_containers._alone_again(Console(), load_experiment(name)):  # type: ignore[arg-type]
        assert dismissed == []
    assert dismissed == ["gone"] * times


def test_a_run_that_was_cut_short_is_told_with_its_own_error(tmp_path: Path) -> None:
    """A history without a beginning, or a disk without space, must not take its place."""
    console = Console()
    on_containers._tell_what_was_seen(console, tmp_path)  # type: ignore[arg-type]
    assert console.lines[0].startswith(f"what was seen until then is in {tmp_path} and could not be judged: ")


def test_what_an_interrupted_run_saw_gets_its_page(tmp_path: Path) -> None:
    folder = histories.store(histories.cascade().stop(200).history(), tmp_path / "run")
    console = Console()
    on_containers._tell_what_was_seen(console, folder)  # type: ignore[arg-type]
    assert console.lines == [f"what was seen until then: {folder / 'report.html'}"]
    assert (folder / "report.html").is_file()
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("error", [Aborted("run", "ended by SIGINT"), KeyboardInterrupt()])
def test_it_is_removed_after_one_that_failed_too_and_the_failure_is_told(error: BaseException, dismissed: list[str]) -> None:
    with pytest.raises(type(error)), on_containers._alone_again(Console(), load_experiment("shared-gossip")):  # type: ignore[arg-type]
        raise error
    assert dismissed == ["gone"]


def test_the_neighbour_of_another_run_is_left_alone(dismissed: list[str]) -> None:
    with run_lock(paths.LOCK, FakeClock()), pytest.raises(Refused), on_containers._alone_again(Console(), load_experiment("shared-gossip")):  # type: ignore[arg-type]
        raise Refused("use the lab", "another run is under way")
    assert dismissed == []


def test_one_that_stays_is_told_and_hides_nothing(dismissed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stays(_: object) -> bool:
        raise Unavailable("remove it", "timed out")

    monkeypatch.setattr(on_containers.compose, "dismiss_neighbour", stays)
    console = Console()
    with pytest.raises(LabError, match="the run"), on_containers._alone_again(console, load_experiment("shared-gossip")):  # type: ignore[arg-type]
        raise Aborted("finish the run", "ended")
    assert console.lines == ["the neighbour is still there: timed out. Next: lab heal"]
