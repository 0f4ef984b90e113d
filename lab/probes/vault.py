"""Link 7: Vault as its users feel it: which instance leads, which is sealed, and how long a login takes."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import SecretStr

from lab.core.clock import Clock
from lab.core.errors import Unavailable
from lab.core.protocols import Reading
from lab.core.secrets import Deployer
from lab.core.vault import ACTIVE, Health
from lab.probes.ask import Paced, reason, timed

NO_CREDENTIALS = "this lab has no credentials for Vault"


class Instance(Protocol):
    """One instance of Vault; may be asked by several threads at once."""

    @property
    def name(self) -> str: ...
    def health(self) -> Health: ...
    def login(self, deployer: Deployer) -> SecretStr: ...
    def revoke(self, token: SecretStr) -> None: ...


@dataclass(slots=True)
class VaultProbe:
    """State of each instance.

    Args:
        instances: their clients; their time-out is `timeout_s`.
        interval_s: chosen: a take-over lasts at least the lock delay of 15 s; 2 s shows its edges for 1 ms of CPU.
        timeout_s: chosen: asked with Consul frozen, an instance does not answer at all (measured), so longer says nothing more.
    """

    instances: Sequence[Instance]
    interval_s: float = 2.0
    timeout_s: float = 5.0
    name: str = "vault"
    _paced: dict[str, Paced] = field(init=False)

    def __post_init__(self) -> None:
        wait_s = self.interval_s * 0.8 / max(1, len(self.instances))
        self._paced = {instance.name: Paced(3, wait_s) for instance in self.instances}

    def sample(self) -> Sequence[Reading]:
        """`vault_health_code`, `vault_sealed` and `vault_leader` (1 or 0) of each instance."""
        return [reading for instance in self.instances for reading in self._of(instance)]

    def _of(self, instance: Instance) -> list[Reading]:
        return self._paced[instance.name].ask(lambda: _state(instance), instance.name)


def _state(instance: Instance) -> Sequence[Reading]:
    target = instance.name
    try:
        health = instance.health()
    except Unavailable as error:
        return [Reading(series, target, None, reason(error)) for series in ("vault_health_code", "vault_sealed", "vault_leader")]
    unsaid = None if health.sealed is not None else f"status {health.status} says nothing of it"
    return [
        Reading("vault_health_code", target, float(health.status)),
        Reading("vault_sealed", target, None if health.sealed is None else float(health.sealed), unsaid),
        Reading("vault_leader", target, float(health.status == ACTIVE)),
    ]


@dataclass(slots=True)
class VaultLogins:
    """Milliseconds of a login, at each instance in turn; a standby hands it on to the one that leads.

    Args:
        instances: their clients; their time-out is `timeout_s`.
        deployer: who logs in; None where the lab has none.
        interval_s: chosen: nine logins in the shortest steady phase, each of some ten writes to Consul.
        timeout_s: of one login. Chosen as for Consul's reads, which it is made of.
    """

    instances: Sequence[Instance]
    deployer: Deployer | None
    clock: Clock
    interval_s: float = 3.0
    timeout_s: float = 10.0
    name: str = "vault_login"
    _turns: Iterator[Instance] = field(init=False)
    _paced: Paced = field(init=False)

    def __post_init__(self) -> None:
        self._turns = itertools.cycle(self.instances)
        self._paced = Paced(4, self.interval_s * 0.8)

    def sample(self) -> Sequence[Reading]:
        """`vault_login_ms` of the logins that ended since the last call."""
        instance, deployer = next(self._turns), self.deployer
        if deployer is None:
            return [Reading("vault_login_ms", instance.name, None, NO_CREDENTIALS)]
        return self._paced.ask(lambda: [self._login(instance, deployer)], self.name)

    def _login(self, instance: Instance, deployer: Deployer) -> Reading:
        got: list[SecretStr] = []
        found = timed(self.clock, "vault_login_ms", instance.name, lambda: got.append(instance.login(deployer)))
        for token in got:
            with contextlib.suppress(Unavailable):  # it ends by itself within a minute
                instance.revoke(token)
        return found
