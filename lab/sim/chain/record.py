"""What a run leaves: events of the same kinds and series as the real runs write, so that the same checkers judge them."""

from collections.abc import Mapping
from typing import Any

from lab.core.history import Event

RANK = {"run": 0, "phase": 1, "step": 2, "fault": 3}
OTHERS = 4
"""Events of one moment: the opening first, then phases, steps, faults, then all others in the order they were told."""


class Record:
    """Collects events in any order; `events` puts them in the order of time."""

    def __init__(self) -> None:
        self._told: list[tuple[float, int, int, str, dict[str, Any]]] = []
        self.samples = 0

    def tell(self, at_s: float, kind: str, **fields: Any) -> None:
        """One event."""
        self._told.append((round(at_s, 4), RANK.get(kind, OTHERS), len(self._told), kind, fields))

    def sample(self, at_s: float, values: Mapping[tuple[str, str], float | None], reason: str = "") -> None:
        """One sample for each (series, target); None is missing for `reason`."""
        moment_s, told = round(at_s, 4), self._told
        for (series, target), value in values.items():
            number = None if value is None else round(float(value), 4)
            fields = {"series": series, "target": target, "value": number, "probe": "simulator", "took_ms": 0.0}
            if value is None:
                fields["reason"] = reason
            told.append((moment_s, OTHERS, len(told), "sample", fields))
        self.samples += len(values)

    def events(self) -> list[Event]:
        """In order of time, numbered."""
        ordered = sorted(self._told, key=lambda told: told[:3])
        return [Event(seq, at_s, kind, None, fields) for seq, (at_s, _, _, kind, fields) in enumerate(ordered)]
