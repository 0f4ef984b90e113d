"""What every export starts from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.checkers.verdict import Verdict
from lab.core.history import Event, History
from lab.report.sentence import is_simulated

Files = dict[str, bytes]
"""Name of a file -> its content."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A run that is over. `name` is that of its folder."""

    name: str
    history: History
    verdict: Verdict

    @property
    def experiment(self) -> dict[str, Any]:
        """The resolved experiment."""
        return dict(self.history.header["experiment"])

    @property
    def world(self) -> str:
        """`simulated`, where every figure is a model's; else `containers`. Every export says it."""
        return "simulated" if is_simulated(self.history) else "containers"

    @property
    def started(self) -> datetime:
        """When the run clock was 0, in UTC; the epoch where the history does not say."""
        told = self.history.header.get("started_utc")
        return datetime.fromisoformat(told) if told else datetime.fromtimestamp(0, UTC)

    def utc(self, at_s: float) -> datetime:
        """A moment of the run clock in UTC."""
        return self.started + timedelta(seconds=at_s)

    def samples(self) -> Iterator[Event]:
        """Every sample in the order of writing."""
        return self.history.of("sample")
