"""What a person sees while the lab works: live lines on a terminal, plain lines anywhere else.

A step is failed unless its block ends cleanly, and always shows the elapsed time and, where there is one, the allowed time.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn

from lab.adapters.clock import SystemClock
from lab.core.clock import Clock
from lab.core.errors import LabError

PLAIN_REMINDER_S = 30.0
"""Chosen: without a terminal a long step speaks this often, so that a CI log shows life and stays short."""


@dataclass
class _Open:
    console: "LabConsole"
    title: str
    allowed_s: float | None
    started_s: float
    detail: str = ""
    task: int | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def say(self, text: str) -> None:
        """Replace the detail."""
        self.detail = text
        self.console.refresh(self)


class LabConsole:
    """`Progress` on Rich. Safe from several threads."""

    def __init__(self, clock: Clock, console: Console | None = None) -> None:
        self._clock = clock
        self.rich = console or Console(highlight=False, soft_wrap=True)
        self._lock = threading.Lock()
        self._bars: Bars | None = None
        self._open = 0

    @contextmanager
    def step(self, title: str, allowed_s: float | None = None) -> Iterator[_Open]:
        """One piece of work; see `lab.core.progress`."""
        opened = _Open(self, title, allowed_s, self._clock.now_s())
        self._begin(opened)
        good = False
        try:
            yield opened
            good = True
        finally:
            self._end(opened, good)

    def line(self, text: str) -> None:
        """One plain line."""
        self.rich.print(text, markup=False)

    def error(self, error: LabError) -> None:
        """What was tried, what came back, what to do next."""
        self.rich.print(f"[bold red]✗[/] {_escape(str(error))}")

    def refresh(self, opened: _Open) -> None:
        """Show the step's newest detail; the live line does so by itself."""
        if self._bars is not None and opened.task is not None:
            self._bars.update(opened.task, description=opened.title, detail=opened.detail, clock=self._times(opened))  # type: ignore[arg-type]

    def _begin(self, opened: _Open) -> None:
        if not self.rich.is_terminal:
            threading.Thread(target=self._remind, args=(opened,), daemon=True).start()
            return
        with self._lock:
            if self._bars is None:
                columns = (
                    SpinnerColumn(),
                    TextColumn("{task.description}"),
                    TextColumn("[dim]{task.fields[clock]}"),
                    TextColumn("[dim]{task.fields[detail]}"),
                )
                self._bars = Bars(*columns, console=self.rich, transient=True, refresh_per_second=4)
                self._bars.start()
            self._open += 1
            opened.task = self._bars.add_task(opened.title, total=None, detail="", clock="")
        threading.Thread(target=self._tick, args=(opened,), daemon=True).start()

    def _end(self, opened: _Open, good: bool) -> None:
        opened.ended.set()
        with self._lock:
            if self._bars is not None and opened.task is not None:
                self._bars.remove_task(opened.task)  # type: ignore[arg-type]
                self._open -= 1
                if self._open == 0:
                    self._bars.stop()
                    self._bars = None
        mark = "[green]✓[/]" if good else "[red]✗[/]"
        detail = f" [dim]{_escape(opened.detail)}[/]" if opened.detail else ""
        self.rich.print(f"{mark} {_escape(opened.title)} [dim]{self._times(opened)}[/]{detail}")

    def _times(self, opened: _Open) -> str:
        elapsed = self._clock.now_s() - opened.started_s
        return f"{elapsed:.1f} s" + (f" of {opened.allowed_s:.0f} s allowed" if opened.allowed_s else "")

    def _tick(self, opened: _Open) -> None:
        while not opened.ended.wait(0.5):
            self.refresh(opened)

    def _remind(self, opened: _Open) -> None:
        while not opened.ended.wait(PLAIN_REMINDER_S):
            detail = f": {opened.detail}" if opened.detail else ""
            self.line(f"… {opened.title} {self._times(opened)}{detail}")


def terminal() -> LabConsole:
    """The terminal."""
    return LabConsole(SystemClock())


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
