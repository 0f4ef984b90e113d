"""`lab compare-worlds`: runs on containers against simulated ones of the same experiment."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lab.checkers.judge import judge
from lab.checkers.requests import parse
from lab.cli.calibrate_commands import digest, experiment_of
from lab.cli.console import LabConsole, terminal
from lab.cli.help import examples
from lab.cli.on_all_cores import on_all_cores
from lab.core import paths
from lab.core.errors import Refused
from lab.core.experiment import Experiment
from lab.core.history import History
from lab.report import worlds
from lab.report.folder import read
from lab.report.worlds_page import render_page
from lab.sim.chain.parameters import Costs
from lab.sim.chain.world import Model, simulate
from lab.sim.fit.kept import Calibration, newest
from lab.sim.warm import warm

READ_ALLOWED_S, WARM_ALLOWED_S, SIMULATE_ALLOWED_S = 300.0, 600.0, 1800.0
"""Chosen: several times what they took on two cores."""
FEWER = "fewer seeds: --seeds 5"

EPILOG = examples("lab compare-worlds runs/20260101T120000Z-cascade --out worlds.html", see=("lab calibrate", "lab validate", "lab run"))


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("compare-worlds", epilog=EPILOG)(compare_worlds)


def compare_worlds(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="folders of runs on containers, all of one experiment", show_default=False)
    ],
    seeds: Annotated[int, typer.Option(min=2, max=200, help="simulated runs")] = 20,
    out: Annotated[Path | None, typer.Option(help="write the comparison as a page with plots, too (HTML)")] = None,
) -> None:
    """Hold the simulator against runs of the lab.

    When links fire, peaks, members over time, with every residual. Only runs that the calibration has not seen say how far it may be believed; others are named.
    """
    console = terminal()
    calibration, place = newest(paths.cache())
    with console.step("Reading the runs", READ_ALLOWED_S):
        experiment = _experiment(runs)
        lab = [_stored(folder) for folder in runs]
    sim = _simulated(console, experiment, calibration, seeds)
    found = worlds.compare(lab, sim)
    facts = _facts(runs, calibration, place, seeds)
    for line in (*facts, *worlds.lines(found)):
        console.line(line)
    if out is not None:
        out.write_text(render_page(found, facts), encoding="utf-8")
        console.line(f"page: {out}")


def _experiment(runs: list[Path]) -> Experiment:
    found = [experiment_of(folder) for folder in runs]
    if other := next((folder for folder, each in zip(runs, found, strict=True) if each != found[0]), None):
        raise Refused(f"compare {runs[0]} and {other}", "they ran different experiments", "compare runs of one experiment at a time")
    return found[0]


def _stored(folder: Path) -> worlds.Run:
    history, verdict = read(folder)
    if history.header.get("world") == "simulated":
        raise Refused(f"compare {folder} with the simulator", "it is a simulated run", "name runs on containers")
    return worlds.Run(folder.resolve().name, history, verdict)


def _simulated(console: LabConsole, experiment: Experiment, calibration: Calibration, seeds: int) -> list[worlds.Run]:
    with console.step("Getting the compiled gossip pool (compiled once per version, about a minute)", WARM_ALLOWED_S):
        warm()
    costs = calibration.costs()
    jobs = {seed: partial(_one, experiment.model_copy(update={"seed": seed}), costs) for seed in range(seeds)}
    with console.step(f"Simulating {experiment.name} with {seeds} seeds", SIMULATE_ALLOWED_S) as step:
        return list(on_all_cores(jobs, step, SIMULATE_ALLOWED_S, FEWER).values())


def _one(experiment: Experiment, costs: Costs) -> worlds.Run:
    outcome = simulate(experiment, Model(costs=costs))
    history = History(outcome.events)
    return worlds.Run(f"seed {experiment.seed}", history, judge(history, parse(outcome.requests)))


def _facts(runs: list[Path], calibration: Calibration, place: Path, seeds: int) -> list[str]:
    seen = [folder.resolve().name for folder in runs if calibration.used(digest(folder))]
    facts = [
        f"Lab: {len(runs)} runs on containers ({', '.join(folder.resolve().name for folder in runs)}). Simulator: {seeds} seeds, parameters of {place.name} fitted to {len(calibration.runs)} runs.",
        "Seconds are counted from the end of the steady phase, when the outage begins.",
    ]
    if seen:
        facts.append(f"NOT held out: the fit has seen {', '.join(seen)}.")
    else:
        facts.append("Held out: the fit has seen none of these runs.")
    return facts
