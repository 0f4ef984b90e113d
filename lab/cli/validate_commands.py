"""`lab validate`: the simulator's gossip pool held against published results."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.console import LabConsole, terminal
from lab.cli.help import examples
from lab.cli.on_all_cores import on_all_cores
from lab.report.validation import render_page
from lab.sim import validate as validation
from lab.sim.scenarios import CONFIGURATIONS, Tally
from lab.sim.validate import Row
from lab.sim.warm import warm

QUICK_SEEDS = 3
SHORT_SEEDS = 10
"""Chosen: ten give the short rows intervals of a few per cent in a minute; three show in seconds that nothing is broken."""
PART = 24
"""Cells of the grid that one job runs. Chosen: ten jobs a configuration, so that progress is seen and all cores have work."""
WARM_ALLOWED_S, SHORT_ALLOWED_S, GRID_ALLOWED_S = 600.0, 900.0, 3600.0
"""Chosen: several times what they took on two cores."""


EPILOG = examples(
    "lab validate --quick",
    "lab validate --out validation.html",
    exits="0 every row passes or is known not to, 1 another does not, 2 usage",
    see=("lab compare-worlds", "lab pool"),
)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("validate", epilog=EPILOG)(validate)


def validate(
    quick: Annotated[
        bool, typer.Option("--quick", help="three seeds, and without the rows of the Lifeguard paper, which take minutes")
    ] = False,
    seeds: Annotated[int, typer.Option(min=2, max=20, help="seeds of the Lifeguard rows; more narrow the intervals")] = 2,
    out: Annotated[Path | None, typer.Option(help="write the table as a page with plots, too (HTML)")] = None,
) -> None:
    """Hold the simulated gossip pool against publications.

    SWIM, Lifeguard, memberlist's timers, the capacity law. Every row has a tolerance that was chosen before the first run.
    """
    console = terminal()
    with console.step("Getting the compiled gossip pool (compiled once per version, about a minute)", WARM_ALLOWED_S):
        warm()
    rows: list[Row] = []
    for title, part in validation.short_parts(range(QUICK_SEEDS if quick else SHORT_SEEDS)):
        with console.step(title, SHORT_ALLOWED_S) as step:
            for row in part():
                rows.append(row)
                step.say(row.target)
    if not quick:
        rows += validation.lifeguard_rows(_grid(console, seeds))
    console.line("SIMULATED, against what was published:")
    console.line(validation.render(rows))
    for target in (row.target for row in rows if not row.passes):
        console.line(f"{target}: {validation.EXPLAINED.get(target, 'NOT EXPLAINED')}")
    if quick:
        console.line("left out: the rows of the Lifeguard paper")
    if out is not None:
        out.write_text(render_page(rows), encoding="utf-8")
        console.line(f"page: {out}")
    if validation.unexplained(rows):
        raise typer.Exit(1)


def _grid(console: LabConsole, seeds: int) -> dict[str, list[Tally]]:
    """The interval experiment on all cores."""
    size = len(validation.whole_grid())
    parts = [range(begin, min(begin + PART, size)) for begin in range(0, size, PART)]
    jobs = {
        (name, seed, part): partial(validation.interval_experiment, name, seed, None, part)
        for name in CONFIGURATIONS
        for seed in range(seeds)
        for part in parts
    }
    with console.step(f"Lifeguard's interval experiment: {size} anomalies, {len(jobs) // len(parts)} times", GRID_ALLOWED_S) as step:
        found = on_all_cores(jobs, step, GRID_ALLOWED_S, "lab validate --quick")
    return {name: [sum((found[name, seed, part] for part in parts), Tally()) for seed in range(seeds)] for name in CONFIGURATIONS}
