"""One run at a time on a machine: two would break each other's steady state, and heal each other's faults."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.core.clock import Clock
from lab.core.errors import Refused


class Held:
    """The lock while it is held; what its file says is for others to read."""

    def __init__(self, file: int, clock: Clock) -> None:
        self._file = file
        self._since = clock.utc().isoformat(timespec="seconds")
        self._write({})

    def note_run(self, folder: Path) -> None:
        """Say which run holds it, so that others can watch."""
        self._write({"run": str(folder.absolute())})

    def _write(self, more: dict[str, str]) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps({"pid": os.getpid(), "since": self._since, **more}).encode(), 0)


@contextmanager
def run_lock(path: Path, clock: Clock) -> Iterator[Held]:
    """Hold the lock file `path` in this block. The kernel lets go of it when the process ends, however it ends.

    Raises:
        Refused: another process holds it, or it cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Refused(
            f"take the lock {path}", error.strerror or str(error), "run as the user who made the lab, on a disk with space"
        ) from error
    try:
        _take(file, path)
        yield Held(file, clock)
    finally:
        os.close(file)


def _take(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(file, 1000, 0).decode(errors="replace")
        try:
            noted = json.loads(holder)
            who = f"process {noted['pid']} has used it since {noted['since']}"
        except (ValueError, KeyError, TypeError):
            who = "another process holds the lock"
        raise Refused(f"use the lab (lock {path})", who, "wait for it to end, or end it with Ctrl-C") from error


def running(path: Path) -> Path | None:
    """The folder of the run that holds the lock file `path` now; None if none does. Changes nothing."""
    if not is_held(path):
        return None
    try:
        return Path(json.loads(path.read_text(encoding="utf-8"))["run"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_held(path: Path) -> bool:
    """Does a living process hold the lock file `path`? Changes nothing."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False
