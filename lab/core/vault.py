"""What is said of Vault in more than one part: how an instance is, and the status of the one that leads."""

from dataclasses import dataclass
from typing import Final

ACTIVE: Final = 200
"""Status of `/v1/sys/health` of the one instance that leads; 429 is a standby, 503 is sealed (Vault http/sys_health.go)."""


@dataclass(frozen=True, slots=True)
class Health:
    """What an instance says of itself. `sealed` is None where it did not say."""

    status: int
    sealed: bool | None
