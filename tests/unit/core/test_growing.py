"""A history read while it grows."""

import json
from pathlib import Path

from lab.core.growing import Growing


def line(seq: int) -> str:
    return json.dumps({"seq": seq, "at_s": seq, "kind": "sample", "cause": None, "value": 1}) + "\n"


def test_each_event_comes_once_and_a_torn_line_waits_for_its_rest(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(line(0) + line(1)[:9])
    growing = Growing(path)
    assert [event.seq for event in growing.read()] == [0]
    assert growing.read() == []
    with path.open("a") as file:
        file.write(line(1)[9:] + line(2))
    assert [event.seq for event in growing.read()] == [1, 2]


def test_a_line_that_is_no_event_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("nonsense\n[1]\n" + line(7))
    assert [event.seq for event in Growing(path).read()] == [7]
