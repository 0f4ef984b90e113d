"""Which code made a run."""

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
