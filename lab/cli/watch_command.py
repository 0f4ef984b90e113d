"""`lab watch`: the live view of a run that another terminal started, or that is long over."""

import os
from pathlib import Path
from typing import Annotated

import typer

from lab.adapters.clock import SystemClock
from lab.cli import completion
from lab.cli.console import terminal
from lab.cli.help import examples
from lab.core import paths
from lab.core.errors import Refused
from lab.core.history import HISTORY_FILE
from lab.live import watch as watching
from lab.runner.lock import running

NICENESS = 10
"""Chosen: below probes, nodes and load, which must not wait for a drawing."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog=examples(
            "lab watch",
            "lab watch runs/20260101T120000Z-cascade --speed 20",
            "lab watch runs/20260101T120000Z-cascade --at 190",
            see=("lab run", "lab serve"),
        )
    )(watch)


def watch(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN",
            help="folder of a run; the one that runs now, else the newest in runs/, if left out",
            autocompletion=completion.runs,
        ),
    ] = None,
    speed: Annotated[float | None, typer.Option(min=0.1, max=1000, help="show a stored run again, so many times as fast as it was")] = None,
    at: Annotated[float | None, typer.Option(min=0, help="print how it stood at this second of the run clock, once")] = None,
) -> None:
    """Show a run as it goes, or a stored one again.

    Nodes over time, pods, Consul, backlog, open faults and their deadlines, the links as they fire, time left. Reads the run's history and nothing else, so it may be started, left and started again at any time. In a pipe it prints plain lines.
    Keys: p pauses the drawing (never the run), ? explains the signs, q leaves. In the terminal of `lab run` the same view has a to abort.
    """
    folder = run or _newest()
    console = terminal()
    if at is not None:
        watching.still(folder, console.rich, at)
        return
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    try:
        if speed is not None:
            said = watching.replay(folder, console.rich, SystemClock(), speed)
        else:
            said = watching.follow(folder, console.rich, SystemClock(), lambda: running(paths.LOCK) == folder.absolute())
    except KeyboardInterrupt:
        said = f"no longer watching {folder}"
    console.line(said)


def _newest() -> Path:
    """The run that goes on now, else the newest of this folder."""
    now = running(paths.LOCK)
    if now is not None and (now / HISTORY_FILE).is_file():
        return now
    found = sorted(completion.RUNS.glob(f"*/{HISTORY_FILE}"))
    if not found:
        raise Refused(
            "watch a run", "none goes on now, and there is none in runs/", "start one: lab run cascade; or name its folder: lab watch RUN"
        )
    return found[-1].parent
