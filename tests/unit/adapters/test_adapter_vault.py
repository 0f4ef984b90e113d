"""Vault's client against a server that answers, refuses, and repeats what it was told."""

import json
import threading

import pytest
from adapter_fakes import web
from pydantic import SecretStr

from lab.adapters import vault as adapter
from lab.adapters.vault import Vault
from lab.core.errors import Unavailable
from lab.core.secrets import Deployer

DEPLOYER = Deployer(role_id=SecretStr("the-role"), secret_id=SecretStr("the-secret"))
ROOT = SecretStr("the-root")


@pytest.fixture
def server(monkeypatch):
    with web() as state:
        monkeypatch.setattr(adapter, "PORTS", (state.port,))
        yield state


@pytest.fixture
def vault(server):
    return Vault(0, timeout_s=0.3)


@pytest.mark.parametrize(
    ("status", "body", "sealed"),
    [
        (200, {"sealed": False}, False),
        (429, {"sealed": False}, False),
        (503, {"sealed": True}, True),
        (500, {"errors": ["local node not active"]}, None),
        (502, b"<html>", None),
    ],
)
def test_health_is_the_status_whatever_it_is(server, vault, status, body, sealed):
    server.routes["GET /v1/sys/health"] = (status, body)
    found = vault.health()
    assert (found.status, found.sealed) == (status, sealed)


def test_an_instance_that_hangs_is_given_up_after_the_time_out(server, vault):
    release = threading.Event()
    server.routes["GET /v1/sys/health"] = lambda _: release.wait(5)
    with pytest.raises(Unavailable) as failure:
        vault.health()
    release.set()
    assert failure.value.came_back == "timed out after 0.3 s"


def test_the_keys_of_a_new_vault_come_hidden(server, vault):
    server.routes |= {
        "GET /v1/sys/init": (200, {"initialized": False}),
        "PUT /v1/sys/init": (200, {"keys_base64": ["the-key"], "root_token": "the-root"}),
    }
    assert not vault.initialized()
    keys = vault.init()
    assert (keys.unseal_key.get_secret_value(), keys.root_token.get_secret_value(), keys.deployer) == ("the-key", "the-root", None)
    assert "the-" not in repr(keys)


def test_unsealing_sends_the_key(server, vault):
    server.routes["PUT /v1/sys/unseal"] = (200, {"sealed": False})
    vault.unseal(SecretStr("the-key"))
    assert json.loads(server.bodies[0]) == {"key": "the-key"}


def test_a_deployer_is_made_once_or_again(server, vault):
    server.routes |= {
        "POST /v1/sys/auth/approle": (400, {"errors": ["path is already in use"]}),
        "POST /v1/auth/approle/role/deployer": (204, b""),
        "GET /v1/auth/approle/role/deployer/role-id": (200, {"data": {"role_id": "r"}}),
        "POST /v1/auth/approle/role/deployer/secret-id": (200, {"data": {"secret_id": "s"}}),
    }
    found = vault.make_deployer(ROOT)
    assert (found.role_id.get_secret_value(), found.secret_id.get_secret_value()) == ("r", "s")


def test_an_auth_method_that_is_refused_for_another_reason_is_a_failure(server, vault):
    server.routes["POST /v1/sys/auth/approle"] = (403, {"errors": ["permission denied"]})
    with pytest.raises(Unavailable, match="permission denied"):
        vault.make_deployer(ROOT)


def test_a_login_gives_a_token_and_its_end_is_asked_for_by_itself(server, vault):
    told = []
    server.routes |= {
        "POST /v1/auth/approle/login": (200, {"auth": {"client_token": "the-token"}}),
        "POST /v1/auth/token/revoke-self": lambda handler: (told.append(handler.headers["X-Vault-Token"]), handler.give(204, b"")),
    }
    token = vault.login(DEPLOYER)
    vault.revoke(token)
    assert (token.get_secret_value(), told) == ("the-token", ["the-token"])
    assert json.loads(server.bodies[0]) == {"role_id": "the-role", "secret_id": "the-secret"}


def test_a_server_that_repeats_what_it_was_told_puts_no_secret_into_a_message(server, vault):
    def repeat(handler):
        said = {"errors": [f"{handler.headers.get('X-Vault-Token')} {server.bodies[-1].decode()}"]}
        handler.give(400, said)

    for path in ("POST /v1/auth/approle/login", "POST /v1/auth/token/revoke-self", "PUT /v1/sys/unseal"):
        server.routes[path] = repeat
    for call in (lambda: vault.login(DEPLOYER), lambda: vault.revoke(SecretStr("the-token")), lambda: vault.unseal(SecretStr("the-key"))):
        with pytest.raises(Unavailable) as failure:
            call()
        assert "the-" not in f"{failure.value}{failure.value!r}"
        assert "..." in failure.value.came_back


def test_an_answer_that_is_no_json_is_a_failure_that_does_not_quote_it(server, vault):
    server.routes["POST /v1/auth/approle/login"] = (200, b"the-token")
    with pytest.raises(Unavailable) as failure:
        vault.login(DEPLOYER)
    assert failure.value.came_back == "200 without JSON"
