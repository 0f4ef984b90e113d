"""The parts of the documentation that the code knows best: commands, fields, fidelity, and whole files, as Markdown."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from lab.cli.main import app
from lab.cluster import shape
from lab.core.consul import DEFAULT_VERSION
from lab.core.errors import Refused
from lab.core.experiment import Workload
from lab.core.fault_specs import FAULT_SPECS
from lab.core.fields import FieldWords, fault_fields, fields, remedy_fields
from lab.core.paths import project
from lab.core.remedy_specs import REMEDY_SPECS

HELP_COLUMNS = 100
"""Chosen: what fits into the text column of a page without scrolling."""


def part(name: str, argument: str = "") -> str:
    """The Markdown that stands in for `<!-- lab:name argument -->`.

    Raises:
        Refused: no part of that name.
    """
    if name == "source":
        return source(argument)
    if name not in PARTS:
        raise Refused(f"write the part {name!r} of the documentation", "no such part", f"known: {', '.join([*PARTS, 'source FILE'])}")
    return PARTS[name]()


def commands() -> Iterator[tuple[str, Any]]:
    """`(words, command)` of `lab` and of every command below it, in the order of its help."""
    return _commands("lab", typer.main.get_command(app))


def command_pages() -> str:
    """The help of every command, each under its own heading."""
    return "\n\n".join(f"## `{path}`\n\n```text\n{_help(path, command)}\n```" for path, command in commands())


def field_tables() -> str:
    """All fields, then those of each fault and each remedy."""
    parts = [_table(fields())]
    for fault, spec in FAULT_SPECS.items():
        known = [field for field in fault_fields(fault) if field.path != "faults.N.fault"]
        parts.append(f"## `fault: {fault}`\n\n{spec.__doc__}\n\n{_table(known)}")
    for remedy, told in REMEDY_SPECS.items():
        known = [field for field in remedy_fields() if field.path != "remedies.N.remedy"]
        parts.append(f"## `remedy: {remedy}`\n\n{told.__doc__}\n\n{_table(known)}")
    return "\n\n".join(parts)


def source(path: str) -> str:
    """A file of the project, whole."""
    text = (project() / path).read_text(encoding="utf-8").rstrip()
    return f'```{Path(path).suffix.lstrip(".").replace("py", "python")} title="{path}"\n{text}\n```'


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name in command.list_commands(typer.Context(command)) if hasattr(command, "list_commands") else ():
        yield from _commands(f"{path} {name}", command.get_command(typer.Context(command), name))


def _help(path: str, command: Any) -> str:
    context = command.make_context(path, [], resilient_parsing=True, terminal_width=HELP_COLUMNS, max_content_width=HELP_COLUMNS)
    return str(command.get_help(context)).rstrip()


def _table(known: Iterable[FieldWords]) -> str:
    rows = [
        (f"`{field.path}`", field.allowed, f"`{field.default}`" if field.default else "must be given", field.description) for field in known
    ]
    return _markdown(("field", "allowed", "default", "what it is for"), rows)


def _fidelity() -> str:
    return "\n".join(f"- {line}" for line in shape.fidelity(DEFAULT_VERSION, Workload()))


def _timers() -> str:
    return _markdown(("timer", "lab (default)"), list(shape.SCALED_TIMERS.items()))


def _shares() -> str:
    return _markdown(("slice or service", "CPU shares"), [(f"`{unit}`", f"{shares:,}") for unit, shares in shape.SHARES.items()])


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


PARTS: Mapping[str, Callable[[], str]] = {
    "commands": command_pages,
    "fields": field_tables,
    "fidelity": _fidelity,
    "timers": _timers,
    "shares": _shares,
}
