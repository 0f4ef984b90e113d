"""A tmux server of our own, on its own socket and without anybody's configuration, and what a person sees and presses in it."""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRAM = shutil.which("tmux")
WITHIN_S = 60.0
"""Chosen: as in `terminal.py`."""
LOOK_EVERY_S = 0.2


class Tmux:
    """One window."""

    def __init__(self, socket: Path, env: Mapping[str, str]) -> None:
        given = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES", "CI", "TMUX"}}
        self._command = [str(PROGRAM), "-S", str(socket), "-f", "/dev/null"]
        self._env = {**given, "LC_ALL": "C.UTF-8", **env}

    def call(self, *words: str) -> str:
        """What tmux answers to one of its commands."""
        return subprocess.run([*self._command, *words], capture_output=True, text=True, check=True, env=self._env).stdout

    def press(self, key: str) -> None:
        """As a keyboard would."""
        self.call("send-keys", key)

    def until(self, seen: Callable[[str], bool]) -> str:
        """The window's text once it is like that."""
        give_up_s = time.monotonic() + WITHIN_S
        while not seen(shown := self.call("capture-pane", "-p")):
            assert time.monotonic() < give_up_s, shown
            time.sleep(LOOK_EVERY_S)  # noqa: TID251  # tmux tells nobody that a window has changed
        return shown

    def until_text(self, text: str) -> str:
        """The window's text once that stands in it."""
        return self.until(lambda shown: text in shown)


@contextmanager
def tmux(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Iterator[Tmux]:
    """`command` in a window of 80 x 24, which says its exit code and stays; gone with the block."""
    shown = Tmux(folder / "tmux", env)
    shown.call("-u", "new-session", "-d", "-x", "80", "-y", "24", f'{shlex.join(command)}; echo "ended with $?"; exec sleep 1000')
    try:
        yield shown
    finally:
        shown.call("kill-server")
