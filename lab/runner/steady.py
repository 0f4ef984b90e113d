"""The gate: a run whose steady state does not hold proves nothing, so it stops before anything is broken."""

import threading
from collections import deque
from collections.abc import Mapping

from lab.core.history import Event

WINDOW_S = 10.0
"""Chosen: the steady state must have held for so long; a node's lease is looked at every 2 s, so five looks agree."""

WAIT_S = 45.0
"""Chosen: a steady state that does not hold at the end of its phase is waited for so long (load settling); then the run is given up."""

_KEPT = 600
_ANSWERS = ("consul_read_ms", "servers")
Readings = Mapping[tuple[str, str], list[tuple[float, float | None]]]


def not_steady(readings: Readings, pods: int, now_s: float, window_s: float = WINDOW_S) -> list[str]:
    """What was not as it must be in the last `window_s` seconds; empty when the steady state held.

    Args:
        readings: `(series, target)` to `(at_s, value)`, oldest first.
        pods: workload pods that must run.
        now_s: run clock.
        window_s: how far to look back, in seconds.
    """
    wrong: list[str] = []
    for key, wanted in ((("nodes_not_ready", "cluster"), 0), (("pods_running", "lab"), pods)):
        name = f"{key[0]}[{key[1]}]"
        values = _values(readings, key, now_s, window_s)
        if not values:
            wrong.append(f"{name} was not measured")
        elif off := [value for value in values if value != wanted]:
            wrong.append(f"{name} was {off[-1]:g}, must be {wanted:g}")
    if not _values(readings, _ANSWERS, now_s, window_s):
        wrong.append("Consul's servers did not answer a read")
    return wrong


def _values(readings: Readings, key: tuple[str, str], now_s: float, window_s: float) -> list[float]:
    return [value for at_s, value in readings.get(key, []) if now_s - at_s <= window_s and value is not None]


class Gate:
    """Keeps the newest readings that the gate needs; `see` is an observer of the history."""

    def __init__(self, pods: int, window_s: float = WINDOW_S) -> None:
        self._pods = pods
        self._window_s = window_s
        self._lock = threading.Lock()
        keys = (("nodes_not_ready", "cluster"), ("pods_running", "lab"), _ANSWERS)
        self._readings: dict[tuple[str, str], deque[tuple[float, float | None]]] = {key: deque(maxlen=_KEPT) for key in keys}

    def see(self, event: Event) -> None:
        """Note a sample."""
        if event.kind == "sample":
            kept = self._readings.get((event["series"], event["target"]))
            if kept is not None:
                with self._lock:
                    kept.append((event.at_s, event["value"]))

    def wrong(self, now_s: float, windows: int = 1) -> list[str]:
        """See `not_steady`; looks back over `windows` times the window."""
        with self._lock:
            readings = {key: list(kept) for key, kept in self._readings.items()}
        return not_steady(readings, self._pods, now_s, windows * self._window_s)
