"""Simulated runs: the same folder as a real one, made with nothing but Python.

The same experiment, seed and code give the same bytes of history.jsonl: nothing of the machine, the clock or the folder goes into it.
"""

from functools import partial
from pathlib import Path

from lab.adapters.clock import SystemClock
from lab.checkers.verdict import Verdict
from lab.cli import judging, simulated_job
from lab.cli.console import LabConsole, terminal
from lab.cli.on_all_cores import on_all_cores
from lab.core.clock import Clock
from lab.core.errors import Aborted
from lab.core.experiment import Experiment
from lab.core.progress import Step
from lab.report.repeats import summary
from lab.runner.folder import choose_folder, make_folder
from lab.sim.chain.world import Passed
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
    compile_first(console)
    if repeat == 1:
        job = simulated_job.jobs({experiment.seed: experiment})[experiment.seed]
        with console.step(f"Simulating {experiment.name}", RUN_ALLOWED_S) as step:
            made, history = simulated_job.make_and_read(job, folder, _told(step, clock))
        console.line(SIMULATED)
        judging.tell(folder, history, made.verdict)
        judging.leave(made.verdict)
        return
    verdicts = _many(folder, experiment, repeat)
    console.line(SIMULATED)
    for line in summary(verdicts):
        console.line(line)
    console.line(f"runs: {folder}/seed-*/report.html")
    judging.leave_if_any(verdicts)


def compile_first(console: LabConsole) -> None:
    """What every simulation of this machine waits for."""
    with console.step("Getting the compiled gossip pool (compiled once per version, about a minute)", COMPILE_ALLOWED_S):
        warm()


def _many(folder: Path, experiment: Experiment, repeat: int) -> list[Verdict]:
    """Seed after seed on all cores, each run in a folder of its own; in the order of seeds."""
    make_folder(folder)
    experiments = {seed: experiment.model_copy(update={"seed": seed}) for seed in range(experiment.seed, experiment.seed + repeat)}
    jobs = {seed: partial(simulated_job.make, job, folder / f"seed-{seed}") for seed, job in simulated_job.jobs(experiments).items()}
    with terminal().step(f"Simulating {experiment.name} {repeat} times", RUN_ALLOWED_S) as step:
        return [made.verdict for made in on_all_cores(jobs, step, RUN_ALLOWED_S, FEWER).values()]


def _told(step: Step, clock: Clock) -> Passed:
    """Says how far the simulation is, and gives up when it takes too long."""
    started_s = clock.now_s()

    def told(at_s: int, end_s: int) -> None:
        step.say(f"{at_s} of {end_s} simulated seconds")
        if clock.now_s() - started_s > RUN_ALLOWED_S:
            saw = f"{at_s} of {end_s} simulated seconds were done after {RUN_ALLOWED_S:.0f} s"
            raise Aborted("simulate the experiment", saw, FEWER)

    return told
