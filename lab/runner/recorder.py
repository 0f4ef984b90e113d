"""The one way into the history of a run: adds the cause, and remembers when the disk no longer takes it."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from lab.core.errors import Aborted
from lab.core.history import HistoryWriter
from lab.runner.causes import Causes


class Recorder:
    """Writes events from any thread.

    Args:
        history: where they go.
        shield: keeps a signal out while a line is written.
    """

    def __init__(self, history: HistoryWriter, shield: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._history = history
        self._shield = shield
        self._causes = Causes()
        self._lock = threading.Lock()
        self._broken: OSError | None = None

    def now_s(self) -> float:
        """The run clock."""
        return self._history.now_s()

    def record(self, kind: str, *, cause: int | None = None, sync: bool = False, at_s: float | None = None, **fields: Any) -> int:
        """Write one event; without a `cause` the likeliest is looked up.

        Raises:
            Aborted: the history could not be written.
        """
        with self._shield(), self._lock:
            known = self._causes.of(kind, fields) if cause is None else cause
            try:
                seq = self._history.append(kind, cause=known, sync=sync, at_s=at_s, **fields)
            except OSError as error:
                self._broken = self._broken or error
                raise self._given_up(error) from error
            self._causes.note(seq, kind, fields)
            return seq

    def emit(self, kind: str, fields: dict[str, Any]) -> None:
        """`Emit` for watches. A history that broke is the main thread's affair: see `check`."""
        if self._broken is None:
            try:
                self.record(kind, **fields)
            except Aborted:
                return

    def check(self) -> None:
        """Raise if any thread found the history broken.

        Raises:
            Aborted: it is.
        """
        if self._broken is not None:
            raise self._given_up(self._broken) from self._broken

    @staticmethod
    def _given_up(error: OSError) -> Aborted:
        return Aborted("write the history", f"{error.strerror or error}", "free disk space, then run again")
