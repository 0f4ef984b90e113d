"""What the lab must never show: a value that hides itself in every repr, and the one file that it is kept in.

Secrets are made per lab and end with it. They go from here into the adapter that needs them and nowhere else: not into a history, a
message, a command line or an environment variable.
"""

import json
import os
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError

from lab.core.errors import Refused
from lab.core.strict import Strict


class Deployer(Strict):
    """What the deploy engine of a platform holds: credentials that give it a short-lived token."""

    role_id: SecretStr
    secret_id: SecretStr


class VaultKeys(Strict):
    """Everything that opens the lab's Vault. `deployer` is None until it was set up."""

    unseal_key: SecretStr
    root_token: SecretStr
    deployer: Deployer | None = Field(None)

    def keep(self, path: Path) -> None:
        """Write them to `path`, for the owner alone; the file is there whole or not at all."""
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            json.dump(self._shown(), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    @classmethod
    def recall(cls, path: Path) -> "VaultKeys | None":
        """What `keep` wrote, or None if there is no such file.

        Raises:
            Refused: the file is not one of these; the message does not quote it.
        """
        try:
            text = path.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            raise Refused(f"read the Vault keys in {path}", "not the keys of a Vault", "make the lab anew: lab down; lab up") from None

    def _shown(self) -> dict[str, object]:
        deployer = None if self.deployer is None else {name: secret.get_secret_value() for name, secret in self.deployer}
        return {
            "unseal_key": self.unseal_key.get_secret_value(),
            "root_token": self.root_token.get_secret_value(),
            "deployer": deployer,
        }
