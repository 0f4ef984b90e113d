"""One run at a time on a machine: two would break each other's steady state, and heal each other's faults."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.core.clock import Clock
from lab.core.errors import Refused


@contextmanager
def run_lock(path: Path, clock: Clock) -> Iterator[None]:
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
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps({"pid": os.getpid(), "since": clock.utc().isoformat(timespec="seconds")}).encode(), 0)
        yield
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
