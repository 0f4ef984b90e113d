"""`lab run`, `judge`, `report`: an experiment becomes a history, a history becomes a verdict and a page."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lab.adapters import shell
from lab.adapters.clock import SystemClock
from lab.checkers.judge import judge as judge_history
from lab.checkers.requests import parse
from lab.checkers.verdict import Verdict
from lab.cli import completion, compose
from lab.cli.experiment_commands import Changes, Named
from lab.cli.help import examples
from lab.cli.rehearse import rehearse
from lab.core import paths
from lab.core.errors import LabError
from lab.core.history import HISTORY_FILE, History
from lab.report.page import render
from lab.report.sentence import what_happened
from lab.runner.guard import Watchdog, WatchdogSpec
from lab.runner.live import live_view
from lab.runner.load import load_experiment
from lab.runner.run import Parts, Request, run_experiment

NOT_EXPECTED = 1
UNKNOWN = 3
WATCHDOG = WatchdogSpec("lab.cluster.world:open_world", "lab.faults.table:FAULTS", paths.LEDGER, paths.STATE)
NICENESS = -15
"""Chosen: probes must be on time on a machine that the experiment fills; they are held to 5 % of a core, so they take nothing away."""

RunFolder = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="folder of a run, such as runs/20260101T120000Z-cascade", show_default=False, autocompletion=completion.runs
    ),
]
EXAMPLES = {
    "run": (
        "lab run cascade",
        "lab run baseline --out calm",
        "lab run cascade --set workload.pods=50 --set faults.0.heal_at_s=30",
        "lab run ./mine.yaml",
        "lab run cascade --dry-run",
    ),
    "judge": ("lab judge runs/20260101T120000Z-cascade",),
    "report": ("lab report runs/20260101T120000Z-cascade",),
}


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (run, judge, report):
        app.command(command.__name__, epilog=examples(*EXAMPLES[command.__name__]))(command)


def run(
    experiment: Named,
    out: Annotated[Path | None, typer.Option(help="folder of the run; runs/UTC-NAME if left out")] = None,
    changes: Changes = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print every command it would send, and when; needs no cluster, changes nothing")
    ] = False,
) -> None:
    """Run an experiment on the lab's cluster: steady state, faults, flood, recovery, heal; then judge it and write the report.

    The run's folder holds experiment.json, history.jsonl, locust.csv, verdict.json and report.html. Ctrl-C ends a run by healing it.
    """
    chosen = load_experiment(experiment, changes or [])
    console = compose.console()
    if dry_run:
        rehearse(chosen, console.line)
        return
    clock = SystemClock()
    world = compose.LabWorld(console, chosen)
    _be_prompt()
    compose.calibrated(console, chosen.workload)
    guard = Watchdog(WATCHDOG, clock)
    request = Request(chosen, command=" ".join(["lab", *sys.argv[1:]]), git=_git(), out=out)
    with live_view(console.rich, chosen) as observers:
        outcome = run_experiment(request, Parts(world, compose.FAULTS, clock, console, guard, observers))
    verdict = _judge(outcome.folder)
    _write_report(outcome.folder, verdict)
    if outcome.error is not None:
        console.line(f"what was seen until then: {outcome.folder / 'report.html'}")
        raise outcome.error
    _tell(outcome.folder, verdict)
    _exit(verdict)


def judge(run: RunFolder) -> None:
    """Judge a stored run again, from its history alone; writes verdict.json."""
    verdict = _judge(run)
    _tell(run, verdict)
    _exit(verdict)


def report(run: RunFolder) -> None:
    """Write the page of a stored run again, from its history alone; writes report.html."""
    compose.console().line(str(_write_report(run, _judge(run))))


def _judge(folder: Path) -> Verdict:
    history = History.read(folder / HISTORY_FILE)
    raw = folder / "locust.csv"
    requests = parse(raw.read_text(encoding="utf-8").splitlines()) if raw.is_file() else None
    verdict = judge_history(history, requests)
    (folder / "verdict.json").write_text(verdict.to_json(), encoding="utf-8")
    return verdict


def _write_report(folder: Path, verdict: Verdict) -> Path:
    page = folder / "report.html"
    page.write_text(render(History.read(folder / HISTORY_FILE), verdict), encoding="utf-8")
    return page


def _tell(folder: Path, verdict: Verdict) -> None:
    console = compose.console()
    console.line(what_happened(History.read(folder / HISTORY_FILE), verdict))
    for link in verdict.links:
        when = f"fired at {link.fired_at_s:.0f} s" if link.fired_at_s is not None else link.status
        console.line(f"  link {link.link:<3}{link.title:<34}{when}")
    console.line(
        f"verdict {verdict.verdict}, expected {verdict.expected.verdict}: {'as expected' if verdict.as_expected else 'NOT as expected'}"
    )
    for reason in verdict.reasons:
        console.line(f"  {reason}")
    console.line(f"report: {folder / 'report.html'}")


def _exit(verdict: Verdict) -> None:
    if verdict.as_expected:
        return
    raise typer.Exit(UNKNOWN if verdict.verdict == "unknown" else NOT_EXPECTED)


def _git() -> dict[str, object]:
    """Commit and whether the checkout differs from it; empty outside a checkout."""
    try:
        commit = shell.run(["git", "-C", str(paths.project()), "rev-parse", "HEAD"], timeout_s=10).strip()
        dirty = bool(shell.run(["git", "-C", str(paths.project()), "status", "--porcelain"], timeout_s=10).strip())
    except LabError:
        return {}
    return {"commit": commit, "dirty": dirty}


def _be_prompt() -> None:
    if os.geteuid() == 0:
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
