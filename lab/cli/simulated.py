"""Simulated runs: the same folder as a real one, made with nothing but Python.

The same experiment, seed and code give the same bytes of history.jsonl: nothing of the machine, the clock or the folder goes into it.
"""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from lab.adapters.clock import SystemClock
from lab.checkers.verdict import Verdict
from lab.cli import judging, provenance
from lab.cli.console import terminal
from lab.core.clock import Clock
from lab.core.errors import Aborted
from lab.core.experiment import Experiment
from lab.core.history import HISTORY_FILE, Event, HistoryWriter
from lab.core.progress import Step
from lab.report.repeats import summary
from lab.runner.causes import Causes
from lab.runner.folder import EXPERIMENT_FILE, choose_folder, make_folder
from lab.sim.chain.world import Model, simulate
from lab.sim.warm import warm

COMPILE_ALLOWED_S = 600.0
"""Chosen: compiling the pool took 36 s of CPU on one core at full speed and 146 s beside a busy cluster."""
RUN_ALLOWED_S = 1800.0
"""Chosen: a run at the lab's size takes a second, the largest should take a minute; half an hour is a mistake."""
SIMULATED = "SIMULATED: no container ran, every figure is a model's."


def run(experiment: Experiment, out: Path | None, repeat: int = 1) -> None:
    """Simulate it, judge it, write the page; exits with what the verdict says.

    Raises:
        Refused: the folder is not empty, or a fault that the simulator cannot do.
        Aborted: it took too long.
    """
    console, clock = terminal(), SystemClock()
    folder = choose_folder(f"{experiment.name}-sim", out, Path("runs"), clock)
    with console.step("Getting the compiled gossip pool (compiled once per version, about a minute)", COMPILE_ALLOWED_S):
        warm()
    if repeat == 1:
        with console.step(f"Simulating {experiment.name}", RUN_ALLOWED_S) as step:
            verdict = simulate_into(folder, experiment, _told(step, clock))
        console.line(SIMULATED)
        judging.tell(folder, verdict)
        judging.leave(verdict)
        return
    verdicts = _many(folder, experiment, repeat)
    console.line(SIMULATED)
    for line in summary(verdicts):
        console.line(line)
    console.line(f"runs: {folder}/seed-*/report.html")
    judging.leave_if_any(verdicts)


def simulate_into(folder: Path, experiment: Experiment, seen: Callable[[int, int], None] | None = None) -> Verdict:
    """One simulated run in a folder of its own."""
    make_folder(folder)
    (folder / EXPERIMENT_FILE).write_text(experiment.model_dump_json(indent=2) + "\n", encoding="utf-8")
    command = f"lab run {experiment.name} --world sim --seed {experiment.seed}"
    outcome = simulate(experiment, Model(header={"command": command, "git": provenance.git()}), seen)
    write_history(folder / HISTORY_FILE, outcome.events)
    (folder / "requests.csv").write_text("\n".join(outcome.requests) + "\n", encoding="utf-8")
    verdict = judging.judge_folder(folder)
    judging.write_report(folder, verdict)
    return verdict


def write_history(path: Path, events: Sequence[Event]) -> None:
    """As a real run's recorder writes it, causes included."""
    writer, causes = HistoryWriter(path, SystemClock()), Causes()
    for event in events:
        seq = writer.append(event.kind, cause=causes.of(event.kind, event.fields), at_s=event.at_s, **event.fields)
        causes.note(seq, event.kind, event.fields)
    writer.close()


def _many(folder: Path, experiment: Experiment, repeat: int) -> list[Verdict]:
    """Seed after seed on all cores, each run in a folder of its own; in the order of seeds."""
    make_folder(folder)
    seeds = [experiment.seed + number for number in range(repeat)]
    workers = min(repeat, len(os.sched_getaffinity(0)))
    with (
        terminal().step(f"Simulating {experiment.name} {repeat} times on {workers} cores", RUN_ALLOWED_S) as step,
        ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool,
    ):
        jobs = {pool.submit(_one, folder, experiment.model_copy(update={"seed": seed})): seed for seed in seeds}
        found: dict[int, Verdict] = {}
        try:
            for job in as_completed(jobs, timeout=RUN_ALLOWED_S):
                found[jobs[job]] = Verdict.from_json(job.result())
                step.say(f"{len(found)} of {repeat} runs")
        except TimeoutError as late:
            pool.shutdown(wait=False, cancel_futures=True)
            raise _too_long(f"{len(found)} of {repeat} runs were done") from late
    return [found[seed] for seed in seeds]


def _one(folder: Path, experiment: Experiment) -> str:
    return simulate_into(folder / f"seed-{experiment.seed}", experiment).to_json()


def _told(step: Step, clock: Clock) -> Callable[[int, int], None]:
    """Says how far the simulation is, and gives up when it takes too long."""
    started_s = clock.now_s()

    def told(at_s: int, end_s: int) -> None:
        step.say(f"{at_s} of {end_s} simulated seconds")
        if clock.now_s() - started_s > RUN_ALLOWED_S:
            raise _too_long(f"{at_s} of {end_s} simulated seconds were done")

    return told


def _too_long(saw: str) -> Aborted:
    return Aborted("simulate the experiment", f"{saw} after {RUN_ALLOWED_S:.0f} s", "fewer agents: --set agents=1000")
