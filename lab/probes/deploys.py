"""Link 9: deploys as the platform's users feel them: every few seconds a real one, and the step at which it failed."""

import contextlib
import itertools
import queue
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import SecretStr

from lab.core.clock import Clock
from lab.core.errors import LabError, Unavailable
from lab.core.protocols import Reading
from lab.core.secrets import Deployer
from lab.probes.ask import Paced, reason
from lab.probes.vault import NO_CREDENTIALS, Instance

STEPS = ("token", "register", "serve", "deregister", "revoke")
"""In order: a token from Vault, an instance into Consul's catalog, its first answer through the balancer, and both taken back."""
SERVICE = "canary"
FAILED = "failed at"
"""How the reason of a failed deploy begins; the step follows."""
POLL_S = 0.25
"""Chosen: the quiescence of the balancer's template is 1 s at least; each look costs the balancer a tenth of a millisecond."""


class Catalog(Protocol):
    """Where instances are registered; may be asked by several threads at once."""

    def register(self, instance: str, service: str, address: tuple[str, int]) -> None: ...
    def deregister(self, instance: str) -> None: ...


class Served(Protocol):
    """Says whether one canary answers through the balancer; likewise."""

    def serves(self, canary: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Held:
    """A token and the instance that gave it."""

    vault: Instance
    token: SecretStr


@dataclass(slots=True)
class DeployProbe:
    """One deploy after the other, whether the ones before have ended or not.

    Args:
        vaults: instances, asked in turn until one gives a token, as a deploy engine does; their time-out is a few seconds.
        deployer: who deploys; None where the lab has no credentials.
        catalog: its time-out is a few seconds.
        balancer: likewise.
        address: what truly answers for every canary, as the balancer reaches it.
        interval_s: chosen: six deploys in the shortest steady phase, each of two reloads of the balancer.
        timeout_s: when an instance that is not served yet makes its deploy fail, from its begin. Chosen: five times what a deploy takes at
            rest, 2 to 3 s; higher finds fewer failures, and later.
    """

    vaults: Sequence[Instance]
    deployer: Deployer | None
    catalog: Catalog
    balancer: Served
    address: tuple[str, int]
    clock: Clock
    interval_s: float = 4.0
    timeout_s: float = 15.0
    name: str = "deploys"
    _paced: Paced = field(init=False)
    _names: Iterator[str] = field(init=False)
    _failed: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _left: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self._paced = Paced(4, self.interval_s * 0.8)
        # The time makes it a name that no deploy before had, of an earlier run neither.
        begun = self.clock.utc().strftime("%H%M%S%f")
        self._names = (f"{SERVICE}-{begun}-{number}" for number in itertools.count(1))

    def sample(self) -> Sequence[Reading]:
        """`deploy_ms` until the first answer, None where any step failed; `deploys_failed` since the start, at each step."""
        deployer, instance = self.deployer, next(self._names)
        if deployer is None:
            return [Reading("deploy_ms", SERVICE, None, NO_CREDENTIALS)]
        return self._paced.ask(lambda: self._deploy(instance, deployer), self.name)

    def _deploy(self, instance: str, deployer: Deployer) -> Sequence[Reading]:
        begun_s = self.clock.now_s()
        step = "token"
        held: Held | None = None
        try:
            held = self._token(deployer)
            step = "register"
            self.catalog.register(instance, SERVICE, self.address)
            step = "serve"
            self._await_served(instance, begun_s + self.timeout_s)
            took_ms = round((self.clock.now_s() - begun_s) * 1000, 1)
            step = "deregister"
            self._take_down(instance)
            step = "revoke"
            held.vault.revoke(held.token)
        except LabError as error:
            failed = self._counts(step)
            self._clear(step, instance, held)
            return [Reading("deploy_ms", SERVICE, None, f"{FAILED} {step}: {reason(error)}"), *failed]
        return [Reading("deploy_ms", SERVICE, took_ms), *self._counts(None)]

    def _counts(self, failed_step: str | None) -> list[Reading]:
        with self._lock:
            if failed_step is not None:
                self._failed[failed_step] += 1
            return [Reading("deploys_failed", step, float(self._failed[step])) for step in STEPS]

    def _token(self, deployer: Deployer) -> Held:
        *others, last = self.vaults
        for vault in others:
            with contextlib.suppress(Unavailable):
                return Held(vault, vault.login(deployer))
        return Held(last, last.login(deployer))

    def _await_served(self, instance: str, give_up_s: float) -> None:
        last = "the balancer does not know it"
        while True:
            try:
                if self.balancer.serves(instance):
                    return
            except Unavailable as error:
                last = reason(error)
            if self.clock.now_s() >= give_up_s:
                raise Unavailable(f"see {instance} through the balancer", f"not served after {self.timeout_s:g} s: {last}")
            self.clock.sleep(POLL_S)

    def _take_down(self, instance: str) -> None:
        """Deregister it, and what earlier deploys could not."""
        standing = [instance]
        with contextlib.suppress(queue.Empty):
            while True:
                standing.append(self._left.get_nowait())
        while standing:
            try:
                self.catalog.deregister(standing[0])
            except LabError:
                for one in standing:
                    self._left.put(one)
                raise
            standing.pop(0)

    def _clear(self, step: str, instance: str, held: Held | None) -> None:
        """What a failed deploy has put up; what cannot be taken down now is left to the next deploy, and a token to its end within a minute."""
        with contextlib.suppress(LabError):
            if step in ("register", "serve"):
                self._take_down(instance)
        with contextlib.suppress(LabError):
            if held is not None and step != "revoke":
                held.vault.revoke(held.token)
