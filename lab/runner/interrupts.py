"""Ctrl-C, SIGTERM and a closed terminal end a run by healing it, never by leaving it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A signal asked the run to end. Not an `Exception`, so that no client's retry swallows it."""


class Interrupts:
    """Turns the first signal into `Interrupted` in the main thread; further ones are counted and change nothing.

    Inside `shielded` the signal waits until the block is left: a line of the history is written whole, a heal is never cut short.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        self._raised = False
        self._shields = 0
        self._final = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals in this block; a signal that is ignored (nohup) stays ignored. Does nothing outside the main thread."""
        before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            before = {number: signal.getsignal(number) for number in _SIGNALS}
            for number, handler in before.items():
                if handler != signal.SIG_IGN:
                    signal.signal(number, self._handle)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Let a signal wait until this block is left."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if not self._raised:
            self.check()

    def no_more(self) -> None:
        """From here on signals are only counted: the run is ending anyway."""
        self._final = True

    def check(self) -> None:
        """Raise what came in while it could not be raised, or was swallowed by someone else's code.

        Raises:
            Interrupted: a signal came and nothing ends the run yet.
        """
        if self.received and not self._shields and not self._final:
            self._raised = True
            raise Interrupted(self.received)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.received = self.received or signal.Signals(number).name
        if not self._raised:
            self.check()
