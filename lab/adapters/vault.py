"""One instance of the lab's Vault through its HTTP API: its state, the operator's few acts, and what a deploy engine asks for.

Every call has a time-out, and every failure becomes `Unavailable`. What Vault says of an error goes into the message with every secret of the
question struck out.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr

from lab.adapters import plain_http
from lab.core.errors import Unavailable
from lab.core.secrets import Deployer, VaultKeys
from lab.core.vault import Health

PORTS: Final = (18200, 18201, 18202)
"""Of the instances, on 127.0.0.1 (kind-config.yaml). The third is there where Vault has storage of its own."""

ROLE: Final = "auth/approle/role/deployer"
DEPLOYER_LIFE: Final = "60s"
"""Chosen: a deploy takes seconds; a token that was not taken back is gone before it adds to the leases of a take-over."""

_NOT_MADE: Final = 400
_TAKEN: Final = "path is already in use"
_SHORT: Final = 200

Body = Mapping[str, str | int | SecretStr]


class Vault:
    """One instance. Threads may share it: each question takes a connection of its own.

    Args:
        number: its place in `PORTS`.
        timeout_s: how long an answer may take to begin.
    """

    def __init__(self, number: int, *, timeout_s: float = 5.0) -> None:
        self.name = f"vault-{number}"
        self._port = PORTS[number]
        self._timeout_s = timeout_s

    def health(self) -> Health:
        """Its state.

        Raises:
            Unavailable: no answer in time. So do all questions here.
        """
        answer = self._ask("GET", "sys/health")
        try:
            sealed = json.loads(answer.body).get("sealed")
        except ValueError:
            sealed = None
        return Health(answer.status, sealed if isinstance(sealed, bool) else None)

    def initialized(self) -> bool:
        """Has this Vault got a master key? Asks its storage; one with storage of its own has none before it has joined the others."""
        return bool(self._checked("GET", "sys/init")["initialized"])

    def init(self) -> VaultKeys:
        """Make the master key, once for all instances. One share: the lab is its only operator."""
        made = self._checked("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        return VaultKeys(unseal_key=SecretStr(made["keys_base64"][0]), root_token=SecretStr(made["root_token"]))

    def unseal(self, key: SecretStr) -> None:
        """Open this instance; fine if it is open."""
        self._checked("PUT", "sys/unseal", {"key": key})

    def make_deployer(self, root: SecretStr) -> Deployer:
        """Set up a role with short-lived tokens that may do nothing but look at themselves and end; may be repeated."""
        try:
            self._checked("POST", "sys/auth/approle", {"type": "approle"}, token=root)
        except Unavailable as error:
            if _TAKEN not in error.came_back:
                raise
        self._checked("POST", ROLE, {"policies": "default", "token_ttl": DEPLOYER_LIFE, "token_max_ttl": DEPLOYER_LIFE}, token=root)
        role = self._checked("GET", f"{ROLE}/role-id", token=root)["data"]["role_id"]
        secret = self._checked("POST", f"{ROLE}/secret-id", token=root)["data"]["secret_id"]
        return Deployer(role_id=SecretStr(role), secret_id=SecretStr(secret))

    def login(self, deployer: Deployer) -> SecretStr:
        """A token for one deploy: several writes to the storage."""
        body = {"role_id": deployer.role_id, "secret_id": deployer.secret_id}
        return SecretStr(self._checked("POST", "auth/approle/login", body)["auth"]["client_token"])

    def revoke(self, token: SecretStr) -> None:
        """Take a token back, by its own right."""
        self._checked("POST", "auth/token/revoke-self", token=token)

    def _checked(self, method: str, path: str, body: Body | None = None, *, token: SecretStr | None = None) -> dict[str, Any]:
        answer = self._ask(method, path, body, token)
        said = answer.body.decode(errors="replace")
        if answer.status >= _NOT_MADE:
            for secret in (*(body or {}).values(), token):
                said = said.replace(secret.get_secret_value(), "...") if isinstance(secret, SecretStr) else said
            raise Unavailable(f"{method} {path} at {self.name}", f"{answer.status} {said.strip()}"[:_SHORT])
        try:
            return dict(json.loads(said)) if said else {}
        except ValueError:
            raise Unavailable(f"{method} {path} at {self.name}", f"{answer.status} without JSON") from None

    def _ask(self, method: str, path: str, body: Body | None = None, token: SecretStr | None = None) -> plain_http.Answer:
        sent = b"" if body is None else json.dumps(body, default=_open).encode()
        headers = {} if token is None else {"X-Vault-Token": token.get_secret_value()}
        return plain_http.ask(method, self._port, f"/v1/{path}", timeout_s=self._timeout_s, body=sent, headers=headers)


def _open(secret: object) -> str:
    assert isinstance(secret, SecretStr)
    return secret.get_secret_value()
