"""`lab experiments`: experiments are files; list them, read one as it would run, begin a new one, check one."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lab.cli import completion
from lab.cli.console import terminal
from lab.cli.help import examples
from lab.core.errors import Refused
from lab.core.experiment import Experiment, schema_text
from lab.core.fault_specs import FAULT_SPECS
from lab.core.fields import FieldWords, fault_fields, fields
from lab.runner.draft import draft, resolved, write_new
from lab.runner.load import EXPERIMENTS, load_experiment
from lab.runner.timeline import end_s

Named = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT", help="a name (lab experiments list) or the path of a YAML file", autocompletion=completion.experiments
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="change a field, such as workload.pods=40; may be repeated", autocompletion=completion.settings
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="machine-readable")]

group = typer.Typer(
    help="Experiments as files: list, read, begin, check.\n\n"
    "An experiment is a YAML file: phases, workload, faults, and what it must show to count as expected. "
    "Every command that takes a name takes the path of your own file too.",
    epilog=examples(
        "lab experiments list",
        "lab experiments new mine.yaml --from cascade",
        "lab experiments validate mine.yaml",
        exits="",
        see=("lab run",),
    ),
    invoke_without_command=True,
)


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="experiments")


@group.callback()
def experiments(context: typer.Context) -> None:
    """Without a subcommand: the list."""
    if context.invoked_subcommand is None:
        list_command()


@group.command("list", epilog=examples("lab experiments list", "lab experiments list --json", see=("lab experiments show", "lab run")))
def list_command(as_json: AsJson = False) -> None:
    """List the experiments that come with the lab.

    With what each must show and how long it takes after its pods are up.
    """
    found = {name: load_experiment(name) for name in EXPERIMENTS}
    console = terminal()
    if as_json:
        rows = [
            {"name": name, "title": one.title, "expected": one.expected.model_dump(), "lasts_s": _lasts_s(one)}
            for name, one in found.items()
        ]
        console.rich.print_json(json.dumps(rows))
        return
    width = max(map(len, found))
    for name, one in found.items():
        console.line(f"{name:<{width}}  {one.title}; expected {_expected(one)}; {_lasts_s(one):.0f} s")


@group.command(
    "show",
    epilog=examples(
        "lab experiments show cascade",
        "lab experiments show baseline --set workload.pods=50 > mine.yaml",
        see=("lab experiments new", "lab experiments fields"),
    ),
)
def show(experiment: Named, changes: Changes = None, as_json: AsJson = False) -> None:
    """Print an experiment as it would run.

    Every field written out, changes put in. The output is an experiment file again.
    """
    chosen = load_experiment(experiment, changes or [])
    console = terminal()
    if as_json:
        console.rich.print_json(chosen.model_dump_json())
    else:
        console.line(resolved(chosen).rstrip("\n"))


@group.command(
    "new",
    epilog=examples(
        "lab experiments new mine.yaml",
        "lab experiments new calm.yaml --from baseline --set workload.pods=20",
        see=("lab experiments validate", "lab experiments fields", "lab run"),
    ),
)
def new(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="the file to write; its name without .yaml becomes the experiment's", show_default=False)
    ],
    base: Annotated[str, typer.Option("--from", help="the experiment to begin with", autocompletion=completion.experiments)] = "cascade",
    changes: Changes = None,
) -> None:
    """Write a new experiment file, begun from a known one.

    Comments and all. Its first line tells editors where the schema is: with the YAML extension of an editor every field is then completed, explained and checked while you type. A file that exists is
    never overwritten.
    """
    if file.suffix not in {".yaml", ".yml"}:
        raise Refused(f"write the experiment {file}", "the name does not end in .yaml", f"lab experiments new {file}.yaml")
    write_new(file, draft(file, base, changes or []))
    terminal().line(
        f"wrote {file}; run it with: lab run ./{file}" if not file.is_absolute() else f"wrote {file}; run it with: lab run {file}"
    )


@group.command(
    "validate",
    epilog=examples(
        "lab experiments validate mine.yaml",
        "lab experiments validate cascade mine.yaml",
        exits="0 all are good, 2 one is not",
        see=("lab experiments fields", "lab run"),
    ),
)
def validate(
    files: Annotated[list[str], typer.Argument(metavar="EXPERIMENT", help="names or files", autocompletion=completion.experiments)],
) -> None:
    """Check experiments and change nothing.

    What is wrong is named with its line, what was given and what is allowed.
    """
    console = terminal()
    wrong = 0
    for name in files:
        try:
            chosen = load_experiment(name)
        except Refused as error:
            wrong += 1
            console.error(error)
            continue
        console.line(f"{name}: good ({chosen.name}, {len(chosen.faults)} faults, {_lasts_s(chosen):.0f} s, expected {_expected(chosen)})")
    if wrong:
        raise typer.Exit(Refused.exit_code)


@group.command("fields", epilog=examples("lab experiments fields", "lab experiments fields --json", see=("lab experiments schema",)))
def fields_command(as_json: AsJson = False) -> None:
    """List every field of an experiment, for files and --set.

    What is allowed, the default, what it is for.
    """
    known = [*fields(), *(field for fault in FAULT_SPECS for field in fault_fields(fault) if field.path != "faults.N.fault")]
    console = terminal()
    if as_json:
        console.rich.print_json(json.dumps([_plain(field) for field in known]))
        return
    table = Table("field", "allowed", "default", "what it is for", box=None, pad_edge=False)
    for field in fields():
        table.add_row(field.path, field.allowed, field.default or "must be given", field.description)
    for fault in FAULT_SPECS:
        table.add_section()
        table.add_row(fault, "", "", FAULT_SPECS[fault].__doc__ or "", style="bold")
        for field in fault_fields(fault):
            if field.path != "faults.N.fault":
                table.add_row(field.path, field.allowed, field.default or "must be given", field.description)
    console.rich.print(table, soft_wrap=False)


@group.command("schema", epilog=examples("lab experiments schema > experiment.schema.json", see=("lab experiments validate",)))
def schema() -> None:
    """Print the JSON Schema of experiment files.

    For an editor on another machine, or a check of your own.
    """
    terminal().line(schema_text().rstrip("\n"))


def _lasts_s(experiment: Experiment) -> float:
    return experiment.steady_s + end_s(experiment)


def _expected(experiment: Experiment) -> str:
    links = ", ".join(map(str, experiment.expected.links))
    return experiment.expected.verdict + (f" with links {links}" if links else "")


def _plain(field: FieldWords) -> dict[str, object]:
    return {"field": field.path, "allowed": field.allowed, "default": field.default, "description": field.description}
