"""Where the lab keeps things: one cache that survives, one state folder that does not.

The cache holds what is slow to make (downloads, builds, the engine's images when the lab runs its own engine).
The state folder holds what a living cluster needs (ledger, lock, secrets, tallies); `lab down` removes it whole.
"""

import os
from pathlib import Path

STATE = Path("/var/tmp/cascade-lab")
"""One lab per machine, so the place is fixed: kind-config.yaml mounts `tally` below it. /var/tmp survives a reboot, as an open fault does."""

TALLY = STATE / "tally"
LEDGER = STATE / "ledger.jsonl"
LOCK = STATE / "run.lock"
KUBECONFIG = STATE / "kubeconfig"
NEIGHBOUR_KUBECONFIG = STATE / "neighbour-kubeconfig"
VAULT_KEYS = STATE / "vault.json"
"""Mode 0600: what unseals the lab's Vault, its root token, and the deployer's credentials."""
WHOLE = STATE / "whole"
"""The node containers whose bring-up was finished, from which configuration, and since when they run; other ones were interrupted while they were
made, or restarted, or are an older lab's."""


def cache() -> Path:
    """The cache folder: `CASCADE_LAB_CACHE`, else `~/.cache/cascade-lab` (XDG)."""
    given = os.environ.get("CASCADE_LAB_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cascade-lab"


def add_packages(which: str) -> str:
    """The command that adds an extra or a group of the lab's packages to `.venv`, at its locked versions and beside what is there."""
    return f"cd {project()} && {cache() / 'tools' / 'bin' / 'uv'} sync --frozen --inexact {which}"


def project() -> Path:
    """The checkout that holds manifests/, images/ and kind-config.yaml."""
    return Path(__file__).resolve().parents[2]
