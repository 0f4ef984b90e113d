"""Vault as its operator keeps it: initialised once per storage, every instance unsealed, and a role for whoever deploys.

Called while the lab comes up and before each run, and never during one: a Vault that seals itself in the storm stays sealed, as the incident's
did until somebody came. The keys are made here and live in one file of mode 0600, which `lab down` removes with the state folder.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from lab.adapters import vault as adapter
from lab.cluster.settle import until
from lab.core.clock import Clock
from lab.core.errors import Refused
from lab.core.progress import Progress
from lab.core.secrets import Deployer, VaultKeys
from lab.core.vault import ACTIVE, INSTANCES, Health, Storage

ALLOWED_S = 300.0
"""Chosen: Vault listens 2 s after Consul has a leader, and leads 0.2 s after it was unsealed; a take-over after its pods were made anew waits for
the lock of the ones before, 15 to 45 s. With storage of their own the others join within a few seconds after the first leads."""
PATIENCE_S = 30.0
"""Chosen: how long one act may take. An initialisation whose answer is lost cannot be repeated."""


class Instance(Protocol):
    """One instance of Vault."""

    @property
    def name(self) -> str: ...
    def health(self) -> Health: ...
    def initialized(self) -> bool: ...
    def init(self) -> VaultKeys: ...
    def unseal(self, key: SecretStr) -> None: ...
    def make_deployer(self, root: SecretStr) -> Deployer: ...


def instances(storage: Storage) -> list[adapter.Vault]:
    """Those that this storage has, patient enough for an operator's acts."""
    return [adapter.Vault(number, timeout_s=PATIENCE_S) for number in range(INSTANCES[storage])]


def ensure(progress: Progress, clock: Clock, vaults: Sequence[Instance], kept: Path) -> None:
    """See to it that Vault is initialised, every instance unsealed, one of them active, and the deployer set up. Idempotent.

    Args:
        progress: shows what is missing.
        clock: paces the looks.
        vaults: the instances.
        kept: the file of the keys.

    Raises:
        Refused: Vault has keys that are not in the file.
        Aborted: it does not become active in time; says what was last seen.
    """
    until(progress, clock, "Vault", lambda: _missing(vaults, kept), ALLOWED_S)


def _missing(vaults: Sequence[Instance], place: Path) -> str:
    """Do the next thing that is to be done; what is still missing then, or ""."""
    keys = _keys(vaults, place)
    sealed: list[str] = []
    active: Instance | None = None
    for vault in vaults:
        health = vault.health()
        if health.sealed:
            vault.unseal(keys.unseal_key)
            sealed.append(vault.name)
        elif health.status == ACTIVE:
            active = vault
    if sealed:
        return f"{', '.join(sealed)} just unsealed"
    if active is None:
        return "no instance leads yet"
    if keys.deployer is None:
        keys.model_copy(update={"deployer": active.make_deployer(keys.root_token)}).keep(place)
    return ""


def _keys(vaults: Sequence[Instance], place: Path) -> VaultKeys:
    """The keys of this Vault, made if it has none; keys of a Vault that was here before are overwritten then.

    All are asked: with storage of its own, an instance that lost it knows of no key, and joins those that do instead of being made a Vault anew.
    """
    if not any(vault.initialized() for vault in vaults):
        made = vaults[0].init()
        made.keep(place)
        return made
    keys = VaultKeys.recall(place)
    if keys is None:
        raise Refused("unseal Vault", f"it was initialised, and its keys are not in {place}", "make the lab anew: lab down; lab up")
    return keys
