"""What the shell offers after Tab: experiments, fields for `--set`, runs. Each answers at once, from files alone, and never fails."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

from lab.core.errors import LabError
from lab.core.experiment import Experiment
from lab.core.fields import FieldWords, fields
from lab.core.history import HISTORY_FILE
from lab.runner.load import EXPERIMENTS, load_experiment

Offer = tuple[str, str]
"""What to put in, and what to say beside it."""
RUNS = Path("runs")


def experiments(incomplete: str) -> list[Offer]:
    """Names of experiments; a path is left to the shell."""
    return [(name, load_experiment(name).title) for name in EXPERIMENTS if name.startswith(incomplete)]


def settings(context: typer.Context, incomplete: str) -> list[Offer]:
    """`FIELD=VALUE` with the value that the chosen experiment has, or, after the `=`, the values where there are few.

    Bash cuts words at `=`, so that there only the first half is completed.
    """
    chosen = _chosen(context.params.get("experiment") or context.params.get("base") or "cascade")
    name, equals, begun = incomplete.partition("=")
    known = fields([spec.fault for spec in chosen.faults] if chosen else ())
    if equals:
        choices: Iterable[str] = next((field.choices for field in known if field.path == name), ())
        return [(f"{name}={value}", "") for value in choices if value.startswith(begun)]
    return list(_settable(known, chosen, name))


def runs(incomplete: str) -> list[Offer]:
    """Folders of runs, the newest first."""
    found = sorted(RUNS.glob(f"*/{HISTORY_FILE}"), reverse=True)
    return [(str(place.parent), "") for place in found if str(place.parent).startswith(incomplete)]


def _settable(known: Iterable[FieldWords], chosen: Experiment | None, begun: str) -> Iterator[Offer]:
    for field in known:
        if field.path.startswith(begun):
            yield f"{field.path}={_now(chosen, field)}", f"{field.description or field.path} ({field.allowed})"


def _chosen(name: str) -> Experiment | None:
    try:
        return load_experiment(name)
    except LabError:
        return None


def _now(chosen: Experiment | None, field: FieldWords) -> str:
    """The value that `chosen` has, if it is one word; a list or a sentence is left to the user."""
    node: object = chosen
    for key in field.path.split("."):
        node = node[int(key)] if isinstance(node, list) and key.isdecimal() else getattr(node, key, None)
    if isinstance(node, bool):
        return str(node).lower()
    if isinstance(node, int | float):
        return f"{node:g}"
    return node if isinstance(node, str) and " " not in node else field.default if " " not in field.default else ""
