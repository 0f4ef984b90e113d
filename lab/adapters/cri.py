"""One question to a node's container runtime, over its own socket, as the kubelet would ask it.

The socket of a node's containerd is reached through `/proc/PID/root`, the file tree of the node's first process. Starting a client in the node
(`docker exec NODE ctr version`) takes 0.4-0.8 s and 80 ms of the node's CPU on two cores, half of which would measure the engine on the host, and
weighs on the very nodes that are being starved. This costs one connection and 0.2 ms here.

Speaks just enough of gRPC (HTTP/2, RFC 9113, RFC 7541): one unary call with an empty message, on a connection of its own.
"""

import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lab.core.clock import Clock
from lab.core.errors import Unavailable

SOCKET: Final = "run/containerd/containerd.sock"
_METHOD: Final = b"/runtime.v1.RuntimeService/Version"
"""Kubernetes' CRI, `runtime.v1`; containerd 1.6 and later serve it."""

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _GOAWAY = 0, 1, 4, 7
_END_STREAM, _END_HEADERS = 1, 4
_EMPTY_MESSAGE: Final = bytes(5)
"""gRPC's prefix: not compressed, length 0."""


class Runtime:
    """The container runtime of one node.

    Args:
        pid: the node's first process on the host.
        clock: for the deadline.
        proc: where processes are shown.
    """

    def __init__(self, pid: int, clock: Clock, proc: Path = Path("/proc")) -> None:
        self._path = proc / str(pid) / "root" / SOCKET
        self._clock = clock

    def check(self, timeout_s: float) -> None:
        """Have it tell its version.

        Raises:
            Unavailable: no answer within `timeout_s`, or an error.
        """
        deadline_s = self._clock.now_s() + timeout_s
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connected:
                connected.settimeout(timeout_s)
                connected.connect(str(self._path))
                connected.sendall(request())
                self._await_answer(connected, deadline_s)
        except TimeoutError as error:
            raise Unavailable(f"ask the runtime at {self._path}", f"timed out after {timeout_s:g} s") from error
        except OSError as error:
            raise Unavailable(f"ask the runtime at {self._path}", f"{type(error).__name__}: {error}") from error

    def _await_answer(self, connected: socket.socket, deadline_s: float) -> None:
        received = b""
        while (left_s := deadline_s - self._clock.now_s()) > 0:
            connected.settimeout(left_s)
            more = connected.recv(65536)
            if not more:
                raise ConnectionResetError("the runtime closed the connection")
            received += more
            if answered(received):
                return
        raise TimeoutError


class Runtimes:
    """The runtimes of all nodes, by name.

    Args:
        pid: first process of a node; asked once, and again after a failure, as the node may have been started anew.
        clock: for the deadlines.
        proc: where processes are shown.
    """

    def __init__(self, pid: Callable[[str], int], clock: Clock, proc: Path = Path("/proc")) -> None:
        self._pid = pid
        self._clock = clock
        self._proc = proc
        self._known: dict[str, Runtime] = {}

    def check(self, node: str, timeout_s: float) -> None:
        """Have the runtime of `node` tell its version.

        Raises:
            Unavailable: no answer within `timeout_s`, or an error.
        """
        runtime = self._known.pop(node, None) or Runtime(self._pid(node), self._clock, self._proc)
        runtime.check(timeout_s)
        self._known[node] = runtime


def request() -> bytes:
    """The bytes of the whole call: preface, settings, headers, an empty message."""
    headers = b"".join(
        (
            b"\x83",  # :method POST, entry 3 of HPACK's table
            b"\x86",  # :scheme http, entry 6
            b"\x04" + _text(_METHOD),  # :path, the name of entry 4
            b"\x01" + _text(b"localhost"),  # :authority, the name of entry 1
            b"\x0f\x10" + _text(b"application/grpc"),  # content-type, the name of entry 31
            b"\x00" + _text(b"te") + _text(b"trailers"),
        )
    )
    message = _frame(_DATA, _END_STREAM, 1, _EMPTY_MESSAGE)
    return _PREFACE + _frame(_SETTINGS, 0, 0, b"") + _frame(_HEADERS, _END_HEADERS, 1, headers) + message


def answered(received: bytes) -> bool:
    """True when `received` holds a message; False when more must come.

    Raises:
        ConnectionError: the runtime refuses: the stream ended without a message, or the connection is to be closed.
    """
    at = 0
    while len(received) >= at + 9:
        length = int.from_bytes(received[at : at + 3], "big")
        kind, flags = received[at + 3], received[at + 4]
        if len(received) < at + 9 + length:
            return False
        if kind == _DATA and length > len(_EMPTY_MESSAGE):
            return True
        if kind == _GOAWAY or (kind in (_HEADERS, _DATA) and flags & _END_STREAM):
            raise ConnectionError("the runtime refuses the question")
        at += 9 + length
    return False


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _text(raw: bytes) -> bytes:
    """A string of fewer than 127 bytes, not Huffman-coded."""
    return bytes([len(raw)]) + raw
