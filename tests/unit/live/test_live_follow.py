"""A history that grows is read once, line by line."""

import json
from pathlib import Path

import pytest

from lab.core.errors import Refused
from lab.live.follow import Follower


def line(seq: int) -> str:
    return json.dumps({"seq": seq, "at_s": float(seq), "kind": "sample", "cause": None, "value": seq}) + "\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "history.jsonl").write_text("")
    return tmp_path


def write(run: Path, text: str) -> None:
    with (run / "history.jsonl").open("a") as file:
        file.write(text)


def test_each_event_is_given_once(run: Path) -> None:
    follower = Follower.of(run)
    write(run, line(0) + line(1))
    assert [event.seq for event in follower.read()] == [0, 1]
    assert follower.read() == []
    write(run, line(2))
    assert [(event.seq, event["value"]) for event in follower.read()] == [(2, 2)]


def test_a_line_that_is_not_whole_yet_waits(run: Path) -> None:
    follower = Follower.of(run)
    write(run, line(0) + line(1)[:10])
    assert [event.seq for event in follower.read()] == [0]
    write(run, line(1)[10:])
    assert [event.seq for event in follower.read()] == [1]


def test_a_line_that_is_no_event_is_refused_by_its_number(run: Path) -> None:
    follower = Follower.of(run)
    write(run, line(0))
    follower.read()
    write(run, line(1) + "nonsense\n")
    with pytest.raises(Refused, match="line 3 is not an event"):
        follower.read()


def test_a_folder_without_a_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no history\.jsonl"):
        Follower.of(tmp_path)


def test_nothing_is_written(run: Path) -> None:
    write(run, line(0))
    (run / "history.jsonl").chmod(0o444)
    before = {path: path.stat().st_mtime_ns for path in run.iterdir()}
    Follower.of(run).read()
    assert {path: path.stat().st_mtime_ns for path in run.iterdir()} == before
