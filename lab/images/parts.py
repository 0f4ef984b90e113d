"""A part: one thing that is made once and kept, with a stamp that says from what it was made.

The stamp is written last, under a temporary name and then renamed, so a part that was interrupted has none and is made again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.paths import cache
from lab.core.progress import Step


@dataclass(frozen=True, slots=True)
class Bench:
    """What a part is given to work with."""

    step: Step
    log: Path
    made: Mapping[str, Mapping[str, Any]]
    """What the parts that it needs have made: the `made` of their stamps, by part name."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something to make.

    Args:
        name: also the name of its log file and stamp.
        make: does the work and returns what the stamp shall remember.
        present: is what the stamp remembers still there?
        needs: parts that must be made before.
        files: recipe files and folders; a change in one means making it again.
        settings: versions and other text that goes in.
        expect_s: seconds it takes on 2 cores, cold; the longest path is begun first.
    """

    name: str
    make: Callable[[Bench], dict[str, Any]]
    present: Callable[[Mapping[str, Any]], bool]
    needs: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    settings: tuple[str, ...] = ()
    expect_s: float = 10.0
    stamp: str = ""
    """The stamp's name where it is not the part's: a part has one stamp per way to get it, so that both are remembered."""


def key(part: Part, made: Mapping[str, Mapping[str, Any]]) -> str:
    """The hash of everything that a part is made from: its recipe, its settings, and what its needs came out as."""
    digest = hashlib.sha256()
    digest.update(json.dumps([part.name, part.settings]).encode())
    for file in _leaves(part.files):
        digest.update(f"\0{file.name}\0{file.stat().st_mode & 0o111}\0".encode())
        digest.update(file.read_bytes())
    for need in part.needs:
        digest.update(json.dumps([need, made[need]], sort_keys=True).encode())
    return digest.hexdigest()


def remembered(part: Part, made: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """What the part was made as, if it was made from the same things and is still there."""
    try:
        stamp = json.loads(stamp_path(part).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if stamp.get("key") != key(part, made) or not part.present(stamp["made"]):
        return None
    result: dict[str, Any] = stamp["made"]
    return result


def remember(part: Part, made: Mapping[str, Mapping[str, Any]], result: Mapping[str, Any]) -> None:
    """Write the stamp; from here on the part counts as made."""
    write_whole(stamp_path(part), json.dumps({"key": key(part, made), "made": result}, indent=1))


def stamp_path(part: Part) -> Path:
    """Where a part's stamp is kept."""
    return cache() / "stamps" / f"{part.stamp or part.name}.json"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.write_text(text)
    draft.replace(path)


def files_present(made: Mapping[str, Any]) -> bool:
    """Are all files there, in the size they were made in? For parts whose stamp has `files`: path to bytes."""
    return all(Path(path).is_file() and Path(path).stat().st_size == size for path, size in made["files"].items())


def files_made(*paths: Path) -> dict[str, Any]:
    """A stamp's content for a part that makes files."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as made:
            digest.update(hashlib.file_digest(made, "sha256").digest())
    return {"files": {str(path): path.stat().st_size for path in paths}, "sha256": digest.hexdigest()}


def _leaves(places: tuple[Path, ...]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        found += (
            sorted(leaf for leaf in place.rglob("*") if leaf.is_file() and "__pycache__" not in leaf.parts) if place.is_dir() else [place]
        )
    return found
