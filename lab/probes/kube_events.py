"""Kubernetes' own events, as far as they help to explain a run: warnings, and whatever concerns a node."""

from collections.abc import Iterable

from lab.core.clock import Clock
from lab.core.protocols import Emit
from lab.probes.reflector import Object

_REPEAT_S = 30.0
"""The same reason about the same object is told once in this time. Chosen: a failing probe repeats every few seconds and says nothing new."""
_PER_S = 10.0
"""Events told per second, on average. Chosen: a storm of hundreds of warnings must not become the history; all the rest is dropped and counted."""
_BURST = 50.0
"""Events told at once after a pause. Chosen: one node's pods and their evictions."""
_REMEMBERED_MAX = 5000
_MESSAGE_MAX = 300


class KubeEvents:
    """Passes events on, each once, at a bounded rate. A cache for a reflector that keeps nothing but what it has told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[tuple[str, str], float] = {}
        self._tokens = _BURST
        self._counted_s = clock.now_s()
        self.dropped = 0

    def replace(self, objects: Iterable[Object], emit: Emit) -> None:
        """Nothing: only what happens from now on is told."""

    def apply(self, change: str, found: Object, emit: Emit) -> None:
        """Tell one event, if it is worth it."""
        involved = found.get("involvedObject", {})
        if change == "DELETED" or (found.get("type") != "Warning" and involved.get("kind") != "Node"):
            return
        subject = f"{involved.get('kind', '')}/{involved.get('name', '')}"
        if self._is_new((found.get("reason", ""), subject)) and self._may_tell():
            emit(
                "kube_event", {"reason": found.get("reason", ""), "object": subject, "message": (found.get("message") or "")[:_MESSAGE_MAX]}
            )

    def _is_new(self, key: tuple[str, str]) -> bool:
        now_s = self._clock.now_s()
        if now_s - self._told.get(key, -_REPEAT_S) < _REPEAT_S:
            return False
        if len(self._told) >= _REMEMBERED_MAX:
            self._told = {old: at_s for old, at_s in self._told.items() if now_s - at_s < _REPEAT_S}
        self._told[key] = now_s
        return True

    def _may_tell(self) -> bool:
        now_s = self._clock.now_s()
        self._tokens = min(_BURST, self._tokens + (now_s - self._counted_s) * _PER_S)
        self._counted_s = now_s
        if self._tokens < 1:
            self.dropped += 1
            return False
        self._tokens -= 1
        return True
