"""A run whose secrets are looked for in the process list while it lasts."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lab.adapters.clock import SystemClock
from lab.cluster.gossip_key import FOLDER
from lab.core import paths
from lab.core.secrets import VaultKeys
from tests.cluster.command import LAB

ALLOWED_S = 900.0
LOOK_EVERY_S = 3.0
"""Chosen: a look at some 700 processes takes 20 ms; more often would be load that the run measures."""


@dataclass(frozen=True, slots=True)
class WatchedRun:
    """A run that is over.

    Args:
        folder: of the run.
        code: its exit code.
        said: all that it wrote to the terminal.
        shown: whether a secret stood in a command line or an environment while it ran.
        secrets: what opened the lab's Vault during it, and the keys of its gossip, in the clear.
    """

    folder: Path
    code: int
    said: bytes
    shown: bool
    secrets: tuple[bytes, ...] = field(repr=False)

    def found_in(self, text: bytes) -> bool:
        """Does it hold one of the secrets?"""
        return any(secret in text for secret in self.secrets)


def watched(experiment: str, folder: Path, *changes: str) -> WatchedRun:
    """Run `experiment` into `folder` as a user would, with some fields set."""
    said, clock, shown = folder.parent / "said", SystemClock(), False
    with said.open("wb") as sink:
        words = [word for change in changes for word in ("--set", change)]
        running = subprocess.Popen([*LAB, "run", experiment, "--out", str(folder), *words], stdout=sink, stderr=subprocess.STDOUT)
        end_s = clock.now_s() + ALLOWED_S
        try:
            while running.poll() is None and clock.now_s() < end_s:
                known = _secrets()
                shown = shown or any(secret in text for text in _processes() for secret in known)
                clock.sleep(LOOK_EVERY_S)
        finally:
            running.terminate()
            code = running.wait()
    return WatchedRun(folder, code, said.read_bytes(), shown, _secrets())


def _secrets() -> tuple[bytes, ...]:
    """Empty until Vault was set up; keys of gossip as far as there are any."""
    keys = VaultKeys.recall(paths.VAULT_KEYS)
    if keys is None or keys.deployer is None:
        return ()
    hidden = [keys.unseal_key, keys.root_token, keys.deployer.role_id, keys.deployer.secret_id]
    return (*(secret.get_secret_value().encode() for secret in hidden), *(file.read_bytes() for file in FOLDER.glob("*.key")))


def _processes() -> Iterator[bytes]:
    """Command lines and environments of all processes of this machine, those in containers too."""
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            for file in ("cmdline", "environ"):
                try:
                    yield (process / file).read_bytes()
                except OSError:
                    continue  # it has ended
