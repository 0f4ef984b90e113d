"""The runs of a sweep in the simulator: many seeds, many settings, on all cores of this machine or on a Dask cluster, and one table and page.

A run leaves one small file: its verdict and the digest of its history. `lab run --world sim` with the same settings and seed makes the whole run, with a
history of that digest.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from lab.adapters import dask_cluster
from lab.cli import on_all_cores, simulated_job
from lab.cli.console import terminal
from lab.cli.simulated import compile_first
from lab.cli.simulated_job import Made, make_elsewhere
from lab.core.errors import Aborted, LabError
from lab.core.experiment import Experiment
from lab.report.sweep_page import Shown, render_page
from lab.report.sweep_table import Simulated, simulated, simulated_csv
from lab.runner.sweep import CSV_FILE, PAGE_FILE, TABLE_FILE, Planned, Sweep
from lab.sim.chain.injuries import Injuries
from lab.sim.chain.plan import Plan

ALLOWED_S = 86_400.0
"""Chosen: a day; what is made by then is kept, and the same command goes on."""


def refuse(experiment: Experiment) -> None:
    """What the simulator cannot do.

    Raises:
        Refused: a fault that it does not know.
    """
    Injuries.of(experiment, Plan.of(experiment))


def sweep(out: Path, plan: Sweep, runs: Mapping[Planned, Experiment], scheduler: str | None = None) -> None:
    """Make the runs that are not made yet, and write the tables, also when it is interrupted.

    Args:
        out: folder of the sweep.
        plan: what the runs have in common, and what is varied.
        runs: each with its seed.
        scheduler: address of a Dask scheduler; the cores of this machine if left out.

    Raises:
        Aborted: some runs could not be simulated, while the others were; or the time is up.
        LabError: the Dask cluster cannot be used.
    """
    console = terminal()
    waiting = {one: experiment for one, experiment in runs.items() if not _place(out, one).is_file()}
    if waiting and scheduler is None:
        compile_first(console)
    failed: list[str] = []
    try:
        with console.step(f"Simulating {len(waiting)} of {len(runs)} runs", ALLOWED_S) as step:
            for done, (one, found) in enumerate(_as_finished(waiting, scheduler), 1):
                seed = runs[one].seed
                if isinstance(found, LabError):
                    failed.append(f"{', '.join((*one.cell.settings, f'seed={seed}'))}: {found}")
                else:
                    _keep(
                        _place(out, one),
                        Simulated(settings=one.cell.settings, seed=seed, history_sha256=found.history_sha256, verdict=found.verdict),
                    )
                step.say(f"{done} of {len(waiting)}")
    finally:
        _write_tables(out, plan, list(runs))
    for line in (
        (out / TABLE_FILE).read_text(encoding="utf-8"),
        f"page: {out / PAGE_FILE}, table: {out / TABLE_FILE}, runs: {out / CSV_FILE}",
        *failed,
    ):
        console.line(line)
    if failed:
        raise Aborted("make every run of the sweep", f"{len(failed)} of {len(waiting)} could not be simulated", "leave out their settings")


def _as_finished(experiments: Mapping[Planned, Experiment], scheduler: str | None) -> Iterator[tuple[Planned, Made | LabError]]:
    if not experiments:
        return iter(())
    jobs = {one: partial(make_elsewhere, job) for one, job in simulated_job.jobs(experiments).items()}
    if scheduler is None:
        return on_all_cores.as_finished(jobs, ALLOWED_S, "give the same command again to go on")
    return dask_cluster.as_finished(jobs, scheduler, ALLOWED_S)


def _place(out: Path, one: Planned) -> Path:
    return out / f"{one.folder}.json"


def _keep(place: Path, run: Simulated) -> None:
    """Whole or not at all: a file that is there is a run that is made."""
    draft = place.with_suffix(".part")
    draft.write_text(run.model_dump_json(indent=1) + "\n", encoding="utf-8")
    draft.replace(place)


def _write_tables(out: Path, plan: Sweep, planned: Sequence[Planned]) -> None:
    found: dict[tuple[str, ...], list[Simulated]] = {}
    for one in planned:
        place, runs = _place(out, one), found.setdefault(one.cell.values, [])
        if place.is_file():
            runs.append(Simulated.model_validate_json(place.read_text(encoding="utf-8")))
    shown = {values: [Shown(f"seed {run.seed}", run.verdict) for run in runs] for values, runs in found.items()}
    (out / TABLE_FILE).write_text(simulated(plan.columns, found), encoding="utf-8")
    (out / CSV_FILE).write_text(simulated_csv(plan.columns, found), encoding="utf-8")
    (out / PAGE_FILE).write_text(render_page(plan.experiment, plan.changes, plan.columns, shown, simulated=True), encoding="utf-8")
