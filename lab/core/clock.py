"""Time as a parameter, so that tests jump instead of sleeping."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock for durations and, once per run, the wall time."""

    def now_s(self) -> float:
        """Monotonic seconds; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once when it is zero or less."""

    def utc(self) -> datetime:
        """Wall time with its zone, UTC."""
        ...
