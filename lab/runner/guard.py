"""The runner's end of the watchdog: starts it, tells it of changes, lets it go.

The watchdog lives in its own session and hears of the runner's death by the end of its standard input, which the kernel closes
however the runner dies.
"""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from select import select

import psutil

from lab.core.clock import Clock
from lab.core.errors import Aborted

READY_WITHIN_S = 30.0
"""Chosen: importing the world's clients takes 1-2 s, ten times that on a machine that builds images at the same time."""

END_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class WatchdogSpec:
    """How a watchdog gets at the world.

    Args:
        world: `module:function` that opens the world without arguments.
        faults: `module:table` of the faults.
        ledger: the ledger's file.
        state: folder for `watchdog.jsonl`.
    """

    world: str
    faults: str
    ledger: Path
    state: Path


class Watchdog:
    """One watchdog process; safe to call from several threads."""

    def __init__(self, spec: WatchdogSpec, clock: Clock) -> None:
        self._spec = spec
        self._clock = clock
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False

    def start(self) -> None:
        """Start it; it gets ready while the runner goes on. `ensure` waits for that."""
        with self._lock:
            self._start()

    def ensure(self) -> None:
        """Alive and ready; one that died is started again.

        Raises:
            Aborted: it does not get ready.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            if not self._ready:
                self._await_ready()

    def ledger_changed(self) -> None:
        """Tell it to look at the ledger; it also looks by itself."""
        self._tell(b"l")

    def cpu_s(self) -> float:
        """CPU seconds it has used; 0 if it is gone."""
        with self._lock:
            try:
                times = psutil.Process(self._process.pid).cpu_times() if self._process else None
            except psutil.Error:
                return 0.0
        return times.user + times.system if times else 0.0

    def end(self) -> None:
        """Tell it that the run is over. It exits unless a fault is open; then it goes on, without us, until it has healed."""
        self._tell(b"e")
        with self._lock:
            if self._process is None:
                return
            _close(self._process)
            try:
                self._process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                return
            finally:
                self._process = None

    def _start(self) -> None:
        spec = self._spec
        names = ["--ledger", str(spec.ledger), "--state", str(spec.state), "--world", spec.world, "--faults", spec.faults]
        command = [sys.executable, "-m", "lab.runner.watchdog", *names]
        if self._process is not None:
            _close(self._process)
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, bufsize=0
            )
        except OSError as error:
            raise Aborted("start the watchdog", str(error), "lab doctor") from error
        self._ready = False

    def _await_ready(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            raise Aborted("start the watchdog", "it is not running", "lab doctor")
        until_s = self._clock.now_s() + READY_WITHIN_S
        while (left_s := until_s - self._clock.now_s()) > 0:
            readable, _, _ = select([process.stdout], [], [], min(left_s, 1.0))
            if readable:
                answer = os.read(process.stdout.fileno(), 100)
                self._ready = answer.startswith(b"ready")
                break
        if not self._ready:
            raise Aborted("start the watchdog", f"it is not ready; see {self._spec.state / 'watchdog.jsonl'}", "lab doctor; then run again")

    def _tell(self, word: bytes) -> None:
        """A watchdog that died does not hear; `ensure` starts it again before the next injection."""
        with self._lock:
            if self._process is not None and self._process.stdin is not None and not self._process.stdin.closed:
                try:
                    self._process.stdin.write(word)
                except OSError:
                    return


def _close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
