"""Load an experiment by name or by path; a wrong one is refused with the line, the field and what is allowed."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from lab.core.errors import Refused
from lab.core.experiment import Experiment
from lab.core.fault_specs import FAULT_SPECS
from lab.core.fields import Location, allowed_at, names_at

FOLDER = Path(__file__).resolve().parents[1] / "experiments"
EXPERIMENTS = {
    name: FOLDER / f"{name}.yaml"
    for name in (
        "baseline",
        "cascade",
        "flapping",
        "flood-only",
        "gossip-cure",
        "gossip-freeze",
        "gossip-poison",
        "partition",
        "shared-gossip",
    )
}
"""Every experiment that comes with the lab; a new one is a new file and a word here."""

SCHEMA = FOLDER / "experiment.schema.json"
"""The published schema (`lab.core.experiment.schema_text`)."""


def load_experiment(name_or_path: str, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment of that name, or of that file, with each `a.b=value` of `overrides` put in.

    Raises:
        Refused: not known, not readable, not YAML, or not an experiment; all that is wrong is named at once.
    """
    path = find(name_or_path)
    tree = parse(path)
    return check(tree, put_all(tree, overrides), path)


def check(tree: CommentedMap, changed: Mapping[Location, str], path: Path) -> Experiment:
    """The experiment that `tree` holds.

    Args:
        tree: as parsed from `path`.
        changed: what `put_all` put in, to be named when it is wrong.
        path: of the file, for messages.

    Raises:
        Refused: it is not an experiment; all that is wrong is named at once.
    """
    try:
        return Experiment.model_validate(_plain(tree))
    except ValidationError as error:
        wrong = [_explain(detail, tree, changed) for detail in error.errors(include_url=False)]
        raise Refused(f"use the experiment {path}", "\n".join(wrong), "correct it; lab experiments show cascade is an example") from error


def find(name_or_path: str) -> Path:
    """The file of an experiment: a known name, or a path (it holds a `/` or ends in .yaml or .yml).

    Raises:
        Refused: neither.
    """
    if name_or_path in EXPERIMENTS:
        return EXPERIMENTS[name_or_path]
    path = Path(name_or_path)
    if "/" in name_or_path or path.suffix in {".yaml", ".yml"}:
        if path.is_file():
            return path
        raise Refused(f"find the experiment {path}", "no such file", f"known names: {', '.join(sorted(EXPERIMENTS))}")
    near = difflib.get_close_matches(name_or_path, EXPERIMENTS, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise Refused(
        f"find the experiment {name_or_path!r}", "no such name", f"{hint}known: {', '.join(sorted(EXPERIMENTS))}, or the path of a file"
    )


def parse(path: Path) -> CommentedMap:
    """The file with its comments and line numbers.

    Raises:
        Refused: it cannot be read, or is not YAML that holds fields.
    """
    what = f"read the experiment {path}"
    try:
        tree = YAML().load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Refused(what, f"{where}{_one_line(error.problem or error.context)}", "correct the YAML there") from error
    except (YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise Refused(what, _one_line(error), "give a readable UTF-8 YAML file") from error
    if not isinstance(tree, CommentedMap):
        raise Refused(what, "line 1: the file must hold fields (name: ..., title: ...)", "lab experiments show cascade is an example")
    return tree


def put_all(tree: CommentedMap, overrides: Sequence[str]) -> dict[Location, str]:
    """Put each `a.b=value` into `tree`; where each went, and its words.

    Raises:
        Refused: not of that form, or there is no such place.
    """
    return {_put(tree, override): override for override in overrides}


def _put(tree: CommentedMap, override: str) -> Location:
    field, equals, text = override.partition("=")
    keys: Location = tuple(int(key) if key.isdecimal() else key for key in field.strip().split("."))
    if not equals or not field.strip():
        raise Refused(f"use --set {override}", f"it is not FIELD=VALUE{_allowed(keys)}", "write it as --set workload.pods=40")
    try:
        value = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise Refused(
            f"use --set {override}", f"{field}: {_short(text)} is not YAML{_allowed(keys)}", "write it as --set workload.pods=40"
        ) from error
    branch: Any = tree
    for key in keys[:-1]:
        if isinstance(branch, CommentedMap) and branch.get(key) is None:
            branch[key] = CommentedMap()
        branch = _step(branch, key, override)
    if isinstance(branch, CommentedMap):
        branch[keys[-1]] = value
    else:
        _step(branch, keys[-1], override)
        branch[keys[-1]] = value
    return keys


def _step(branch: Any, key: int | str, override: str) -> Any:
    if isinstance(branch, CommentedMap):
        return branch[key]
    if isinstance(branch, CommentedSeq) and isinstance(key, int) and key < len(branch):
        return branch[key]
    has = f"the list holds {len(branch)}, counted from 0" if isinstance(branch, CommentedSeq) else f"{_short(branch)} has no fields"
    raise Refused(f"use --set {override}", f"there is no {key!r} to change: {has}", "see every field: lab experiments fields")


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind) and type(node) is not bool:
            return kind(node)
    return node


def _explain(detail: Any, tree: CommentedMap, changed: Mapping[Location, str]) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    location, kind = _place(detail["loc"], str(detail["type"]))
    location = location or tuple(int(key) if key.isdecimal() else key for key in message.split(" ", 1)[0].split("."))
    where = (
        next((f"--set {text}" for keys, text in changed.items() if keys == location[: len(keys)]), None) or f"line {_line(tree, location)}"
    )
    field = ".".join(str(key) for key in location)
    if detail["type"] == "extra_forbidden":
        known = names_at(location[:-1], kind)
        near = difflib.get_close_matches(str(location[-1]), known, 1)
        message = f"unknown field{f', did you mean {near[0]}?' if near else ''}; allowed: {', '.join(known)}"
    elif detail["type"] == "union_tag_invalid":
        message = f"Input should be {_listed(list(FAULT_SPECS))}, not {_short(detail['input']['fault'])}"
    elif detail["type"] in {"missing", "union_tag_not_found"}:
        message = f"the field is missing{_allowed(location, kind)}"
    elif detail["type"] != "value_error":
        message = f"{message}, not {_short(detail['input'])}{_allowed(location, kind)}"
    return f"{where}: {message}" if message.startswith(field) else f"{where}: {field}: {message}"


def _line(tree: Any, location: Location) -> int:
    """1-based line of the deepest part of `location` that the file holds."""
    line = 1
    branch = tree
    for key in location:
        try:
            line = (branch.lc.key(key)[0] if isinstance(branch, CommentedMap) else branch.lc.item(key)[0]) + 1
            branch = branch[key]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line


def _place(location: Location, wrong: str) -> tuple[Location, str]:
    """Where in the file, and the kind of fault there; pydantic names a fault's kind as if it were one more level of the file."""
    kind = str(location[2]) if len(location) > 2 and location[0] == "faults" else ""
    place = (*location[:2], *location[3:]) if kind else location
    return ((*place, "fault") if wrong.startswith("union_tag") else place), kind


def _allowed(location: Location, fault: str = "") -> str:
    words = ", ".join(FAULT_SPECS) if location[-1:] == ("fault",) else allowed_at(location, fault)
    return f"; allowed: {words}" if words else ""


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:-1]) + f" or '{names[-1]}'"


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:300]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
