"""Which code made a run."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from lab.adapters import shell
from lab.core import paths
from lab.core.errors import LabError


def git() -> dict[str, object]:
    """Commit and whether the checkout differs from it; empty outside a checkout."""
    try:
        commit = shell.run(["git", "-C", str(paths.project()), "rev-parse", "HEAD"], timeout_s=10).strip()
        dirty = bool(shell.run(["git", "-C", str(paths.project()), "status", "--porcelain"], timeout_s=10).strip())
    except LabError:
        return {}
    return {"commit": commit, "dirty": dirty}


@cache
def code() -> str:
    """Digest of all that the bytes of a simulated history hang on beside its inputs: the lab's sources, and the two packages that calculate."""
    told = hashlib.sha256(f"numpy {version('numpy')} numba {version('numba')}".encode())
    root = Path(__file__).parents[1]
    for source in sorted(root.rglob("*.py")):
        told.update(f"{source.relative_to(root)} ".encode() + source.read_bytes())
    return told.hexdigest()[:16]
