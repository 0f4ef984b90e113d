"""`lab why`, `lab diff`, `lab export`, `lab serve`: what stored runs can be asked, from their histories alone."""

import os
from pathlib import Path
from typing import Annotated

import typer

from lab.adapters.clock import SystemClock
from lab.adapters.site import LocalSite
from lab.cli.console import terminal
from lab.cli.help import examples
from lab.cli.run_commands import RunFolder
from lab.core.errors import Refused
from lab.report import diff as comparison
from lab.report import why as provenance
from lab.report.exports.stored import Stored
from lab.report.exports.table import FORMATS, Format
from lab.report.folder import read
from lab.report.sentence import is_simulated
from lab.report.shelf import Shelf
from lab.report.sides import side
from lab.report.site import Site

RUNS = Path("runs")
PORT = 8321
"""Chosen: unassigned, and none of the ports that the lab's cluster publishes."""
NICENESS = 10
"""Chosen: below probes, nodes and load, which must not wait while a page is made."""
RUN = "runs/20260101T120000Z-cascade"
EPILOGS = {
    "why": examples(
        f"lab why {RUN}", f"lab why {RUN} link4", f"lab why {RUN} worker3", f"lab why {RUN} 4420", see=("lab judge", "lab report")
    ),
    "diff": examples(
        f"lab diff {RUN} runs/20260102T120000Z-baseline",
        f"lab diff {RUN} runs/20260102T120000Z-cascade --page both.html",
        see=("lab sweep", "lab serve"),
    ),
    "export": examples(f"lab export {RUN} --format junit", f"lab export {RUN} --format parquet --out series", see=("lab serve",)),
    "serve": examples("lab serve", "lab serve --runs elsewhere --port 9000", see=("lab report", "lab watch")),
}
EVENT_HELP = "number of an event (4420), a link (link3), or the name of a node, pod or member; left out: every link that fired"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (why, diff, export, serve):
        app.command(command.__name__, epilog=EPILOGS[command.__name__])(command)


def why(run: RunFolder, event: Annotated[str | None, typer.Argument(metavar="EVENT", help=EVENT_HELP, show_default=False)] = None) -> None:
    """Say what led to an event of a stored run.

    From it, cause by cause, back to the step of the timeline that set it off. The report shows the same beside each link.
    """
    history, verdict = read(run)
    say = terminal().line
    if event is not None:
        found = [provenance.why(history, verdict, event)]
    else:
        found = [provenance.of_link(history, verdict, result.link) for result in verdict.links if result.status == "fired"]
    if is_simulated(history):
        say("simulated: no container ran")
    for answer in found:
        for text in provenance.lines(answer):
            say(text)
    say(provenance.CAVEAT if any(answer.path for answer in found) else "no link fired; ask about an event by its number")


def diff(
    first: RunFolder,
    second: RunFolder,
    page: Annotated[
        Path | None, typer.Option(help="where to write the page; SECOND/diff-FIRST.html if left out", show_default=False)
    ] = None,
) -> None:
    """Compare two stored runs, aligned on Kafka's release.

    A table here, and a page that lays one over the other.
    """
    sides = [side(letter, run.resolve().name, *read(run)) for letter, run in zip("AB", (first, second), strict=True)]
    place = page or second / f"diff-{first.resolve().name}.html"
    _write(place, comparison.render(*sides).encode())
    for text in comparison.lines(*sides):
        terminal().line(text)
    terminal().line(f"page: {place}")


def export(
    run: RunFolder,
    form: Annotated[Format, typer.Option("--format", help="for which program", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="folder of the files; RUN/FORMAT if left out", show_default=False)] = None,
) -> None:
    """Write a stored run in the format of another program.

    junit: for build servers. openmetrics: for Prometheus. parquet: for pandas, polars, DuckDB. csv: for all else. chaostoolkit: experiment and journal.
    """
    files = FORMATS[form](Stored(run.resolve().name, *read(run)))
    folder = out or run / form
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"write into {folder}", error.strerror or str(error), "name a folder that can be written with --out") from error
    for name, content in files.items():
        _write(folder / name, content)
        terminal().line(str(folder / name))


def serve(
    runs: Annotated[Path, typer.Option(help="folder of the runs")] = RUNS,
    port: Annotated[int, typer.Option(min=0, max=65535, help="on 127.0.0.1; 0 picks a free one")] = PORT,
) -> None:
    """Show stored runs as a small site on this machine.

    The run that goes on is there as metrics for Prometheus, too (/metrics), with a dashboard of them for Grafana (/dashboard.json).
    Only reads, only on 127.0.0.1, until Ctrl-C.
    """
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    site = LocalSite(Site(Shelf(runs, SystemClock())).answer, port)
    terminal().line(f"{site.address} shows the runs in {runs}/; metrics: {site.address}metrics; Ctrl-C ends it")
    try:
        site.serve()
    except KeyboardInterrupt:
        terminal().line("no longer served")
    finally:
        site.close()


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Refused(f"write {path}", error.strerror or str(error), "name a place that can be written") from error
