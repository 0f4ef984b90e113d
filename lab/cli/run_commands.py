"""`lab run`, `judge`, `report`: an experiment becomes a history, a history becomes a verdict and a page."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from lab.cli import completion, judging
from lab.cli.console import terminal
from lab.cli.experiment_commands import Changes, Named
from lab.cli.help import JUDGED, examples
from lab.cli.worlds import World, refuse_on_containers, refuse_to_simulate
from lab.core.errors import Refused
from lab.core.experiment import Experiment
from lab.runner.load import load_experiment

RunFolder = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="folder of a run, such as runs/20260101T120000Z-cascade", show_default=False, autocompletion=completion.runs
    ),
]
EPILOGS = {
    "run": examples(
        "lab run cascade",
        "lab run baseline --out calm",
        "lab run cascade --set workload.pods=50 --set faults.0.heal_at_s=30",
        "lab run ./mine.yaml",
        "lab run cascade --dry-run",
        "lab run cascade --world sim --repeat 10",
        exits=f"{JUDGED}, 4 aborted or interrupted, 5 not healed",
        see=("lab experiments", "lab watch", "lab why", "lab sweep", "lab heal"),
    ),
    "judge": examples("lab judge runs/20260101T120000Z-cascade", exits=JUDGED, see=("lab why", "lab report")),
    "report": examples("lab report runs/20260101T120000Z-cascade", see=("lab serve", "lab diff", "lab export")),
}


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (run, judge, report):
        app.command(command.__name__, epilog=EPILOGS[command.__name__])(command)


def run(  # one parameter an option; Typer reads them from the signature
    experiment: Named,
    out: Annotated[Path | None, typer.Option(help="folder of the run; runs/UTC-NAME if left out")] = None,
    changes: Changes = None,
    world: World = "kind",
    seed: Annotated[int | None, typer.Option(help="instead of the experiment's own seed")] = None,
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="simulate so many seeds, from the first on, on all cores")] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print every command it would send, and when; needs no cluster, changes nothing")
    ] = False,
) -> None:
    """Run an experiment, judge it, and write its report.

    On the lab's cluster: steady state, faults, flood, recovery, heal. In a terminal the live view shows it (`lab watch --help` names the keys).
    The run's folder holds experiment.json, history.jsonl, the users' requests, verdict.json and report.html. Ctrl-C ends a run by healing it.
    With `--world sim` nothing but Python is needed, and every figure is a model's.
    """
    chosen = load_experiment(experiment, [*(changes or []), *([f"seed={seed}"] if seed is not None else [])])
    _refuse_what_the_world_cannot(chosen, world, repeat, dry_run=dry_run)
    # Loaded here alone: each needs what the others must do without.
    if dry_run:
        import_module("lab.cli.rehearse").rehearse(chosen, terminal().line)
    elif world == "sim":
        import_module("lab.cli.simulated").run(chosen, out, repeat)
    else:
        import_module("lab.cli.on_containers").run(chosen, out, " ".join(["lab", *sys.argv[1:]]))


def judge(run: RunFolder) -> None:
    """Judge a stored run again; writes verdict.json.

    From its history alone: the same history gets the same verdict, on any machine.
    """
    history, verdict = judging.judge_folder(run)
    judging.tell(run, history, verdict)
    judging.leave(verdict)


def report(run: RunFolder) -> None:
    """Write the page of a stored run again: report.html.

    From its history alone. The page needs no network and nothing beside it.
    """
    terminal().line(str(judging.write_report(run, *judging.judge_folder(run))))


def _refuse_what_the_world_cannot(chosen: Experiment, world: str, repeat: int, *, dry_run: bool) -> None:
    if world == "sim":
        refuse_to_simulate(chosen)
    if world == "sim" and dry_run:
        raise Refused("tell what a simulated run would send", "it sends nothing", "leave out --dry-run, or --world sim")
    if world == "kind" and repeat > 1:
        raise Refused("repeat a run on containers", "only simulated runs are repeated by --repeat", "lab run NAME --world sim --repeat 10")
    if world == "kind":
        refuse_on_containers(chosen)
