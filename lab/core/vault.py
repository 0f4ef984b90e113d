"""What is said of Vault in more than one part: where it keeps its data, how an instance is, and the status of the one that leads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from lab.core.strict import Strict

Storage = Literal["consul", "raft"]
"""consul is how the incident's Vault is set up here: data and lock are Consul's. raft is Vault's own storage, which came as a beta with 1.2 and is
stable since 1.4; so another Vault stands in the place of the first."""

DEFAULT_STORAGE: Storage = "consul"

INSTANCES: Final[Mapping[Storage, int]] = {"consul": 2, "raft": 3}
"""With Consul one leads and one stands by, and what they share is Consul's. With raft every instance is a voter: two of two must answer, so a pair
would survive no loss and be worse than what it replaces; three survive one."""

ACTIVE: Final = 200
"""Status of `/v1/sys/health` of the one instance that leads; 429 is a standby, 503 is sealed (Vault http/sys_health.go)."""


class Vault(Strict):
    """The Vault of the platform."""

    storage: Storage = Field(
        DEFAULT_STORAGE,
        description="where Vault keeps its data and its lock: consul (Vault 1.1.2, two instances), or raft (its own storage in Vault 1.4.3, three instances, nothing of Consul; the image is built when it is first asked for)",
    )


@dataclass(frozen=True, slots=True)
class Health:
    """What an instance says of itself. `sealed` is None where it did not say."""

    status: int
    sealed: bool | None
