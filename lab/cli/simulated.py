"""Simulated runs: the same folder as a real one, made with nothing but Python.

The same experiment, seed and code give the same bytes of history.jsonl: nothing of the machine, the clock or the folder goes into it.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lab.adapters.clock import SystemClock
from lab.checkers.verdict import Verdict
from lab.cli import judging, provenance
from lab.cli.console import terminal
from lab.cli.on_all_cores import on_all_cores
from lab.core import paths
from lab.core.clock import Clock
from lab.core.errors import Aborted
from lab.core.experiment import Experiment
from lab.core.history import HISTORY_FILE, Event, HistoryWriter
from lab.core.progress import Step
from lab.report.repeats import summary
from lab.runner.causes import Causes
from lab.runner.folder import EXPERIMENT_FILE, choose_folder, make_folder
from lab.sim.chain.world import Model, Passed, simulate
from lab.sim.fit.kept import newest
from lab.sim.warm import warm

COMPILE_ALLOWED_S = 600.0
"""Chosen: compiling the pool took 36 s of CPU on one core at full speed and 146 s beside a busy cluster."""
RUN_ALLOWED_S = 1800.0
"""Chosen: a run at the lab's size takes a second, the largest should take a minute; half an hour is a mistake."""
FEWER = "fewer agents: --set agents=1000"
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


def simulate_into(folder: Path, experiment: Experiment, passed: Passed | None = None) -> Verdict:
    """One simulated run in a folder of its own."""
    make_folder(folder)
    (folder / EXPERIMENT_FILE).write_text(experiment.model_dump_json(indent=2) + "\n", encoding="utf-8")
    command = f"lab run {experiment.name} --world sim --seed {experiment.seed}"
    outcome = simulate(experiment, model(command), passed)
    write_history(folder / HISTORY_FILE, outcome.events)
    (folder / "requests.csv").write_text("\n".join(outcome.requests) + "\n", encoding="utf-8")
    verdict = judging.judge_folder(folder)
    judging.write_report(folder, verdict)
    return verdict


def model(command: str = "") -> Model:
    """With the newest calibration: this user's own, else the one that comes with the lab."""
    calibration, place = newest(paths.cache())
    fitted = {"file": place.name, "runs": [run.name for run in calibration.runs], **calibration.made_with}
    return Model(calibration.costs(), header={"command": command, "git": provenance.git(), "calibration": fitted})


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
    seeds = range(experiment.seed, experiment.seed + repeat)
    jobs = {seed: partial(simulate_into, folder / f"seed-{seed}", experiment.model_copy(update={"seed": seed})) for seed in seeds}
    with terminal().step(f"Simulating {experiment.name} {repeat} times", RUN_ALLOWED_S) as step:
        return list(on_all_cores(jobs, step, RUN_ALLOWED_S, FEWER).values())


def _told(step: Step, clock: Clock) -> Passed:
    """Says how far the simulation is, and gives up when it takes too long."""
    started_s = clock.now_s()

    def told(at_s: int, end_s: int) -> None:
        step.say(f"{at_s} of {end_s} simulated seconds")
        if clock.now_s() - started_s > RUN_ALLOWED_S:
            saw = f"{at_s} of {end_s} simulated seconds were done after {RUN_ALLOWED_S:.0f} s"
            raise Aborted("simulate the experiment", saw, FEWER)

    return told
