"""`lab pool`: what a gossip pool of a given size makes of a cascade's churn, arm by arm."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.console import terminal
from lab.cli.help import examples
from lab.cli.on_all_cores import on_all_cores
from lab.core import paths
from lab.report.pool_page import render_page
from lab.sim import study
from lab.sim.fit.kept import newest
from lab.sim.warm import warm

WARM_ALLOWED_S, ALLOWED_S = 600.0, 1800.0
"""Chosen: several times what they took on two cores."""
FEWER = "fewer agents: lab pool --agents 1000"

AGENTS_MAX = 41_000
"""Chosen: the incident's. A pool of as many was taken through this churn."""
EPILOG = examples("lab pool --agents 200", "lab pool --agents 1000 --out pool.html", see=("lab validate",))


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("pool", epilog=EPILOG)(pool)


def pool(
    agents: Annotated[int, typer.Option(min=20, max=AGENTS_MAX, help="agents, one for each pod")] = 1000,
    seed: Annotated[int, typer.Option(help="of the chance")] = 1,
    out: Annotated[Path | None, typer.Option(help="write the table as a page, too (HTML)")] = None,
) -> None:
    """Simulate a gossip pool through a cascade's churn.

    Arm by arm: old and new Consul, with and without encryption, an agent per pod and per node, one pool and ten.
    """
    console = terminal()
    costs = newest(paths.cache())[0].costs()
    with console.step("Getting the compiled gossip pool (compiled once per version, about a minute)", WARM_ALLOWED_S):
        warm()
    jobs = {arm.name: partial(study.study, agents, arm, seed, costs) for arm in study.ARMS}
    with console.step(f"Simulating {len(jobs)} pools of up to {agents:,} agents", ALLOWED_S) as step:
        found = list(on_all_cores(jobs, step, ALLOWED_S, FEWER).values())
    for line in study.lines(agents, found):
        console.line(line)
    if out is not None:
        out.write_text(render_page(agents, found), encoding="utf-8")
        console.line(f"page: {out}")
