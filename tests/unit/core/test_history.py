"""The history: whole lines in order, whatever the disk and the process do."""

import json
import os
import threading
from pathlib import Path

import pytest

from lab.core.errors import Refused
from lab.core.history import Event, History, HistoryWriter
from tests.fakes import FakeClock, largest_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def test_events_carry_number_run_clock_kind_and_cause(path: Path) -> None:
    clock = FakeClock()
    writer = HistoryWriter(path, clock)
    first = writer.append("step", step="flood")
    clock.sleep(2.5)
    writer.append("fault", cause=first, change="open")
    writer.close()
    assert History.read(path).events == [
        Event(0, 0.0, "step", None, {"step": "flood"}),
        Event(1, 2.5, "fault", 0, {"change": "open"}),
    ]


def test_many_threads_write_whole_lines_with_numbers_in_file_order(path: Path) -> None:
    writer = HistoryWriter(path, FakeClock())
    threads = [threading.Thread(target=lambda: [writer.append("sample", text="x" * 500) for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == list(range(400))


def test_observers_see_each_event_after_it_is_written(path: Path) -> None:
    seen: list[tuple[Event, int]] = []
    writer = HistoryWriter(path, FakeClock(), [lambda event: seen.append((event, path.stat().st_size))])
    writer.append("end", status="completed")
    assert seen[0][0]["status"] == "completed"
    assert seen[0][1] == path.stat().st_size > 0
    writer.close()


def test_a_full_disk_leaves_no_torn_line_and_writing_goes_on_when_there_is_room(path: Path) -> None:
    writer = HistoryWriter(path, FakeClock())
    writer.append("lab", text="fits")
    with largest_file(path.stat().st_size + 10), pytest.raises(OSError):
        writer.append("lab", text="does not fit")
    writer.append("end", status="aborted")
    writer.close()
    assert [(event.seq, event.kind) for event in History.read(path).events] == [(0, "lab"), (1, "end")]


def test_a_device_that_is_full_is_an_error_of_the_first_event() -> None:
    writer = HistoryWriter.__new__(HistoryWriter)
    writer.__dict__.update(
        _file=os.open("/dev/full", os.O_WRONLY), _lock=threading.RLock(), _seq=0, _clock=FakeClock(), _start_s=0.0, _observers=()
    )
    with pytest.raises(OSError, match="No space left"):
        writer.append("run")
    os.close(writer._file or 0)


def test_a_closed_history_refuses_and_closing_twice_is_fine(path: Path) -> None:
    writer = HistoryWriter(path, FakeClock())
    writer.close()
    writer.close()
    with pytest.raises(OSError, match="closed"):
        writer.append("end")


def test_a_last_line_cut_short_is_dropped_and_a_broken_one_before_it_is_refused(path: Path) -> None:
    whole = '{"seq":0,"at_s":0,"kind":"run","cause":null}\n'
    path.write_text(whole + '{"seq":1,"at_')
    assert len(History.read(path).events) == 1
    path.write_text('{"seq":1,"at_\n' + whole)
    with pytest.raises(Refused, match="line 1 is not an event"):
        History.read(path)


@pytest.mark.parametrize("line", ["[1]", "7", '{"seq":0}', "nonsense"])
def test_whatever_is_no_event_is_refused(line: str, path: Path) -> None:
    path.write_text(f'{line}\n{{"seq":1,"at_s":0,"kind":"run","cause":null}}\n')
    with pytest.raises(Refused, match="line 1 is not an event"):
        History.read(path)


def test_a_history_that_exists_is_never_written_over(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        HistoryWriter(path, FakeClock())


def test_a_history_that_is_not_there_is_refused_with_what_to_name(path: Path) -> None:
    with pytest.raises(Refused, match="lab judge"):
        History.read(path)


def test_phases_samples_and_targets_are_found_again(path: Path) -> None:
    clock = FakeClock()
    writer = HistoryWriter(path, clock)
    writer.append("phase", phase="steady", state="begin")
    for target in ("b", "a"):
        clock.sleep(1)
        writer.append("sample", series="s", target=target, value=1.0)
    writer.append("phase", phase="steady", state="end")
    writer.append("phase", phase="outage", state="begin")
    clock.sleep(3)
    writer.append("sample", series="s", target="a", value=None, reason="no answer")
    writer.close()
    history = History.read(path)
    assert (history.phase("steady"), history.phase("outage"), history.phase("flood")) == ((0, 2), (2, 5), None)
    assert history.targets("s") == ["a", "b"]
    assert [sample.at_s for sample in history.samples("s")] == [1, 2, 5]
    assert history.samples("s", "a")[-1].reason == "no answer"
