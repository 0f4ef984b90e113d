"""`lab why`: what a stored run can be asked, from its history alone."""

from pathlib import Path
from typing import Annotated

import typer

from lab.checkers.judge import judge
from lab.checkers.verdict import Verdict
from lab.cli.console import terminal
from lab.cli.help import examples
from lab.cli.run_commands import RunFolder
from lab.core.history import HISTORY_FILE, History
from lab.report import why as provenance

EVENT_HELP = "number of an event (4420), a link (link3), or the name of a node, pod or member; left out: every link that fired"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("why", epilog=examples("lab why runs/20260101T120000Z-cascade", "lab why runs/20260101T120000Z-cascade link3"))(why)


def why(run: RunFolder, event: Annotated[str | None, typer.Argument(help=EVENT_HELP, show_default=False)] = None) -> None:
    """Say why an event of a stored run happened: from it, cause by cause, back to the step of the timeline that set it off."""
    history, verdict = _judged(run)
    say = terminal().line
    if event is not None:
        found = [provenance.why(history, verdict, event)]
    else:
        found = [provenance.of_link(history, verdict, result.link) for result in verdict.links if result.status == "fired"]
    for answer in found:
        for text in provenance.lines(answer):
            say(text)
    say(provenance.CAVEAT if any(answer.path for answer in found) else "no link fired; ask about an event by its number")


def _judged(folder: Path) -> tuple[History, Verdict]:
    """The history and its verdict; users' requests bear on neither link nor cause, so they are not read."""
    history = History.read(folder / HISTORY_FILE)
    return history, judge(history, None)
