"""What a person sees while a run lasts, drawn from the events of its history alone: it asks the system nothing.

On a terminal one screen, twice a second; anywhere else plain lines, one every 10 s and one for each change of phase or fault.
"""

import math
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lab.core.experiment import Experiment
from lab.core.history import Event, Observer

REFRESH_HZ = 2
"""Chosen: often enough to look alive; each drawing costs about a millisecond of CPU that the probes need."""

LINE_EVERY_S = 10.0
P99_OVER_S = 60.0
"""Chosen: p99 over the last minute: at one read a second it is the slowest of 60."""


class Picture:
    """The newest of everything; `see` is an observer of the history."""

    def __init__(self, experiment: Experiment) -> None:
        recover_s = experiment.recovery_s
        self._allowed_s = {"steady": experiment.steady_s, "outage": experiment.outage_s, "flood": experiment.flood_s, "recovery": recover_s}
        self._lock = threading.Lock()
        self._values: dict[tuple[str, str], float | None] = {}
        self._nodes: dict[str, str] = {}
        self._reads: deque[tuple[float, float]] = deque(maxlen=1000)
        self._faults: dict[str, str] = {}
        self.at_s = 0.0
        self.phase = "start"
        self._phase_s = 0.0

    def see(self, event: Event) -> str | None:
        """Note an event; a sentence if it is one worth a line."""
        with self._lock:
            self.at_s = max(self.at_s, event.at_s)
            match event.kind:
                case "sample":
                    self._see_sample(event)
                case "node":
                    self._nodes[event["node"]] = event["ready"]
                case "phase" if event["state"] == "begin":
                    self.phase, self._phase_s = event["phase"], event.at_s
                    return f"phase {self.phase}{self._allowance()}"
                case "fault":
                    return self._see_fault(event)
                case "end":
                    self.phase = event["status"]
                    return f"run {event['status']}{': ' if event['reason'] else ''}{event['reason']}"
                case _:
                    return None
            return None

    def rows(self, now_s: float) -> list[tuple[str, str]]:
        """Label and value, top to bottom.

        Args:
            now_s: run clock; the newest event is older when all is quiet.
        """
        with self._lock:
            at_s = max(self.at_s, now_s)
            return [
                ("phase", f"{self.phase}, {at_s - self._phase_s:.0f} s{self._allowance()}"),
                ("nodes", self._ready()),
                ("pods", self._listed("lab", "pods_running", "pods_pending", "pods_terminating", "evictions_total")),
                ("Consul read p99", self._p99(at_s)),
                ("members", self._listed("pool", "members_alive", "members_failed", "members_left")),
                ("log backlog", _size(self._values.get(("log_backlog_bytes_max", "pod-max")))),
                ("open faults", ", ".join(f"{name} ({change})" for name, change in self._faults.items()) or "none"),
            ]

    def _see_sample(self, event: Event) -> None:
        self._values[event["series"], event["target"]] = event["value"]
        if event["series"] == "agent_read_ms" and event["value"] is not None:
            self._reads.append((event.at_s, event["value"]))

    def _see_fault(self, event: Event) -> str:
        name = event["fault"]
        self._faults[name] = event["change"]
        if event["change"] == "closed":
            del self._faults[name]
        return f"fault {name} on {event['target']}: {event['change']}"

    def _allowance(self) -> str:
        allowed_s = self._allowed_s.get(self.phase)
        return "" if allowed_s is None else f" of {allowed_s:.0f} s"

    def _ready(self) -> str:
        if self._nodes:
            down = sorted(name for name, ready in self._nodes.items() if ready != "True")
            return f"{len(self._nodes) - len(down)} of {len(self._nodes)} Ready{' (not: ' + ', '.join(down) + ')' if down else ''}"
        return self._listed("cluster", "nodes_not_ready")

    def _listed(self, target: str, *names: str) -> str:
        known = [(name.removesuffix("_total"), self._values.get((name, target))) for name in names]
        words = (f"{value:.0f} {(name.partition('_')[2] or name).replace('_', ' ')}" for name, value in known if value is not None)
        return ", ".join(words) or "?"

    def _p99(self, now_s: float) -> str:
        values = sorted(value for at_s, value in self._reads if now_s - at_s <= P99_OVER_S)
        return f"{nearest_rank(values, 0.99):.1f} ms" if values else "?"


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the `ordered` values do not exceed (nearest-rank percentile)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _size(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value / 1000:.1f} kB in the fullest pod"


class _Screen:
    """Draws itself when Rich asks, so that nothing is drawn between two refreshes."""

    def __init__(self, picture: Picture, title: str, console: Console) -> None:
        self._picture = picture
        self._title = title
        self._console = console
        self._seen = (0.0, console.get_time())

    def see(self, event: Event) -> None:
        """Observer."""
        self._picture.see(event)
        self._seen = (event.at_s, self._console.get_time())

    def __rich__(self) -> RenderableType:
        at_s, seen_s = self._seen
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        for label, value in self._picture.rows(at_s + self._console.get_time() - seen_s):
            table.add_row(label, _coloured(label, value))
        return Panel(table, title=self._title, title_align="left", expand=False)


def _coloured(label: str, value: str) -> Text:
    return Text(value, style="yellow" if (label == "open faults" and value != "none") or "not:" in value else "")


class _Lines:
    """Without a terminal: few lines, each whole."""

    def __init__(self, picture: Picture, console: Console) -> None:
        self._picture = picture
        self._console = console
        self._next_s = LINE_EVERY_S

    def see(self, event: Event) -> None:
        """Observer."""
        said = self._picture.see(event)
        if said:
            self._line(event.at_s, said)
        elif event.at_s >= self._next_s:
            self._next_s = event.at_s + LINE_EVERY_S
            self._line(event.at_s, " | ".join(f"{label}: {value}" for label, value in self._picture.rows(event.at_s)))

    def _line(self, at_s: float, text: str) -> None:
        self._console.print(f"{at_s:6.0f} s  {text}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def live_view(console: Console, experiment: Experiment) -> Iterator[tuple[Observer, ...]]:
    """The observers to hand to the run; what they see is shown on `console` while this block lasts."""
    picture = Picture(experiment)
    if not console.is_terminal:
        yield (_Lines(picture, console).see,)
        return
    screen = _Screen(picture, experiment.name, console)
    with Live(screen, console=console, refresh_per_second=REFRESH_HZ):
        yield (screen.see,)
