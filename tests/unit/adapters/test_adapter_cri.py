"""The question to a runtime, against a socket that answers, refuses, hangs and is not there."""

import socket
import threading
from contextlib import contextmanager

import pytest

from lab.adapters.clock import SystemClock
from lab.adapters.cri import SOCKET, Runtimes, answered, request
from lab.core.errors import Unavailable

SETTINGS = bytes.fromhex("000000040000000000")
HEADERS = bytes.fromhex("000001010400000001") + b"\x88"
MESSAGE = bytes.fromhex("000009000000000001") + bytes.fromhex("0000000004") + b"v1.6"
TRAILERS = bytes.fromhex("000001010500000001") + b"\x88"
GOAWAY = bytes.fromhex("000008070000000000") + bytes(8)


@contextmanager
def runtime(proc, pid, *pieces, hang=False):
    """A runtime behind the file tree of process `pid` that answers one call with `pieces`."""
    path = proc / str(pid) / "root" / SOCKET
    path.parent.mkdir(parents=True)
    release, asked = threading.Event(), []

    def serve(listener):
        connected, _ = listener.accept()
        with connected:
            while sum(map(len, asked)) < len(request()):
                asked.append(connected.recv(4096))
            for piece in pieces:
                connected.sendall(piece)
            release.wait(5 if hang else 0)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield asked
        release.set()
        thread.join(5)


def runtimes(proc):
    return Runtimes({"n1": 7, "n2": 8}.__getitem__, SystemClock(), proc)


@pytest.fixture
def proc(tmp_path_factory):
    """A short path: a socket's may have 107 characters."""
    return tmp_path_factory.mktemp("p")


def test_a_message_in_pieces_is_an_answer(proc):
    whole = SETTINGS + HEADERS + MESSAGE + TRAILERS
    with runtime(proc, 7, whole[:12], whole[12:25], whole[25:]) as asked:
        runtimes(proc).check("n1", 2)
    assert b"".join(asked) == request()
    assert b"/runtime.v1.RuntimeService/Version" in request()


@pytest.mark.parametrize("refusal", [SETTINGS + TRAILERS, SETTINGS + GOAWAY])
def test_a_refusal_is_unavailable(proc, refusal):
    with runtime(proc, 7, refusal), pytest.raises(Unavailable, match="refuses"):
        runtimes(proc).check("n1", 2)


def test_a_runtime_that_hangs_up_is_unavailable(proc):
    with runtime(proc, 7, SETTINGS), pytest.raises(Unavailable, match="closed the connection"):
        runtimes(proc).check("n1", 2)


def test_a_runtime_that_accepts_and_is_silent_is_a_time_out(proc):
    with runtime(proc, 7, SETTINGS, hang=True), pytest.raises(Unavailable) as failure:
        runtimes(proc).check("n1", 0.1)
    assert failure.value.came_back == "timed out after 0.1 s"


def test_after_a_failure_the_node_is_looked_for_again(proc):
    pids = [7, 8]
    found = Runtimes(lambda _: pids.pop(0), SystemClock(), proc)
    with pytest.raises(Unavailable, match="FileNotFoundError"):
        found.check("n1", 1)
    with runtime(proc, 8, SETTINGS + HEADERS + MESSAGE):
        found.check("n1", 2)
    assert pids == []


def test_half_a_frame_is_no_answer_yet():
    whole = SETTINGS + HEADERS + MESSAGE
    assert [answered(whole[:length]) for length in (0, 5, 12, len(whole) - 1, len(whole))] == [False] * 4 + [True]
