"""Vault's operator, on instances that are new, sealed, open, and somebody else's."""

import stat
from dataclasses import dataclass, field
from typing import get_args

import pytest
from pydantic import SecretStr

from lab.adapters import vault as adapter
from lab.cluster import vault as operator
from lab.core.errors import Aborted, Refused, Unavailable
from lab.core.secrets import Deployer, VaultKeys
from lab.core.vault import INSTANCES
from lab.core.vault import Storage as StorageKind
from tests.fakes import FakeClock, FakeProgress


@dataclass
class Said:
    status: int
    sealed: bool


@dataclass
class Storage:
    """What two instances share."""

    key: str = ""
    inits: int = 0
    unseals: int = 0
    roles: int = 0
    silent: int = 0


@dataclass
class FakeVault:
    name: str
    storage: Storage
    opened: bool = False
    leads: bool = field(default=False)

    def health(self):
        return Said(200 if self.opened and self.leads else 429 if self.opened else 503, not self.opened)

    def initialized(self):
        if self.storage.silent:
            self.storage.silent -= 1
            raise Unavailable("ask", "connection refused")
        return bool(self.storage.key)

    def init(self):
        self.storage.inits += 1
        self.storage.key = f"key-{self.storage.inits}"
        return VaultKeys(unseal_key=SecretStr(self.storage.key), root_token=SecretStr("root"))

    def unseal(self, key):
        assert key.get_secret_value() == self.storage.key
        self.storage.unseals += 1
        self.opened = True

    def make_deployer(self, root):
        assert (root.get_secret_value(), self.leads) == ("root", True)
        self.storage.roles += 1
        return Deployer(role_id=SecretStr("role"), secret_id=SecretStr("secret"))


@pytest.fixture
def rig(tmp_path):
    storage = Storage()
    vaults = [FakeVault("vault-0", storage), FakeVault("vault-1", storage, leads=True)]
    return storage, vaults, tmp_path / "vault.json"


@dataclass
class Voter(FakeVault):
    """Has storage of its own: it is let in by the one that leads, if that is open, and takes no key before."""

    leader: FakeVault | None = None

    def unseal(self, key):
        if not self.storage.key:
            self._ask_to_be_let_in()
            raise Unavailable("unseal", "400 Vault is not initialized")
        super().unseal(key)

    def _ask_to_be_let_in(self):
        """Once more, as it does by itself; the next key is taken."""
        if self.leader is not None and self.leader.opened:
            self.storage = self.leader.storage


def voters():
    first = Voter("vault-0", Storage(), leads=True)
    return [first, *(Voter(f"vault-{number}", Storage(), leader=first) for number in (1, 2))]


def ensure(vaults, kept):
    operator.ensure(FakeProgress(), FakeClock(), vaults, kept)


def test_a_new_vault_is_initialised_once_unsealed_everywhere_and_given_a_deployer(rig):
    storage, vaults, kept = rig
    storage.silent = 3  # Vault does not listen before Consul has a leader
    ensure(vaults, kept)
    assert (storage.inits, storage.unseals, storage.roles) == (1, 2, 1)
    keys = VaultKeys.recall(kept)
    assert (keys.unseal_key.get_secret_value(), keys.deployer.role_id.get_secret_value()) == ("key-1", "role")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_second_time_changes_nothing(rig):
    storage, vaults, kept = rig
    ensure(vaults, kept)
    written = kept.read_bytes()
    ensure(vaults, kept)
    assert (storage.inits, storage.unseals, storage.roles, kept.read_bytes()) == (1, 2, 1, written)


def test_an_instance_that_was_started_again_is_unsealed(rig):
    storage, vaults, kept = rig
    ensure(vaults, kept)
    vaults[0].opened = False
    ensure(vaults, kept)
    assert (vaults[0].opened, storage.inits, storage.unseals) == (True, 1, 3)


def test_a_deployer_that_was_not_set_up_before_the_lab_was_interrupted_is_now(rig):
    storage, vaults, kept = rig
    vaults[0].init().keep(kept)
    ensure(vaults, kept)
    assert (storage.inits, storage.roles, VaultKeys.recall(kept).deployer is not None) == (1, 1, True)


def test_keys_of_a_vault_that_was_here_before_are_overwritten(rig):
    storage, vaults, kept = rig
    VaultKeys(unseal_key=SecretStr("old"), root_token=SecretStr("old")).keep(kept)
    ensure(vaults, kept)
    assert VaultKeys.recall(kept).unseal_key.get_secret_value() == storage.key == "key-1"


def test_a_vault_whose_keys_are_not_here_is_refused_at_once(rig):
    storage, vaults, kept = rig
    storage.key = "somebody's"
    with pytest.raises(Refused, match="lab down"):
        ensure(vaults, kept)


def test_a_vault_that_never_leads_is_given_up_with_what_was_seen(rig):
    _, vaults, kept = rig
    vaults[1].leads = False
    with pytest.raises(Aborted, match="no instance leads yet"):
        ensure(vaults, kept)


def test_with_storage_of_their_own_one_is_initialised_and_the_others_are_unsealed_once_it_has_let_them_in(tmp_path):
    vaults = voters()
    first = vaults[0].storage
    ensure(vaults, tmp_path / "vault.json")
    assert [(vault.opened, vault.storage is first) for vault in vaults] == [(True, True)] * 3
    assert (first.inits, first.unseals, first.roles) == (1, 3, 1)


def test_an_instance_that_lost_its_own_storage_is_not_made_a_vault_anew(tmp_path):
    vaults = voters()
    kept = tmp_path / "vault.json"
    ensure(vaults, kept)
    written, storage = kept.read_bytes(), vaults[0].storage
    vaults[1].leads = True
    vaults[0] = Voter("vault-0", Storage(), leader=vaults[1])
    ensure(vaults, kept)
    assert (vaults[0].opened, vaults[0].storage is storage, storage.inits, kept.read_bytes()) == (True, True, 1, written)


@pytest.mark.parametrize("storage", get_args(StorageKind))
def test_every_instance_has_a_port(storage):
    named = [vault.name for vault in operator.instances(storage)]
    assert named == [f"vault-{number}" for number in range(INSTANCES[storage])]
    assert len(named) <= len(adapter.PORTS)
