"""`lab calibrate`: measure a node of the cluster; with `--sim`, fit the simulator's free parameters to real runs."""

import hashlib
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.console import LabConsole, terminal
from lab.cli.help import GIVEN_UP, examples
from lab.core import paths
from lab.core.errors import Refused
from lab.core.experiment import Experiment
from lab.core.history import HISTORY_FILE, History
from lab.runner.folder import EXPERIMENT_FILE
from lab.sim.fit.by_simulation import fit_dynamics, measure
from lab.sim.fit.equations import Estimate, fit
from lab.sim.fit.kept import Calibration, Source
from lab.sim.fit.observed import Observed, observe
from lab.sim.warm import warm

READ_ALLOWED_S, WARM_ALLOWED_S, SOLVE_ALLOWED_S, SIMULATE_ALLOWED_S = 300.0, 600.0, 120.0, 3600.0
"""Chosen: several times what they took on two cores."""
EPILOG = examples(
    "lab calibrate",
    "lab calibrate --pods 50",
    "lab calibrate --sim runs/20260101T120000Z-cascade runs/20260101T130000Z-baseline",
    exits=GIVEN_UP,
    see=("lab up", "lab run", "lab compare-worlds"),
)
OWN = "simulator-calibration.json"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("calibrate", epilog=EPILOG)(calibrate)


def calibrate(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN", help="with --sim: folders of runs on containers", show_default=False)
    ] = None,
    sim: Annotated[bool, typer.Option("--sim", help="fit the simulator's free parameters to runs")] = False,
    out: Annotated[Path | None, typer.Option(help="with --sim: where to keep the fit; the lab's cache if left out")] = None,
    seeds: Annotated[int, typer.Option(min=2, max=64, help="with --sim: seeds simulated at each step")] = 6,
    pods: Annotated[int, typer.Option(help="workload pods")] = 35,
    requests_per_s: Annotated[float, typer.Option(help="steady requests per second")] = 25,
) -> None:
    """Measure what an app node uses while nothing is broken.

    Later runs cap their nodes at a multiple of it (shape.cap_multiple). With --sim nothing is measured: the simulator's free parameters are fitted to stored runs, and kept with their uncertainty.
    """
    if sim:
        _fit(runs or [], out or paths.cache() / OWN, seeds)
    elif runs or out:
        raise Refused("calibrate", "runs and --out belong to --sim", "lab calibrate --sim RUN..., or lab calibrate without them")
    else:
        # Loaded here alone: a fit needs no engine.
        import_module("lab.cli.cluster_commands").measure_node(pods, requests_per_s)


def digest(folder: Path) -> str:
    """SHA-256 of a run's history.

    Raises:
        Refused: it has none.
    """
    path = folder / HISTORY_FILE
    if not path.is_file():
        raise Refused(f"read the history {path}", "no such file", "name the folder of a run")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def experiment_of(folder: Path) -> Experiment:
    """What a run ran, its seed left out: two runs of one experiment differ in nothing else.

    Raises:
        Refused: it does not say.
    """
    path = folder / EXPERIMENT_FILE
    if not path.is_file():
        raise Refused(f"read the experiment {path}", "no such file", "name the folder of a run")
    return Experiment.model_validate_json(path.read_text(encoding="utf-8")).model_copy(update={"seed": 0})


def _fit(folders: list[Path], out: Path, seeds: int) -> None:
    if not folders:
        raise Refused("fit the simulator", "no runs were named", "lab calibrate --sim runs/A runs/B")
    if not find_spec("scipy"):
        raise Refused("fit the simulator", "SciPy is not installed", paths.add_packages("--group fit"))
    console = terminal()
    seen: list[Observed] = []
    with console.step("Reading the runs", READ_ALLOWED_S) as step:
        for folder in folders:
            step.say(folder.name)
            seen.append(observe(folder, digest(folder)))
    with console.step("Solving the equations of CPU, renewals and latencies", SOLVE_ALLOWED_S):
        found = fit(seen)
    found |= _simulate(console, folders, found, seeds)
    made = {name: version(name) for name in ("cascade-lab", "scipy", "numpy", "numba")}
    kept = Calibration(found, [Source(run.name, run.digest) for run in seen], made)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(kept.to_json(), encoding="utf-8")
    for line in table(found):
        console.line(line)
    console.line(f"kept in {out}; simulated runs use it from now on" if out.name == OWN else f"kept in {out}")


def _simulate(console: LabConsole, folders: list[Path], found: dict[str, Estimate], seeds: int) -> dict[str, Estimate]:
    """What only simulations show, from the runs with an experiment that has a fault."""
    with console.step("Getting the compiled gossip pool (compiled once per version, about a minute)", WARM_ALLOWED_S):
        warm()
    chosen = [(folder, experiment_of(folder)) for folder in folders]
    injured = [(folder, experiment) for folder, experiment in chosen if experiment.faults]
    if not injured:
        console.line("no run with a fault: what replacements cost and how long agents wait stays as chosen")
        return {}
    first = injured[0][1]
    alike = [folder for folder, experiment in injured if experiment == first]
    costs = Calibration(found, [], {}).costs()
    with console.step(f"Simulating {first.name} until it does what {len(alike)} runs did", SIMULATE_ALLOWED_S) as step:
        real = [measure(History.read(folder / HISTORY_FILE)) for folder in alike]
        return fit_dynamics(real, first, costs, range(seeds), step.say)[1]


def table(found: dict[str, Estimate]) -> list[str]:
    """The parameters as text: value, 95 % interval, what decided it."""
    lines = ["parameter | value | 95 % interval | decided by"]
    for name, estimate in sorted(found.items()):
        how = f"{estimate.n:,} observations" if estimate.seen else "mostly its chosen value: these runs hardly show it"
        lines.append(f"{name} | {estimate.value:.4g} | {estimate.low:.4g} .. {estimate.high:.4g} | {how}")
    return lines
