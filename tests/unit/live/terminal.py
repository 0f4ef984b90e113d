"""A program in a real pseudo-terminal, with what a person would see and press: the screen by pyte, the keys as bytes."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyte

WITHIN_S = 60.0
"""Chosen: an upper bound for a machine that measures at the same time; what is waited for takes a second."""


class Terminal:
    """One program, one screen."""

    def __init__(self, child: "subprocess.Popen[bytes]", master: int, columns: int, lines: int) -> None:
        self._child = child
        self._master = master
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""

    def lines(self) -> list[str]:
        """What stands on the screen."""
        self._read(0)
        return [line.rstrip() for line in self._screen.display]

    def press(self, keys: str) -> None:
        """As a keyboard would."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """As the window would."""
        self._screen.resize(lines, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.killpg(self._child.pid, signal.SIGWINCH)

    def until(self, seen: Callable[[list[str]], bool]) -> list[str]:
        """The screen once it shows that."""
        return self._until(lambda: seen(self.lines()), "not seen in time")

    def until_text(self, text: str) -> list[str]:
        """The screen once it shows that text."""
        return self.until(lambda lines: text in "\n".join(lines))

    def end(self) -> int:
        """Its exit code."""
        self._until(lambda: self._child.poll() is not None, "no end in time")
        self._read(0)
        return int(self._child.returncode)

    def ended(self) -> bool:
        """Has it?"""
        return self._child.poll() is not None

    def settings(self) -> list[object]:
        """The terminal's settings without its control characters."""
        return list(termios.tcgetattr(self._master)[:6])

    def _until(self, done: Callable[[], bool], failed: str) -> list[str]:
        give_up_s = time.monotonic() + WITHIN_S
        while not done():
            assert time.monotonic() < give_up_s, f"{failed}:\n" + "\n".join(self.lines())
            self._read(0.1)
        return self.lines()

    def _read(self, wait_s: float) -> None:
        while select.select([self._master], [], [], wait_s)[0]:
            try:
                given = os.read(self._master, 65536)
            except OSError:
                return  # the program has closed it
            if not given:
                return
            self.raw += given
            self._stream.feed(given)
            wait_s = 0


@contextmanager
def terminal(
    command: Sequence[str], *, columns: int = 80, lines: int = 24, env: Mapping[str, str] | None = None, cwd: str | None = None
) -> Iterator[Terminal]:
    """Run `command` in a terminal of that size; ended with the block."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    given = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES", "CI"}}
    started = [sys.executable, "-c", _LEADER, *command]
    child = subprocess.Popen(
        started,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**given, "TERM": "xterm-256color", **(env or {})},
        cwd=cwd,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(child, master, columns, lines)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        os.close(master)


_LEADER = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
"""Takes the terminal as its controlling one, as a shell's child has it; then becomes the program."""
