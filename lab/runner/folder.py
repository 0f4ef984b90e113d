"""Where a run is kept: an empty folder with room, checked before anything is touched."""

import shutil
from pathlib import Path

from lab.core.clock import Clock
from lab.core.errors import Refused

FREE_MB_MIN = 200
"""Chosen: a run writes 10-40 MB, the machine's other programs need the rest; a disk that fills up in a run ends it."""

EXPERIMENT_FILE = "experiment.json"


def choose_folder(name: str, out: Path | None, runs: Path, clock: Clock) -> Path:
    """`out`, or `runs/UTC-name`; it may exist if it is empty. Creates nothing.

    Raises:
        Refused: not empty, not a folder, or too little space.
    """
    folder = out or runs / f"{clock.utc():%Y%m%dT%H%M%SZ}-{name}"
    what = f"keep the run in {folder}"
    try:
        if folder.exists() and not folder.is_dir():
            raise Refused(what, "it is not a folder", "name a folder with --out")
        if folder.is_dir() and any(folder.iterdir()):
            raise Refused(what, "it is not empty", "name a new folder with --out; a stored run is never overwritten")
    except OSError as error:
        raise Refused(what, error.strerror or str(error), "name a folder that can be written with --out") from error
    need_space(folder)
    return folder


def need_space(path: Path) -> None:
    """Refuse a place on a disk that is nearly full.

    Raises:
        Refused: less than `FREE_MB_MIN` free.
    """
    parent = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
    free_mb = shutil.disk_usage(parent).free // 1_000_000
    if free_mb < FREE_MB_MIN:
        raise Refused(
            f"keep a run in {path}", f"{free_mb} MB are free, {FREE_MB_MIN} are needed", "free disk space or name another disk with --out"
        )


def make_folder(folder: Path) -> None:
    """Create the folder.

    Raises:
        Refused: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"keep the run in {folder}", error.strerror or str(error), "name a folder that can be written with --out") from error
