"""A program whose life is tied to ours: its own process group, and a pipe that it reads to learn that we are gone.

A parent that is killed cannot tidy up, and PR_SET_PDEATHSIG follows the thread that started the child, not the process. The end of a pipe does.
"""

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.core.errors import Unavailable

TAIL_BYTES = 2_000
"""Chosen: about 25 lines, one screen, in an error message."""


class Leashed:
    """A running program, and the end of the pipe that holds it."""

    def __init__(self, argv: Sequence[str], log: Path, env: Mapping[str, str], leash_variable: str) -> None:
        """Start it.

        Args:
            argv: program and arguments; no shell reads them.
            log: file that both of its streams are appended to.
            env: variables set over the inherited ones.
            leash_variable: environment variable that gets the number of the file descriptor to watch.

        Raises:
            Unavailable: the program cannot be started.
        """
        self._log = log
        theirs, self._ours = os.pipe()
        try:
            with log.open("ab") as sink:
                self._child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                    env={**os.environ, **env, leash_variable: str(theirs)},
                    pass_fds=(theirs,),
                    start_new_session=True,
                )
        except OSError as refused:
            os.close(self._ours)
            raise Unavailable(f"run {shlex.join(argv)}", str(refused)) from refused
        finally:
            os.close(theirs)

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's too."""
        return self._child.pid

    @property
    def code(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self._child.poll()

    def end(self, grace_s: float) -> None:
        """SIGTERM to the group, SIGKILL after `grace_s`, and reap. Idempotent."""
        for sign, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
            if self._child.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(wait_s)
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def tail(self) -> str:
        """The last that it said."""
        with self._log.open("rb") as said:
            said.seek(max(0, self._log.stat().st_size - TAIL_BYTES))
            return said.read().decode(errors="replace").strip()
