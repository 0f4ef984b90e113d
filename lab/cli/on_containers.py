"""One run on the lab's cluster."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.adapters.clock import SystemClock
from lab.adapters.niceness import at_niceness
from lab.checkers.verdict import Verdict
from lab.cli import compose, judging, provenance
from lab.cli.console import LabConsole, terminal
from lab.core import paths
from lab.core.errors import LabError, Refused
from lab.core.experiment import Experiment
from lab.core.history import History
from lab.live.view import live_view
from lab.runner.guard import Watchdog, WatchdogSpec
from lab.runner.lock import run_lock
from lab.runner.run import Parts, Request, run_experiment

WATCHDOG = WatchdogSpec("lab.cluster.world:open_world", "lab.faults.table:FAULTS", paths.LEDGER, paths.STATE)
FIRST = -15
"""Chosen: probes must be on time on a machine that the experiment fills; they are held to 5 % of a core, so they take nothing away."""


def run(experiment: Experiment, out: Path | None, command: str) -> None:
    """Run it, judge it, write the page; exits with what the verdict says.

    Raises:
        LabError: it was refused, aborted, or not healed.
    """
    folder, history, verdict = run_and_judge(experiment, out, command)
    judging.tell(folder, history, verdict)
    judging.leave(verdict)


def run_and_judge(experiment: Experiment, out: Path | None, command: str) -> tuple[Path, History, Verdict]:
    """Run it, judge it, write the page; the run's folder, its history, and the verdict of a run that was completed.

    Raises:
        LabError: it was refused, aborted, or not healed.
    """
    console = terminal()
    clock = SystemClock()
    world = compose.LabWorld(console, experiment)
    guard = Watchdog(WATCHDOG, clock)
    request = Request(experiment, command=command, git=provenance.git(), out=out)
    with _alone_again(console, experiment), at_niceness(FIRST), live_view(console.rich) as view:
        outcome = run_experiment(request, Parts(world, compose.FAULTS, clock, console, guard, view.observers, view))
    if outcome.error is not None:
        _tell_what_was_seen(console, outcome.folder)
        raise outcome.error
    history, verdict = judging.judge_folder(outcome.folder)
    judging.write_report(outcome.folder, history, verdict)
    return outcome.folder, history, verdict


def _tell_what_was_seen(console: LabConsole, folder: Path) -> None:
    """The page of a run that was not completed, where there is enough for one; why it was not completed is worth more than what goes wrong here."""
    try:
        page = judging.write_report(folder, *judging.judge_folder(folder))
    except Exception as error:  # noqa: BLE001  # a full disk, a history without a beginning: the run's own error is still to be raised
        console.line(f"what was seen until then is in {folder} and could not be judged: {type(error).__name__}: {error}")
    else:
        console.line(f"what was seen until then: {page}")


@contextmanager
def _alone_again(console: LabConsole, experiment: Experiment) -> Iterator[None]:
    """Remove the neighbour after the block, however it ended; where another run is under way by then, that one does it."""
    try:
        yield
    finally:
        if experiment.neighbour.pods:
            _dismiss_neighbour(console)


def _dismiss_neighbour(console: LabConsole) -> None:
    """The run's own end, which is being told, is worth more than what goes wrong here."""
    try:
        with contextlib.suppress(Refused), run_lock(paths.LOCK, SystemClock()):
            compose.dismiss_neighbour(console)
    except LabError as error:
        console.line(f"the neighbour is still there: {error.came_back or error.tried}. Next: lab heal")
