"""When what was watched: the moments of a run that every checker needs."""

from dataclasses import dataclass

from lab.core.history import History
from lab.core.remedy_specs import REMEDY_SPECS

SETTLE_S_MAX = 15.0
SETTLE_SHARE = 1 / 3
"""So much of the steady phase, but at most `SETTLE_S_MAX` seconds, is left out of the steady range. Chosen: the load generator takes up to
12 s until its first request on a busy host (measured), and a system without load is not what the run is compared with."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Moments on the run clock, in seconds.

    Args:
        begin_s: the steady phase begins.
        settled_s: the load has settled; from here to the end of the steady phase the steady range is measured.
        steady_end_s: it ends; nothing fires before.
        release_s: the last fault was healed; None without one.
        flood_end_s: the flood ended; None without one.
        end_s: the watch is over; what the heal does to the cluster afterwards is not judged.
    """

    begin_s: float
    settled_s: float
    steady_end_s: float
    release_s: float | None
    flood_end_s: float | None
    end_s: float

    @classmethod
    def of(cls, history: History) -> "Watch | None":
        """The moments of `history`; None if it never had a finished steady phase."""
        steady = history.phase("steady")
        if steady is None or history.first("phase", phase="steady", state="end") is None:
            return None
        settled_s = steady[0] + min(SETTLE_S_MAX, SETTLE_SHARE * (steady[1] - steady[0]))
        return cls(steady[0], settled_s, steady[1], _release_s(history), _flood_end_s(history), max(_end_s(history), steady[1]))

    @property
    def from_release_s(self) -> float:
        """The release, or the end of the steady phase where nothing was released."""
        return self.steady_end_s if self.release_s is None else self.release_s


def has_kafka(history: History) -> bool:
    """Does the experiment have Kafka and logs? Without them links 0 and 1 cannot fire, and there is no broker to wait for."""
    return bool(history.header["experiment"].get("workload", {}).get("logging", True))


def _release_s(history: History) -> float | None:
    steps = [e.at_s for e in history.of("step") if e.get("step") == "release" and e.get("state") != "end"]
    healed = [e.at_s for e in history.of("fault") if e.get("change") == "healed" and e.get("fault") not in REMEDY_SPECS]
    return max(steps) if steps else max(healed, default=None)


def _flood_end_s(history: History) -> float | None:
    flood = history.phase("flood")
    if flood is not None and flood[1] > flood[0]:
        return flood[1]
    return max((e.at_s for e in history.of("locust") if e.get("profile") == "flood" and e.get("change") == "stop"), default=None)


def _end_s(history: History) -> float:
    heal = history.phase("heal")
    if heal is not None:
        return heal[0]
    recovery = history.phase("recovery")
    return history.end_s if recovery is None else recovery[1]
