"""The part that all faults share: a fault is its settings, and its record is nothing else."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fault that another process can heal from its settings alone."""

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """The fault that wrote `record`, or the one of these settings."""
        return cls(**record)

    def to_record(self) -> dict[str, Any]:
        """All that another process needs to heal it; the ledger knows the name."""
        return {key: value for key, value in asdict(self).items() if key != "name"}
