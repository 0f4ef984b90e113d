"""Canary deploys: each is whole or says where it failed, and takes down what it has put up."""

import pytest
from probe_fakes import HandClock, reasons, silent, values
from pydantic import SecretStr

from lab.core.secrets import Deployer
from lab.probes.deploys import STEPS, DeployProbe
from lab.probes.vault import NO_CREDENTIALS

DEPLOYER = Deployer(role_id=SecretStr("r"), secret_id=SecretStr("s"))
ADDRESS = ("198.19.192.90", 8090)


class Platform:
    """Vault, catalog and balancer in one; an instance is served `lag_s` after it was registered."""

    name = "vault-0"

    def __init__(self, lag_s=1.5):
        self.clock = HandClock()
        self.lag_s = lag_s
        self.tokens = set()
        self.standing = {}
        self.names = []
        self.probe = DeployProbe([self], DEPLOYER, self, self, ADDRESS, self.clock)

    def health(self):
        raise AssertionError("a deploy does not ask for health")

    def login(self, deployer):
        assert deployer is DEPLOYER
        self.tokens.add("t")
        return SecretStr("t")

    def revoke(self, token):
        self.tokens.remove(token.get_secret_value())

    def register(self, instance, service, address):
        assert (service, address) == ("canary", ADDRESS)
        self.names.append(instance)
        self.standing[instance] = self.clock.now_s()

    def deregister(self, instance):
        self.standing.pop(instance, None)

    def serves(self, canary):
        return canary in self.standing and self.clock.now_s() - self.standing[canary] >= self.lag_s

    def failing(self, step):
        """Breaks one step."""
        calls = {"token": "login", "register": "register", "deregister": "deregister", "revoke": "revoke"}
        setattr(self, calls[step], silent) if step in calls else setattr(self, "lag_s", 1e9)
        return self


def failed_at(readings):
    return [step for step in STEPS if values(readings)["deploys_failed", step]]


def test_a_deploy_is_timed_to_its_first_answer_and_leaves_nothing():
    rig = Platform()
    found = rig.probe.sample()
    assert values(found)["deploy_ms", "canary"] == 1500.0
    assert (failed_at(found), rig.tokens, rig.standing) == ([], set(), {})


def test_no_two_deploys_have_a_name_in_common():
    rig = Platform()
    for _ in range(3):
        rig.probe.sample()
    later = Platform()
    later.clock.sleep(0.001)
    later.probe = DeployProbe([later], DEPLOYER, later, later, ADDRESS, later.clock)
    later.probe.sample()
    assert len({*rig.names, *later.names}) == 4


@pytest.mark.parametrize("step", STEPS)
def test_a_deploy_that_fails_names_the_step_and_has_no_duration(step):
    rig = Platform().failing(step)
    found = rig.probe.sample()
    assert values(found)["deploy_ms", "canary"] is None
    assert reasons(found)["deploy_ms", "canary"].startswith(f"failed at {step}: ")
    assert failed_at(found) == [step]


@pytest.mark.parametrize("step", ["register", "serve"])
def test_what_a_failed_deploy_has_put_up_is_taken_down(step):
    rig = Platform().failing(step)
    rig.probe.sample()
    assert (rig.tokens, rig.standing) == (set(), {})


def test_an_instance_that_is_never_served_is_given_up_after_the_allowed_time():
    rig = Platform(lag_s=1e9)
    begun_s = rig.clock.now_s()
    found = rig.probe.sample()
    assert rig.clock.now_s() - begun_s == pytest.approx(rig.probe.timeout_s, abs=0.3)
    assert "not served after 15 s: the balancer does not know it" in reasons(found)["deploy_ms", "canary"]


def test_a_balancer_that_does_not_answer_is_the_reason():
    rig = Platform()
    rig.serves = silent
    assert reasons(rig.probe.sample())["deploy_ms", "canary"].endswith("timed out after 2 s")


def test_an_instance_that_could_not_be_taken_down_is_left_to_the_next_deploy():
    rig = Platform().failing("deregister")
    rig.probe.sample()
    assert len(rig.standing) == 1
    del rig.deregister
    rig.probe.sample()
    assert rig.standing == {}


def test_failures_are_counted_on():
    rig = Platform().failing("token")
    for _ in range(2):
        rig.probe.sample()
    assert values(rig.probe.sample())["deploys_failed", "token"] == 3.0


def test_the_other_vault_gives_the_token_when_the_first_does_not():
    rig, mute = Platform(), Platform().failing("token")
    probe = DeployProbe([mute, rig], DEPLOYER, rig, rig, ADDRESS, rig.clock)
    assert values(probe.sample())["deploy_ms", "canary"] == 1500.0
    assert rig.tokens == set()


def test_a_lab_without_credentials_deploys_nothing():
    rig = Platform()
    rig.probe.deployer = None
    assert reasons(rig.probe.sample()) == {("deploy_ms", "canary"): NO_CREDENTIALS}
    assert rig.names == []
