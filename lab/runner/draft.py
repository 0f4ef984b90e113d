"""Write experiments as files: a new one from a known one, and a resolved one as it would run."""

import io
import os
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from lab.core.errors import Refused
from lab.core.experiment import Experiment
from lab.core.paths import project
from lab.runner.load import SCHEMA, check, find, parse, put_all

MARK = "# yaml-language-server: $schema="
"""What the YAML language server of an editor looks for in the first line."""
WIDTH = 120


def draft(target: Path, base: str, overrides: Sequence[str]) -> str:
    """The text of a new experiment at `target`: the file of `base` with its comments, under the new name, with the changes put in.

    Args:
        target: where it will be; its stem becomes the experiment's name.
        base: a known name or a path.
        overrides: `a.b=value`, as for a run.

    Raises:
        Refused: `base` is not known, or the result is not an experiment.
    """
    source = find(base)
    tree = parse(source)
    tree["name"] = target.stem
    check(tree, put_all(tree, overrides), source)
    text = _dumped(tree)
    body = text.split("\n", 1)[1] if text.startswith(MARK) else text
    return f"{MARK}{schema_for(target)}\n{body}"


def write_new(target: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        Refused: it is there, or cannot be written.
    """
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Refused(
            f"write the experiment {target}", "there is a file of that name", "name another one; a file is never overwritten"
        ) from error
    except OSError as error:
        raise Refused(
            f"write the experiment {target}", error.strerror or str(error), "name a file in a folder that can be written"
        ) from error


def resolved(experiment: Experiment) -> str:
    """The experiment as it would run, every field written out, as YAML that is an experiment again, wherever on this machine it is kept."""
    return f"{MARK}{SCHEMA}\n{_dumped(experiment.model_dump(mode='json'))}"


def schema_for(target: Path) -> str:
    """How an editor that has `target` open finds the schema: relative within the checkout, which may move; else absolute."""
    if target.resolve().is_relative_to(project()):
        return os.path.relpath(SCHEMA, target.resolve().parent)
    return str(SCHEMA)


def _dumped(tree: object) -> str:
    yaml = YAML()
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()
