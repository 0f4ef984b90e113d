"""The phases of a run in their order; knows nothing of signals and folders, and how each phase is undone."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lab.core.clock import Clock
from lab.core.errors import Aborted, LabError
from lab.core.experiment import Experiment
from lab.core.progress import Progress
from lab.core.protocols import LoadGenerator, World
from lab.runner.heal import Failure, not_healed
from lab.runner.injuries import Injuries
from lab.runner.recorder import Recorder
from lab.runner.sampling import Sampling
from lab.runner.steady import WAIT_S, Gate
from lab.runner.timeline import Step, end_s, timeline

NAP_S = 0.5
"""Chosen: how long the run sleeps before it looks for a reason to stop; a signal wakes it at once."""

CALM_WINDOWS = 3
"""Chosen: a recovery watch that may end early wants the steady state for three windows of the gate, so that a lull does not end it."""


class Meter(Protocol):
    """Knows what the lab's other processes cost."""

    def cpu_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the phases play."""

    experiment: Experiment
    world: World
    clock: Clock
    progress: Progress
    recorder: Recorder
    gate: Gate


class Phases:
    """Plays the experiment. `heal` and `end` are called once, however `run` ended."""

    def __init__(self, stage: Stage, injuries: Injuries, alive: Callable[[], None], meter: Meter) -> None:
        self._stage = stage
        self._injuries = injuries
        self._alive = alive
        self._meter = meter
        self._phase: str | None = None
        self._load: LoadGenerator | None = None
        self._profile: tuple[str, int] | None = None
        self._sampling: Sampling | None = None
        self._sampled_s = 0.0
        self._cpu_s = 0.0
        self._flood_step: int | None = None

    def open_load(self, folder: Path) -> None:
        """Get the load generator; it starts later."""
        self._load = self._stage.world.load(folder)

    def run(self) -> None:
        """Prepare, steady, timeline, recovery.

        Raises:
            Aborted: the world does not become steady, or a fault does not act.
            NotHealed: a fault could not be healed on time.
        """
        self._prepare()
        self._steady()
        origin_s = self._stage.recorder.now_s()
        for step in timeline(self._stage.experiment):
            self._wait_until(origin_s + step.at_s)
            self._do(step, origin_s)
        self._recover(origin_s + end_s(self._stage.experiment))
        self._end_phase()

    def heal(self) -> list[Failure]:
        """Heal every fault and end the load; the faults that could not be seen healed."""
        self.note("phase", sync=True, phase="heal", state="begin")
        failed = self._injuries.heal_all()
        self._stop_load()
        self.note("phase", sync=True, phase="heal", state="end")
        return failed

    def end(self, *, completed: bool) -> list[str]:
        """End sampling, say what the lab itself has cost until then, count the log lines; what went wrong in that."""
        troubles: list[str] = []
        if self._sampling is not None:
            troubles += [f"{name} did not end" for name in self._sampling.stop()]
        self._note_cost()
        if completed:
            with self._stage.progress.step("Counting log lines") as step:
                try:
                    self.note("accounting", **self._stage.world.accounting())
                except Exception as error:  # noqa: BLE001  # the run is over and healed: an account that cannot be had is missing, not fatal
                    troubles.append(f"log lines were not counted: {error}")
                    step.say(str(error))
        return troubles

    def note(self, kind: str, *, cause: int | None = None, sync: bool = False, **fields: Any) -> int | None:
        """Record while ending: a history that no longer takes it must not stop the healing."""
        try:
            return self._stage.recorder.record(kind, cause=cause, sync=sync, **fields)
        except LabError:
            return None

    def _prepare(self) -> None:
        stage = self._stage
        self._begin_phase("prepare")
        with stage.progress.step(f"Preparing {stage.experiment.workload.pods} fresh pods"):
            stage.world.reset(stage.experiment.workload.pods)
        self._alive()
        self._sampling = Sampling(stage.world.probes(), stage.world.watches(), stage.recorder, stage.clock)
        self._end_phase(settings=stage.world.facts().get("settings"))

    def _steady(self) -> None:
        stage = self._stage
        phase = self._begin_phase("steady")
        self._sampled_s = stage.recorder.now_s()
        self._cpu_s = self._lab_cpu_s()
        if self._sampling is not None:
            self._sampling.start()
        self._start_load("steady", stage.experiment.steady_s + WAIT_S + end_s(stage.experiment), phase)
        begun_s = stage.recorder.now_s()
        self._wait_until(begun_s + stage.experiment.steady_s)
        give_up_s = stage.recorder.now_s() + WAIT_S
        while wrong := stage.gate.wrong(stage.recorder.now_s()):
            if stage.recorder.now_s() >= give_up_s:
                raise Aborted(
                    "hold the steady state before the fault", "; ".join(wrong), "lab status; fewer pods with --set workload.pods=40"
                )
            self._nap(NAP_S)
        self._end_phase()

    def _do(self, step: Step, origin_s: float) -> None:
        stage = self._stage
        if step.action == "begin-phase":
            self._end_phase()
            self._begin_phase(step.name)
            return
        if step.action == "steady-load":
            self._start_load("steady", end_s(stage.experiment) - step.at_s, self._flood_step)
            stage.recorder.record("step", cause=self._flood_step, step=step.name, state="end")
            return
        seq = stage.recorder.record("step", step=step.name, state="begin")
        if step.action == "flood":
            self._flood_step = seq
            self._start_load("flood", stage.experiment.flood_s, seq)
            return
        if step.action == "inject" and step.fault is not None:
            spec = stage.experiment.acts[step.fault]
            planned_s = stage.clock.now_s() + origin_s + spec.heal_at_s - stage.recorder.now_s()
            self._injuries.inject(step.fault, spec, planned_s, seq)
        elif step.fault is not None and (failure := self._injuries.heal(step.fault, seq)):
            raise not_healed([failure])
        stage.recorder.record("step", cause=seq, step=step.name, state="end")

    def _recover(self, until_s: float) -> None:
        stage = self._stage
        while stage.recorder.now_s() < until_s:
            if stage.experiment.recovery_ends_early and not stage.gate.wrong(stage.recorder.now_s(), CALM_WINDOWS):
                return
            self._nap(min(NAP_S, until_s - stage.recorder.now_s()))

    def _wait_until(self, at_s: float) -> None:
        while (left_s := at_s - self._stage.recorder.now_s()) > 0:
            self._nap(min(left_s, NAP_S))
        self._alive()

    def _nap(self, seconds: float) -> None:
        self._alive()
        if self._load is not None and (problem := self._load.problem()):
            raise Aborted("keep the load running", problem, "see locust.log in the run's folder; then run again")
        self._stage.clock.sleep(seconds)

    def _begin_phase(self, name: str) -> int:
        self._phase = name
        return self._stage.recorder.record("phase", sync=True, phase=name, state="begin")

    def _end_phase(self, **fields: Any) -> None:
        if self._phase is not None:
            self._stage.recorder.record("phase", sync=True, phase=self._phase, state="end", **fields)
            self._phase = None

    def _start_load(self, profile: str, duration_s: float, cause: int | None) -> None:
        if self._load is None:
            return
        self._note_load_stopped(cause)
        self._load.start(profile, duration_s)
        seq = self._stage.recorder.record("locust", cause=cause, change="start", profile=profile)
        self._profile = (profile, seq)

    def _stop_load(self) -> None:
        if self._load is None:
            return
        try:
            self._load.stop()
        except Exception as error:  # noqa: BLE001  # healing goes on; Locust ends by itself, after its time or at the end of its leash
            self.note("locust", change="stop", profile="", reason=f"{type(error).__name__}: {error}"[:300])
            return
        self._note_load_stopped(None)

    def _note_load_stopped(self, cause: int | None) -> None:
        if self._profile is not None:
            profile, seq = self._profile
            self.note("locust", cause=seq if cause is None else cause, change="stop", profile=profile)
            self._profile = None

    def _note_cost(self) -> None:
        if self._sampling is None:
            return
        elapsed_s = max(self._stage.recorder.now_s() - self._sampled_s, 1e-9)
        cores = round((self._lab_cpu_s() - self._cpu_s) / elapsed_s, 4)
        counts = self._sampling.counts
        self.note("lab", cpu_cores_mean=cores, samples=counts.samples, samples_late=counts.samples_late, over_s=round(elapsed_s, 1))

    def _lab_cpu_s(self) -> float:
        """CPU seconds of this process (runner, probes, live view), of the watchdog and of the view's judge; Locust is the load, not the lab."""
        return time.process_time() + self._meter.cpu_s()
