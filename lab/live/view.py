"""The view on a terminal, or as plain lines anywhere else; the same in a run and in `lab watch`."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from lab.core.history import Event
from lab.live.frame import Line, Page, figures, frame, pods
from lab.live.keys import Keys, read_keys
from lab.live.lights import LightsProcess
from lab.live.model import Light, Model, Picture
from lab.live.strips import ASCII, UNICODE, Glyphs

REFRESH_HZ = 1
"""Chosen: the picture counts in seconds; each drawing is milliseconds of CPU that the probes need."""
LINE_EVERY_S = 10.0
"""Chosen: without a terminal so much of a run passes between two lines, so that a CI log stays short."""
SPARE_LINES = 2
"""Left free below the picture: for the steps that the run shows itself, and for the cursor."""


class Screen:
    """Draws itself when Rich asks, so that nothing is drawn between two refreshes."""

    def __init__(self, model: Model, console: Console, keys: Keys) -> None:
        self._model = model
        self._console = console
        self.keys = keys
        self._glyphs = glyphs(console)
        self._seen = (0.0, console.get_time())
        self._frozen: Picture | None = None

    def see(self, event: Event) -> None:
        """Observer."""
        self._model.see(event)
        self._seen = (event.at_s, self._console.get_time())

    def judged(self, lights: Sequence[Light]) -> None:
        """The links have changed."""
        self._model.judged(lights)

    def __rich__(self) -> RenderableType:
        """The picture. Rich also draws it when the run prints a line, so what goes wrong here must not reach the run."""
        try:
            return self._drawn()
        except Exception as error:  # noqa: BLE001  # see above
            return Text(f"no picture ({type(error).__name__}: {error}); the run goes on")

    def _drawn(self) -> RenderableType:
        at_s, seen_s = self._seen
        if not self.keys.paused:
            self._frozen = None
        elif self._frozen is None:
            self._frozen = self._model.picture(at_s + self._console.get_time() - seen_s)
        picture = self._frozen or self._model.picture(at_s + self._console.get_time() - seen_s)
        return drawn(picture, self._console, self._glyphs, self.keys.line(), self.keys.help())


class Lines:
    """Without a terminal: few lines, each whole."""

    def __init__(self, model: Model, console: Console) -> None:
        self._model = model
        self._console = console
        self._next_s = LINE_EVERY_S
        self._lock = threading.Lock()

    def see(self, event: Event) -> None:
        """Observer."""
        said = self._model.see(event)
        if said:
            self._line(event.at_s, said)
        elif event.at_s >= self._next_s:
            self._next_s = event.at_s + LINE_EVERY_S
            self._line(event.at_s, summary(self._model.picture(event.at_s)))

    def judged(self, lights: Sequence[Light]) -> None:
        """The links have changed."""
        for said in self._model.judged(lights):
            self._line(self._model.at_s, said)

    def _line(self, at_s: float, text: str) -> None:
        with self._lock:
            self._console.print(f"{at_s:6.0f} s  {text}", markup=False, highlight=False, soft_wrap=True)


class View:
    """What a run hands its events to, and tells its folder."""

    def __init__(self, face: Screen | Lines, console: Console) -> None:
        self._face = face
        self._console = console
        self._lights: LightsProcess | None = None
        self._gave_up = False

    @property
    def observers(self) -> tuple[Callable[[Event], None], ...]:
        """For the run's history."""
        return (self.see,)

    def see(self, event: Event) -> None:
        """Observer that never raises."""
        self._guarded(lambda: self._face.see(event))

    def judged(self, lights: Sequence[Light]) -> None:
        """The links have changed. Never raises."""
        self._guarded(lambda: self._face.judged(lights))

    def opened(self, folder: Path) -> None:
        """The run has its folder: from here on its links are judged. A view that cannot have that goes on without: no run fails for it."""
        with contextlib.suppress(OSError):
            self._lights = LightsProcess(folder, self.judged)

    def cpu_s(self) -> float:
        """CPU seconds of the process that judges the links."""
        return 0.0 if self._lights is None else self._lights.cpu_s()

    def close(self) -> None:
        """No more."""
        if self._lights is not None:
            self._lights.close()

    def _guarded(self, show: Callable[[], object]) -> None:
        """A view that cannot show something gives up, says so once, and the run goes on: healing matters more than a picture."""
        if self._gave_up:
            return
        try:
            show()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # SystemExit: what Rich makes of a pipe that nobody reads any more
            self._gave_up = True
            with contextlib.suppress(Exception, SystemExit):
                self._console.print(f"the live view gave up ({type(error).__name__}: {error}); the run goes on", markup=False)


@contextmanager
def live_view(console: Console, abort: Callable[[], None] | None = None) -> Iterator[View]:
    """The view of a run of this process, shown on `console` while this block lasts.

    Args:
        console: the terminal.
        abort: what the key for it does; Ctrl-C when left out, which ends a run by healing it.
    """
    model = Model()
    if not drawable(console):
        view = View(Lines(model, console), console)
        try:
            yield view
        finally:
            view.close()
        return
    keys = Keys(abort=abort or _interrupt)
    screen = Screen(model, console, keys)
    view = View(screen, console)
    with Live(screen, console=console, refresh_per_second=REFRESH_HZ) as live, read_keys(keys, live.refresh):
        try:
            yield view
        finally:
            view.close()
            keys.over()


def drawable(console: Console) -> bool:
    """Can a picture be drawn there, and drawn over?"""
    return console.is_terminal and not console.is_dumb_terminal


def glyphs(console: Console) -> Glyphs:
    """The characters that the terminal can show."""
    return UNICODE if console.encoding.startswith("utf") else ASCII


def drawn(picture: Picture, console: Console, signs: Glyphs, keys: str = "", help_lines: Sequence[tuple[str, str]] = ()) -> RenderableType:
    """The picture in the size that the terminal has now; a column is left free, as some terminals wrap at the last one."""
    page = Page(console.size.width - 1, max(console.size.height - SPARE_LINES, 1), signs, keys, help_lines)
    return Drawn(frame(picture, page))


class Drawn:
    """Lines that have their size already: Rich colours them and measures nothing, which is most of what a drawing would cost."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's protocol."""
        for number, line in enumerate(self._lines):
            if number:
                yield Segment.line()
            for text, style in line:
                yield Segment(text, console.get_style(style) if style else None)


def summary(picture: Picture) -> str:
    """A picture in one line."""
    down = sorted(name for name, told in picture.nodes.items() if told[-1][1] != "True")
    ready = f"{len(picture.nodes) - len(down)} of {len(picture.nodes)} Ready{' (not: ' + ', '.join(down) + ')' if down else ''}"
    beside = figures(picture)
    allowed = "" if picture.phase_allowed_s is None else f" of {picture.phase_allowed_s:.0f} s"
    parts = [
        f"{'SIMULATED, ' if picture.simulated else ''}phase: {picture.phase}, {picture.phase_s:.0f} s{allowed}",
        f"nodes: {ready if picture.nodes else '?'}",
        f"pods: {pods(picture)}",
        f"Consul read p99: {beside['p99']}",
        f"members: {beside['members']}",
        f"log backlog: {beside['backlog']}",
        f"open faults: {', '.join(f'{one.name} ({one.change})' for one in picture.faults) or 'none'}",
        *([f"left: {picture.left_s:.0f} s"] if picture.left_s is not None else []),
    ]
    return " | ".join(parts)


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)
