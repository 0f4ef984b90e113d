"""Keys while the view is on: pause the drawing, abort the run, help. The terminal is put back as it was, however the block ends."""

import os
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from select import select

LOOK_EVERY_S = 0.5
"""Chosen: how long the end of a run waits for the thread that reads keys; a key itself is seen at once."""


class Keys:
    """What was pressed, as state; knows no terminal.

    Args:
        abort: ends the run; None where there is no run to end.
        leave: ends the watching; None where the run is this process's own.
    """

    def __init__(self, abort: Callable[[], None] | None = None, leave: Callable[[], None] | None = None) -> None:
        self._abort = abort
        self._leave = leave
        self._heard = False
        self._asks = False
        self._ending = False
        self._explains = False
        self._over = False
        self.paused = False

    def listen(self) -> None:
        """There is a keyboard."""
        self._heard = True

    def over(self) -> None:
        """The run has ended; the last picture shows no keys."""
        self._over = True
        self.paused = self._explains = False

    def press(self, key: str) -> None:
        """One key."""
        if self._asks:
            self._asks = False
            if key == "y" and self._abort is not None:
                self._ending = True
                self._abort()
        elif self._explains or key == "?":
            self._explains = not self._explains
        elif key == "p":
            self.paused = not self.paused
        elif key == "a" and self._abort is not None and not self._ending:
            self._asks = True
        elif key == "q" and self._leave is not None:
            self._leave()

    def line(self) -> str:
        """The last line of the screen."""
        if not self._heard or self._over:
            return ""
        if self._ending:
            return "ending the run: every fault is healed first"
        if self._asks:
            return "abort the run? It is healed first. y: yes, any other key: no"
        if self._explains:
            return "any key: back"
        if self.paused:
            return "PAUSED: the drawing only, all else goes on. p: go on"
        return ", ".join(f"{key}: {told}" for key, told in self._known())

    def help(self) -> Sequence[tuple[str, str]]:
        """The keys explained, while help is asked for."""
        if not self._explains:
            return ()
        told = {
            "p": "pause the drawing, never the run",
            "a": "end the run: heal everything, then judge what was seen",
            "q": "stop watching; the run goes on",
        }
        return [*((key, told.get(key, words)) for key, words in self._known()), ("Ctrl-C", told["a" if self._abort else "q"])]

    def _known(self) -> list[tuple[str, str]]:
        abort = [("a", "abort")] if self._abort is not None else []
        leave = [("q", "quit")] if self._leave is not None else []
        return [("p", "pause"), *abort, *leave, ("?", "help")]


@contextmanager
def read_keys(keys: Keys, changed: Callable[[], None]) -> Iterator[None]:
    """Hand what is typed to `keys` while this block lasts; without a keyboard of our own nothing is read.

    Args:
        keys: told of each key.
        changed: called after each: draw anew.
    """
    if not _ours():
        yield
        return
    place = sys.stdin.fileno()
    before = termios.tcgetattr(place)
    ended = threading.Event()
    reader = threading.Thread(target=_read, args=(place, keys, changed, ended), name="keys", daemon=True)
    try:
        tty.setcbreak(place, termios.TCSANOW)  # signals of the keyboard stay on: Ctrl-C is Ctrl-C
        keys.listen()
        reader.start()
        yield
    finally:
        ended.set()
        if _ours():
            termios.tcsetattr(place, termios.TCSANOW, before)
        reader.join(2 * LOOK_EVERY_S)


def _read(place: int, keys: Keys, changed: Callable[[], None], ended: threading.Event) -> None:
    while not ended.is_set():
        readable, _, _ = select([place], [], [], LOOK_EVERY_S)
        if not readable or ended.is_set():
            continue
        if not _ours():  # in the background a read would stop the whole run (SIGTTIN)
            ended.wait(LOOK_EVERY_S)
            continue
        typed = os.read(place, 64)
        if not typed:
            return
        for key in typed.decode(errors="ignore"):
            keys.press(key)
        changed()


def _ours() -> bool:
    """Is standard input a terminal, and are we in its foreground?"""
    try:
        place = sys.stdin.fileno()
        return os.isatty(place) and os.tcgetpgrp(place) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False
