"""Link 8: the load balancer whose configuration is made from Consul's catalog: how old is it, what is behind it, does it answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lab.core.clock import Clock
from lab.core.errors import Unavailable
from lab.core.protocols import Reading
from lab.probes.ask import Paced, reason
from lab.probes.latency import Latency

SERVICE = "app"
TARGET = "balancer"


class Balancer(Protocol):
    """The balancer from outside; may be asked by several threads at once."""

    def page(self) -> None: ...
    def renders(self) -> int: ...
    def backends(self) -> Mapping[str, bool]: ...


class Catalog(Protocol):
    """Consul's catalog; likewise."""

    def passing(self, service: str) -> set[str]: ...


def balancer_answers(balancer: Balancer, clock: Clock) -> Latency:
    """A page through the balancer, from whichever pod.

    Interval 1 s chosen: 20 requests make a window; one costs a pod as much as a health check. Time-out 10 s: a user's patience, as in the load.
    """
    return Latency("lb_answer_ms", TARGET, balancer.page, clock, 1.0, 10.0, most=10)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Backends by name, True for those that answer; and how often a configuration was made."""

    backends: Mapping[str, bool]
    renders: int


@dataclass(slots=True)
class BalancerProbe:
    """Age of the configuration, and what is behind it.

    The age is the time since the backends that are loaded were last seen to be exactly those that Consul calls passing. While either side
    cannot be asked they are not seen to be alike, so the age goes on: nobody can say that the configuration is newer.

    Args:
        balancer: its time-out is `timeout_s`.
        catalog: likewise; asked at the servers, and not through any cache.
        interval_s: chosen: a change is in the balancer within 1 to 3 s (quiescence), so 2 s shows each that is late; 50 backends are some 40 kB
            to read, 2 ms of CPU.
        timeout_s: of each of the three questions.
    """

    balancer: Balancer
    catalog: Catalog
    clock: Clock
    interval_s: float = 2.0
    timeout_s: float = 5.0
    name: str = "lb"
    _paced: Paced = field(init=False)
    _alike_s: float | None = None

    def __post_init__(self) -> None:
        self._paced = Paced(3, self.interval_s * 0.8)

    def sample(self) -> Sequence[Reading]:
        """`lb_config_age_s`, `lb_config_differs` (backends that only one side has), `lb_backends_live`, `lb_rerenders` (since its pod began)."""
        return self._paced.ask(self._ask, self.name)

    def _ask(self) -> Sequence[Reading]:
        asked_s = self.clock.now_s()
        loaded = self._loaded()
        differs = self._differs(loaded)
        if differs.value == 0:
            self._alike_s = max(asked_s, self._alike_s or asked_s)
        return [self._age(), differs, *_behind(loaded)]

    def _age(self) -> Reading:
        alike_s = self._alike_s
        if alike_s is None:
            return Reading("lb_config_age_s", TARGET, None, "never seen to be the catalog's yet")
        return Reading("lb_config_age_s", TARGET, round(max(0.0, self.clock.now_s() - alike_s), 3))

    def _differs(self, loaded: Loaded | str) -> Reading:
        if isinstance(loaded, str):
            return Reading("lb_config_differs", TARGET, None, loaded)
        try:
            passing = self.catalog.passing(SERVICE)
        except Unavailable as error:
            return Reading("lb_config_differs", TARGET, None, reason(error))
        return Reading("lb_config_differs", TARGET, float(len(loaded.backends.keys() ^ passing)))

    def _loaded(self) -> Loaded | str:
        """What the balancer has loaded, or why that is not known."""
        try:
            return Loaded(self.balancer.backends(), self.balancer.renders())
        except Unavailable as error:
            return reason(error)


def _behind(loaded: Loaded | str) -> list[Reading]:
    if isinstance(loaded, str):
        return [Reading(series, TARGET, None, loaded) for series in ("lb_backends_live", "lb_rerenders")]
    live = float(sum(loaded.backends.values()))
    return [Reading("lb_backends_live", TARGET, live), Reading("lb_rerenders", TARGET, float(loaded.renders))]
