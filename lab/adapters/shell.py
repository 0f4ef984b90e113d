"""Run programs: with a time-out, with a log file, and with errors that hold the command.

Every child gets its own session, so that a time-out or an interrupt ends the whole tree below it.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lab.core.errors import LabError, Unavailable

OUTPUT_BYTES_MAX = 16 * 1024 * 1024
"""Chosen: `docker inspect` of a whole cluster is below 1 MB; more than this is a mistake, and memory is the node's."""

TAIL_BYTES = 2_000
"""Chosen: about 25 lines, one screen, in an error message."""

GRACE_S = 5.0
"""Chosen: SIGTERM, then SIGKILL after this many seconds; Maven and Docker clients leave within one."""

_live: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that ended: its exit code, what it printed (both streams when logged), and how long it took in seconds."""

    code: int
    out: str
    err: str
    took_s: float


def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | Path | None = None,
) -> str:
    """Run to the end and return its standard output; raise when it fails.

    Args:
        argv: program and arguments; no shell reads them.
        timeout_s: seconds until the program and its children are ended.
        log: file that both streams are appended to; then the return value is empty.
        env: variables set over the inherited ones.
        cwd: folder to run in.
        stdin: bytes, or a file, to read; nothing when left out.

    Raises:
        LabError: exit code not zero, with the tail of the output.
        Unavailable: the program does not exist, or did not end in time.
    """
    ran = attempt(argv, timeout_s=timeout_s, log=log, env=env, cwd=cwd, stdin=stdin)
    if ran.code != 0:
        shown = (ran.err.strip() or ran.out.strip())[-TAIL_BYTES:]
        hint = f"read {log}" if log else f"try it by hand: {shlex.join(argv)}"
        raise LabError(f"run {shlex.join(argv)}", f"exit {ran.code}: {shown}", hint)
    return ran.out


def attempt(
    argv: Sequence[str],
    *,
    timeout_s: float,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | Path | None = None,
) -> Ran:
    """Like `run`, but a failing exit code is an answer, not an error."""
    with _sinks(log) as (out, err), _source(stdin) as given:
        start = time.monotonic()
        child = _start(argv, given, out, err, env, cwd)
        try:
            code = child.wait(timeout_s)
        except subprocess.TimeoutExpired as late:
            _end(child)
            seen = _tail(log) if log else _read(err)[-TAIL_BYTES:]
            raise Unavailable(f"run {shlex.join(argv)}", f"no end after {timeout_s:.0f} s: {seen}") from late
        finally:
            _end(child)
        took_s = time.monotonic() - start
        if log:
            return Ran(code, "", _tail(log) if code else "", took_s)
        return Ran(code, _read(out), _read(err), took_s)


def pipe(
    left: Sequence[str], right: Sequence[str], *, timeout_s: float, log: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Feed one program's output to the next, without a file between; raise when either fails.

    Args:
        left: writes to its standard output.
        right: reads it.
        timeout_s: seconds for both together.
        log: takes what the right one prints and what the left one complains about.
        env: variables set over the inherited ones.
    """
    said = f"run {shlex.join(left)} | {shlex.join(right)}"
    with _sinks(log) as (out, err):
        first = _start(left, subprocess.DEVNULL, subprocess.PIPE, err, env, None)
        second = _start(right, first.stdout, out, err, env, None)
        assert first.stdout is not None
        first.stdout.close()
        try:
            codes = (second.wait(timeout_s), first.wait(timeout_s))
        except subprocess.TimeoutExpired as late:
            raise Unavailable(said, f"no end after {timeout_s:.0f} s") from late
        finally:
            _end(first)
            _end(second)
        if any(codes):
            raise LabError(said, f"exits {codes[1]} and {codes[0]}: {_tail(log) if log else _read(err)[-TAIL_BYTES:]}")


def spawn(argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Start a program that outlives us, in its own session, and return its pid."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        try:
            child = subprocess.Popen(  # the point is that nobody waits for it
                argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=_merged(env), start_new_session=True
            )
        except FileNotFoundError as missing:
            raise Unavailable(f"run {shlex.join(argv)}", f"{argv[0]} is not installed") from missing
    _watch(child)
    return child.pid


def found(program: str) -> Path | None:
    """Where a program is, or None; looks in the system's sbin folders too, which a user's PATH may lack."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    place = shutil.which(program, path=path)
    return Path(place) if place else None


def end_all() -> None:
    """End every program that `run` or `pipe` of any thread still waits for; for the main thread, on an interrupt."""
    with _lock:
        living = list(_live)
    for child in living:
        _end(child)


def _watch(child: subprocess.Popen[bytes]) -> None:
    """Reap a detached child if it ends before we do; else it would stay a zombie for as long as we live."""
    threading.Thread(target=child.wait, daemon=True, name=f"reap-{child.pid}").start()


def _merged(env: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, **(env or {})}


def _start(
    argv: Sequence[str],
    stdin: IO[bytes] | int | None,
    out: IO[bytes] | int,
    err: IO[bytes] | int,
    env: Mapping[str, str] | None,
    cwd: Path | None,
) -> subprocess.Popen[bytes]:
    try:
        child = subprocess.Popen(argv, stdin=stdin, stdout=out, stderr=err, env=_merged(env), cwd=cwd, start_new_session=True)
    except OSError as refused:
        raise Unavailable(f"run {shlex.join(argv)}", str(refused)) from refused
    with _lock:
        _live.add(child)
    return child


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child and all that share its session's process group; fine when it has ended."""
    with _lock:
        _live.discard(child)
    if child.poll() is not None:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
            return


@contextlib.contextmanager
def _sinks(log: Path | None) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as both:
            yield both, both
        return
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        yield out, err


@contextlib.contextmanager
def _source(stdin: bytes | Path | None) -> Iterator[IO[bytes] | int]:
    if stdin is None:
        yield subprocess.DEVNULL
    elif isinstance(stdin, Path):
        with stdin.open("rb") as given:
            yield given
    else:
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            yield given


def _read(sink: IO[bytes]) -> str:
    sink.seek(0)
    return sink.read(OUTPUT_BYTES_MAX).decode(errors="replace")


def _tail(log: Path) -> str:
    with log.open("rb") as made:
        made.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return made.read().decode(errors="replace").strip()
