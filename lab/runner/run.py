"""One run, from a machine that may hold yesterday's fault to a folder with a whole history and a machine left whole."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from lab.core.clock import Clock
from lab.core.errors import Aborted, LabError, NotHealed
from lab.core.experiment import Experiment
from lab.core.history import HISTORY_FILE, HistoryWriter, Observer
from lab.core.ledger import Ledger
from lab.core.paths import LEDGER, LOCK, STATE
from lab.core.progress import Progress
from lab.core.protocols import FaultTable, World
from lab.runner.folder import EXPERIMENT_FILE, choose_folder, make_folder, need_space
from lab.runner.heal import heal_open, not_healed
from lab.runner.injuries import Guard, Injuries, Tools
from lab.runner.interrupts import Interrupted, Interrupts
from lab.runner.lock import run_lock
from lab.runner.phases import Phases, Stage
from lab.runner.recorder import Recorder
from lab.runner.steady import WINDOW_S, Gate

Status = Literal["completed", "aborted", "interrupted"]


class RunGuard(Guard, Protocol):
    """The watchdog over a whole run; `lab.runner.guard.Watchdog` is the real one."""

    def start(self) -> None: ...
    def end(self) -> None: ...
    def cpu_s(self) -> float: ...


class Onlooker(Protocol):
    """Who shows the run to a person; `lab.live.view.View` is the real one."""

    def opened(self, folder: Path) -> None:
        """The run has its folder, and a history in it."""
        ...

    def cpu_s(self) -> float:
        """CPU seconds of its own processes so far: they count as the lab's."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Args:
        experiment: checked and resolved.
        command: the command line, for the history.
        git: commit and whether the checkout differs from it.
        out: folder of the run; None: `runs/UTC-name`.
        runs: where runs without `out` go.
        state: folder of ledger and lock.
    """

    experiment: Experiment
    command: str = ""
    git: Mapping[str, Any] | None = None
    out: Path | None = None
    runs: Path = Path("runs")
    state: Path = STATE


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is made with. `observers` see each event as it is written."""

    world: World
    faults: FaultTable
    clock: Clock
    progress: Progress
    guard: RunGuard
    observers: Sequence[Observer] = ()
    onlooker: Onlooker | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. The folder holds what was seen, whatever the status; `error` is for the caller to raise after judging."""

    folder: Path
    status: Status
    reason: str
    error: LabError | None


def run_experiment(request: Request, parts: Parts) -> Outcome:
    """Heal what is open, run the experiment, heal, and say how it ended.

    Raises:
        Refused: a second run, a folder that is not empty, too little space; nothing was changed.
        NotHealed: a fault left by an earlier run cannot be healed.
        Aborted: interrupted before the run's folder was made.
    """
    interrupts = Interrupts()
    with run_lock(request.state / LOCK.name, parts.clock) as held, interrupts.installed():
        try:
            folder = choose_folder(request.experiment.name, request.out, request.runs, parts.clock)
            need_space(request.state)
            heal_leftovers(request.state, parts)
            parts.world.provide()
            facts = parts.world.facts()
            make_folder(folder)
            held.note_run(folder)
            run = _Run(request, parts, folder, interrupts)
            if parts.onlooker is not None:
                parts.onlooker.opened(folder)
        except Interrupted as interrupted:
            raise Aborted("start the run", f"ended by {interrupted}", "run it again") from interrupted
        return run.go(facts)


def heal_leftovers(state: Path, parts: Parts) -> list[str]:
    """Heal what an earlier run left open; the names of the faults healed.

    Raises:
        NotHealed: one cannot be healed.
    """
    ledger = Ledger(state / LEDGER.name)
    with parts.progress.step("Healing what earlier runs left") as step:
        healed = heal_open(ledger, parts.world, parts.faults, parts.clock)
        step.say(", ".join(healed) or "nothing was open")
    return healed


class _Run:
    def __init__(self, request: Request, parts: Parts, folder: Path, interrupts: Interrupts) -> None:
        self._request = request
        self._parts = parts
        self._folder = folder
        self._interrupts = interrupts
        experiment = request.experiment
        gate = Gate(experiment.workload.pods, min(WINDOW_S, experiment.steady_s / 2))
        self._history = HistoryWriter(folder / HISTORY_FILE, parts.clock, (gate.see, *parts.observers))
        self._recorder = Recorder(self._history, interrupts.shielded)
        ledger = Ledger(request.state / LEDGER.name)
        tools = Tools(parts.world, parts.faults, ledger, self._recorder, parts.clock, parts.guard)
        self._injuries = Injuries(tools, folder.name)
        stage = Stage(experiment, parts.world, parts.clock, parts.progress, self._recorder, gate)
        self._phases = Phases(stage, self._injuries, self._alive, _Meters(parts))

    def go(self, facts: Mapping[str, Any]) -> Outcome:
        """Every signal and every error ends here, and healing follows."""
        status: Status = "completed"
        error: BaseException | None = None
        try:
            try:
                self._begin(facts)
                self._phases.run()
            except Exception as caught:  # noqa: BLE001  # the runner's guard: whatever it was, heal, then say it
                status, error = "aborted", caught
            self._interrupts.no_more()
        except Interrupted as interrupted:
            status, error = "interrupted", interrupted
        self._interrupts.no_more()
        return self._finish(status, error)

    def _begin(self, facts: Mapping[str, Any]) -> None:
        experiment = self._request.experiment
        self._phases.open_load(self._folder)
        try:
            (self._folder / EXPERIMENT_FILE).write_text(experiment.model_dump_json(indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise Aborted(f"write {self._folder / EXPERIMENT_FILE}", error.strerror or str(error), "free disk space") from error
        self._recorder.record(
            "run",
            sync=True,
            **{
                **json.loads(json.dumps(dict(facts), default=str)),
                "experiment": experiment.model_dump(mode="json"),
                "seed": experiment.seed,
                "command": self._request.command,
                "git": dict(self._request.git or {}),
                "started_utc": self._parts.clock.utc().isoformat(timespec="seconds"),
            },
        )
        self._parts.guard.start()

    def _alive(self) -> None:
        """Called twice a second while the run waits: is there a reason to stop?"""
        self._interrupts.check()
        self._recorder.check()
        self._parts.guard.ensure()

    def _finish(self, status: Status, error: BaseException | None) -> Outcome:
        with self._parts.progress.step("Healing") as step:
            failed = self._phases.heal()
            step.say("not healed" if failed else "every fault is seen healed")
        troubles = self._phases.end(completed=status == "completed")
        failure = not_healed(failed) if failed else _as_lab_error(status, error)
        if failed and status == "completed":
            status = "aborted"
        reason = "; ".join([*([_reason(failure)] if failure else []), *troubles])
        self._phases.note("end", sync=True, status=status, reason=reason)
        try:
            self._history.close()
        except OSError as full:
            failure = failure or _as_lab_error("aborted", full)
        self._parts.guard.end()
        return Outcome(self._folder, status, reason, failure)


@dataclass(frozen=True, slots=True)
class _Meters:
    """What the lab's other processes have cost."""

    parts: Parts

    def cpu_s(self) -> float:
        return self.parts.guard.cpu_s() + (self.parts.onlooker.cpu_s() if self.parts.onlooker is not None else 0.0)


def _as_lab_error(status: Status, error: BaseException | None) -> LabError | None:
    """Of a run that ends healed."""
    if isinstance(error, NotHealed):
        late = Aborted("heal when it was time to", error.came_back, "everything is healed since; run it again")
        late.__cause__ = error
        return late
    if error is None or isinstance(error, LabError):
        return error
    if status == "interrupted":
        aborted = Aborted("finish the run", f"ended by {error}; everything is healed", "run it again")
    else:
        aborted = Aborted("finish the run", f"{type(error).__name__}: {error}", "run it again; lab doctor")
    aborted.__cause__ = error
    return aborted


def _reason(error: LabError) -> str:
    return f"could not {error.tried}: {error.came_back}" if error.came_back else f"could not {error.tried}"
