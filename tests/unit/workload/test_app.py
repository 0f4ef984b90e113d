import json
import socket
from types import SimpleNamespace

import pytest

from lab.core.tally import parse
from lab.workload.delivered import LINE


def lines(programs: SimpleNamespace) -> list[dict[str, object]]:
    return [json.loads(line) for line in (programs.folder / "app.log").read_bytes().splitlines()]


def tally(programs: SimpleNamespace):
    return parse((programs.folder / "tally" / "app-1").read_bytes())


def test_every_line_carries_its_pod_and_the_next_number(programs):
    log = programs.app.LogFile()
    log.log(2, "a")
    log.log(1, "b")
    assert [(line["pod"], line["seq"]) for line in lines(programs)] == [("app-1", 1), ("app-1", 2), ("app-1", 3)]


def test_lines_have_about_200_bytes_and_begin_as_the_lab_looks_for_them(programs):
    programs.app.LogFile().log(12, "GET / 200")
    for line in (programs.folder / "app.log").read_bytes().splitlines():
        assert 190 <= len(line) <= 205
        assert LINE.match(line)


def test_the_tally_follows_the_file(programs):
    programs.app.LogFile().log(5, "a")
    counted = tally(programs)
    assert (counted.written_lines, counted.written_bytes) == (5, (programs.folder / "app.log").stat().st_size)


def test_a_restart_goes_on_without_gap_or_repeat(programs):
    programs.app.LogFile().log(3, "a")
    programs.app.LogFile().log(2, "b")
    assert [line["seq"] for line in lines(programs)] == [1, 2, 3, 4, 5]


def test_half_a_line_left_by_a_kill_is_cut_off(programs):
    programs.app.LogFile().log(3, "a")
    path = programs.folder / "app.log"
    path.write_bytes(path.read_bytes()[:-7])
    programs.app.LogFile().log(1, "b")
    assert [line["seq"] for line in lines(programs)] == [1, 2, 3]
    assert tally(programs).written_lines == 3


def test_a_write_that_fails_leaves_no_line_behind(programs, monkeypatch):
    log = programs.app.LogFile()
    log.log(2, "a")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(programs.app.os, "write", full)
        with pytest.raises(OSError, match="space"):
            log.log(2, "b")
    log.log(1, "c")
    assert [line["seq"] for line in lines(programs)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("target", "status", "written"),
    [
        ("/", "200", 20),
        ("/log?lines=7", "200", 7),
        ("/log?lines=50001", "400", 0),
        ("/log?lines=-1", "400", 0),
        ("/log", "400", 0),
        ("/count", "200", 0),
        ("/healthz", "200", 0),
        ("/else", "404", 0),
    ],
)
def test_paths(programs, target, status, written):
    log = programs.app.LogFile()
    assert programs.app.answer(log, target)[0].startswith(status)
    assert log.written == written


def test_count_tells_what_was_written(programs):
    log = programs.app.LogFile()
    log.log(4, "a")
    assert json.loads(programs.app.answer(log, "/count")[1]) == {"pod": "app-1", "written": 4}


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", b"200"),
        (b"POST / HTTP/1.1\r\n\r\n", b"405"),
        (b"\r\n\r\n", b"405"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", b"404"),
    ],
)
def test_each_request_gets_one_answer_that_closes_the_connection(programs, request_head, status):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(request_head)
        programs.app.serve(programs.app.LogFile(), theirs)
        answer = ours.recv(4096)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in answer
