"""Vault's probes, on instances that lead, stand by, are sealed and hang."""

from dataclasses import dataclass, field

from probe_fakes import HandClock, reasons, silent, values
from pydantic import SecretStr

from lab.core.secrets import Deployer
from lab.probes.vault import NO_CREDENTIALS, VaultLogins, VaultProbe

DEPLOYER = Deployer(role_id=SecretStr("r"), secret_id=SecretStr("s"))


@dataclass
class Said:
    status: int
    sealed: bool | None


@dataclass
class FakeVault:
    name: str
    said: Said = field(default_factory=lambda: Said(200, False))
    clock: HandClock = field(default_factory=HandClock)
    held: list = field(default_factory=list)

    def health(self):
        return self.said

    def login(self, deployer):
        assert deployer is DEPLOYER
        self.clock.sleep(0.03)
        token = SecretStr(f"token of {self.name}")
        self.held.append(token)
        return token

    def revoke(self, token):
        self.held.remove(token)


def test_each_instance_says_what_it_is():
    found = values(VaultProbe([FakeVault("vault-0"), FakeVault("vault-1", Said(503, True))]).sample())
    assert found == {
        ("vault_health_code", "vault-0"): 200.0,
        ("vault_sealed", "vault-0"): 0.0,
        ("vault_leader", "vault-0"): 1.0,
        ("vault_health_code", "vault-1"): 503.0,
        ("vault_sealed", "vault-1"): 1.0,
        ("vault_leader", "vault-1"): 0.0,
    }


def test_an_instance_that_does_not_say_whether_it_is_sealed_is_not_taken_for_open():
    found = VaultProbe([FakeVault("vault-0", Said(500, None))]).sample()
    assert values(found)["vault_sealed", "vault-0"] is None
    assert reasons(found)["vault_sealed", "vault-0"] == "status 500 says nothing of it"


def test_a_silent_instance_leaves_the_other_alone():
    mute = FakeVault("vault-0")
    mute.health = silent
    found = values(VaultProbe([mute, FakeVault("vault-1")]).sample())
    assert (found["vault_health_code", "vault-0"], found["vault_health_code", "vault-1"]) == (None, 200.0)


def test_logins_go_to_the_instances_in_turn_and_give_their_tokens_back():
    clock = HandClock()
    vaults = [FakeVault("vault-0", clock=clock), FakeVault("vault-1", clock=clock)]
    probe = VaultLogins(vaults, DEPLOYER, clock)
    found = [probe.sample()[0] for _ in range(3)]
    assert [(reading.target, round(reading.value, 6)) for reading in found] == [("vault-0", 30.0), ("vault-1", 30.0), ("vault-0", 30.0)]
    assert vaults[0].held == vaults[1].held == []


def test_a_failed_login_is_a_gap_and_a_token_that_stays_is_none():
    vault = FakeVault("vault-0")
    vault.revoke = silent
    assert values(VaultLogins([vault], DEPLOYER, vault.clock).sample())["vault_login_ms", "vault-0"] is not None
    vault.login = silent
    assert reasons(VaultLogins([vault], DEPLOYER, vault.clock).sample()) == {("vault_login_ms", "vault-0"): "timed out after 2 s"}


def test_a_lab_without_credentials_says_so():
    assert reasons(VaultLogins([FakeVault("vault-0")], None, HandClock()).sample()) == {("vault_login_ms", "vault-0"): NO_CREDENTIALS}
