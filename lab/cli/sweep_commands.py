"""`lab sweep`: an experiment under every combination of arms and some fields' values, several times, and the tables of the chain and of its gossip pools."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from lab.adapters.clock import SystemClock
from lab.checkers.verdict import Verdict
from lab.cli.console import LabConsole, terminal
from lab.cli.experiment_commands import Changes, Named
from lab.cli.help import examples
from lab.cli.on_containers import run_and_judge
from lab.cli.worlds import World, refuse_on_containers, refuse_to_simulate
from lab.core.errors import Aborted, LabError, NotHealed, Refused
from lab.core.experiment import Experiment
from lab.core.history import HISTORY_FILE
from lab.report.sweep_page import Shown, render_page
from lab.report.sweep_table import as_csv, markdown
from lab.runner.interrupts import Interrupted
from lab.runner.load import load_experiment
from lab.runner.sweep import CSV_FILE, PAGE_FILE, TABLE_FILE, Cell, Planned, Sweep, cells, order

PLAN_FILE = "sweep.json"
BROKEN = "broken"
"""What the folder of a run that was not completed is called after; it is kept, and the run is made again."""
EPILOG = examples(
    "lab sweep gossip-poison --vary consul.version=1.2.2,1.2.3 --vary consul.encryption=off,on --out versions",
    "lab sweep gossip-cure --arm 'nothing: remedies=[]' --arm 'no key: remedies.0.key=unchanged' --arm 'new key' --out cure",
    "lab sweep cascade --world sim --vary workload.pods=30,50 --repeat 100 --out seeds",
    exits="0 every run is made, 2 usage or refused, 4 some are not, or it was interrupted, 5 not healed",
    see=("lab run", "lab experiments fields", "lab diff"),
)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("sweep", epilog=EPILOG)(sweep)


def sweep(  # noqa: PLR0913  # one parameter an option; Typer reads them from the signature
    experiment: Named,
    out: Annotated[Path, typer.Option(help="folder of the sweep; the same command with the same folder goes on where it was")],
    varied: Annotated[
        list[str] | None, typer.Option("--vary", metavar="FIELD=VALUE,VALUE", help="a field and its values; may be repeated")
    ] = None,
    *,
    arms: Annotated[
        list[str] | None,
        typer.Option(
            "--arm", metavar="'NAME: FIELD=VALUE ...'", help="a name and what it sets, nothing or several fields; may be repeated"
        ),
    ] = None,
    changes: Changes = None,
    world: World = "kind",
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="runs of each combination; five are the least that carry a claim")] = 5,
    seed: Annotated[
        int, typer.Option(help="kind: of the order of the runs within each round; sim: of the first round's runs, one more each round")
    ] = 20190115,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="sim: a Dask scheduler of yours, such as tcp://10.0.0.5:8786, instead of this machine's cores"
        ),
    ] = None,
) -> None:
    """Run an experiment under each arm and set of values.

    In rounds; writes sweep.html, table.md and runs.csv. On containers one run follows the other, in random order, and all three are written after each. A run
    that fails is told and left out until the command is given again. Ctrl-C ends the run that goes on by healing it. With `--world sim` runs go on
    all cores, or on a Dask cluster.
    """
    plan = Sweep(experiment, tuple(changes or ()), tuple(varied or ()), seed, world, tuple(arms or ()))
    found = cells(plan.varied, plan.arms)
    # all that is wrong is said before the first run
    chosen = {cell: load_experiment(experiment, [*plan.changes, *cell.settings]) for cell in found}
    if world == "sim":
        _simulate(plan, out, repeat, chosen, scheduler)
        return
    if scheduler is not None:
        raise Refused(
            f"run on containers at {scheduler}", "only simulated runs go to a Dask scheduler", "add --world sim, or leave out --scheduler"
        )
    for one in chosen.values():
        refuse_on_containers(one)
    _keep(plan, out)
    _Runs(plan, out, terminal()).go(list(order(found, repeat, seed)), found)


def _simulate(plan: Sweep, out: Path, repeat: int, chosen: Mapping[Cell, Experiment], scheduler: str | None) -> None:
    if any(text.startswith("seed=") for cell in chosen for text in (*plan.changes, *cell.settings)):
        raise Refused(
            "set the seed of simulated runs as a field", "each round has its own", f"lab sweep {plan.experiment} --world sim --seed 1"
        )
    simulated = import_module("lab.cli.simulated_sweep")  # here alone: the simulator takes seconds to load
    for one in chosen.values():
        refuse_to_simulate(one)
        simulated.refuse(one)
    _keep(plan, out)
    runs = {
        Planned(number, cell): one.model_copy(update={"seed": plan.seed + number - 1})
        for number in range(1, repeat + 1)
        for cell, one in chosen.items()
    }
    simulated.sweep(out, plan, runs, scheduler)


class _Runs:
    def __init__(self, plan: Sweep, out: Path, console: LabConsole) -> None:
        self._plan = plan
        self._out = out
        self._console = console
        self._clock = SystemClock()

    def go(self, planned: Sequence[Planned], found: Sequence[Cell]) -> None:
        """Make the runs that are not made yet."""
        waiting = [one for one in planned if judged(self._out / one.folder) is None]
        begun_s, failed = self._clock.now_s(), 0
        for number, one in enumerate(waiting):
            each_s = (self._clock.now_s() - begun_s) / number if number else 0.0
            left = f", about {each_s * (len(waiting) - number) / 60:.0f} min left" if number else ""
            self._console.line(f"run {len(planned) - len(waiting) + number + 1} of {len(planned)}: {one.cell.title}{left}")
            failed += not self._made(one)
            self._write(planned, found)
        self._write(planned, found)
        self._console.line((self._out / TABLE_FILE).read_text(encoding="utf-8"))
        self._console.line(f"page: {self._out / PAGE_FILE}, table: {self._out / TABLE_FILE}, runs: {self._out / CSV_FILE}")
        if failed:
            raise Aborted("make every run of the sweep", f"{failed} of {len(waiting)} failed", "give the same command again to make these")

    def _made(self, one: Planned) -> bool:
        """Was it completed? One that failed is told; what must not be gone on after is raised."""
        folder = self._out / one.folder
        _put_aside(folder)
        chosen = load_experiment(self._plan.experiment, [*self._plan.changes, *one.cell.settings])
        words = [setting for text in (*self._plan.changes, *one.cell.settings) for setting in ("--set", text)]
        try:
            run_and_judge(chosen, folder, shlex.join(["lab", "run", self._plan.experiment, *words]))
        except (NotHealed, Refused):
            raise
        except LabError as error:
            if isinstance(error.__cause__, Interrupted):
                raise
            self._console.error(error)
            return False
        return True

    def _write(self, planned: Sequence[Planned], found: Sequence[Cell]) -> None:
        shown = made(self._out, planned, found)
        runs = {values: [one.verdict for one in every] for values, every in shown.items()}
        columns = self._plan.columns
        table = markdown(columns, runs) + told_caps([self._out / one.folder for one in planned])
        (self._out / TABLE_FILE).write_text(table, encoding="utf-8")
        (self._out / CSV_FILE).write_text(as_csv(columns, runs), encoding="utf-8")
        (self._out / PAGE_FILE).write_text(render_page(self._plan.experiment, self._plan.changes, columns, shown), encoding="utf-8")


def made(out: Path, planned: Sequence[Planned], found: Sequence[Cell]) -> Mapping[tuple[str, ...], list[Shown]]:
    """The runs that are made, by the values of what is varied."""
    runs: dict[tuple[str, ...], list[Shown]] = {cell.values: [] for cell in found}
    for one in planned:
        if (verdict := judged(out / one.folder)) is not None:
            runs[one.cell.values].append(Shown(f"round {one.round}", verdict, f"{quote(one.folder)}/report.html"))
    return runs


def told_caps(folders: Sequence[Path]) -> str:
    """A sentence on the CPU that the app nodes of these runs had: it is measured anew after 12 hours, and where nodes turn out to take less."""
    caps = sorted({cap for folder in folders if judged(folder) is not None and (cap := _cap_cores(folder)) is not None})
    if not caps:
        return ""
    if len(caps) == 1:
        return f"\nEach app node had {caps[0]:g} core in all runs.\n"
    return f"\nApp nodes had {caps[0]:g} to {caps[-1]:g} core, not the same in all runs.\n"


def _cap_cores(folder: Path) -> float | None:
    """From the end of the preparation, before the first sample: not the whole of a long history is read."""
    with (folder / HISTORY_FILE).open(encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            if event["kind"] == "sample":
                return None
            if event.get("phase") == "prepare" and event.get("settings"):
                return float(event["settings"]["caps"]["app_cap_cores"])
    return None


def judged(folder: Path) -> Verdict | None:
    """The verdict of a completed run; None if there is no such run."""
    place = folder / "verdict.json"
    if not place.is_file():
        return None
    try:
        verdict = Verdict.from_json(place.read_text(encoding="utf-8"))
    except ValueError:  # cut short
        return None
    return verdict if verdict.status == "completed" else None


def _keep(plan: Sweep, out: Path) -> None:
    """Write what the sweep is, or see that it is the one that is there.

    Raises:
        Refused: another sweep is there.
    """
    place, text = out / PLAN_FILE, json.dumps(asdict(plan), indent=1) + "\n"
    if place.is_file():
        if {"world": "kind", "arms": [], **json.loads(place.read_text(encoding="utf-8"))} != json.loads(text):
            raise Refused(f"go on with the sweep in {out}", f"another one is there; see {place}", "name another folder with --out")
        return
    if out.is_dir() and any(out.iterdir()):
        raise Refused(f"keep a sweep in {out}", "it is not empty, and holds no sweep", "name another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def _put_aside(folder: Path) -> None:
    """Out of the way, under the first name that is free."""
    if folder.exists():
        number = 1
        while (aside := folder.with_name(f"{BROKEN}-{number}-{folder.name}")).exists():
            number += 1
        folder.rename(aside)
