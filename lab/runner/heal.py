"""Undo what is open in the ledger. Used when a run begins and ends, by `lab heal`, and by the watchdog: each may be a new process."""

from dataclasses import dataclass
from typing import Any

from lab.core.clock import Clock
from lab.core.errors import LabError, NotHealed
from lab.core.ledger import Entry, Ledger
from lab.core.protocols import Fault, FaultTable

SEEN_WITHIN_S = 30.0
"""Chosen: healing is repeated for so long; thawing takes milliseconds, but the engine that is asked was seen to need seconds when starved."""

LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Failure:
    """One fault that could not be seen healed."""

    entry: Entry
    why: str


def heal_fault(fault: Fault, world: Any, clock: Clock) -> None:
    """Heal and look, again and again, until the system says that the fault is gone.

    Raises:
        NotHealed: after `SEEN_WITHIN_S` it still looks active, or cannot be asked.
    """
    until_s = clock.now_s() + SEEN_WITHIN_S
    while True:
        try:
            fault.heal(world)
            if not fault.is_active(world):
                return
            last = "it is still active"
        except LabError as error:
            last = f"{error.tried}: {error.came_back}"
        except Exception as error:  # noqa: BLE001  # an answer that nobody expects from a starved cluster is asked for again, too
            last = f"{type(error).__name__}: {error}"
        if clock.now_s() >= until_s:
            raise NotHealed(f"heal {fault.name} on {fault.target}", f"{last}, after {SEEN_WITHIN_S:g} s", "lab heal")
        clock.sleep(LOOK_EVERY_S)


def heal_entry(entry: Entry, world: Any, faults: FaultTable, clock: Clock) -> str | None:
    """Heal the fault of one ledger entry; None when it was seen healed, else why not."""
    if entry.fault not in faults:
        return f"no fault of the name {entry.fault!r} is known"
    try:
        heal_fault(faults[entry.fault].from_record(entry.record), world, clock)
    except Exception as error:  # noqa: BLE001  # the other faults must still be healed; the caller raises NotHealed with this reason
        return error.came_back or error.tried if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
    return None


def heal_open(ledger: Ledger, world: Any, faults: FaultTable, clock: Clock) -> list[str]:
    """Heal every open fault, newest first, and close it in the ledger; the names of those healed.

    Raises:
        NotHealed: at least one could not be; the others were.
    """
    healed: list[str] = []
    failed: list[Failure] = []
    for entry in reversed(ledger.open_entries()):
        why = heal_entry(entry, world, faults, clock) or close(ledger, entry)
        if why is None:
            healed.append(entry.fault)
        else:
            failed.append(Failure(entry, why))
    if failed:
        raise not_healed(failed)
    return healed


def close(ledger: Ledger, entry: Entry) -> str | None:
    """Write that the fault is healed; None when it is on disk, else why not."""
    try:
        ledger.close(entry.id)
    except OSError as error:
        return f"healed, but the ledger could not be written: {error.strerror or error}"
    return None


def not_healed(failed: list[Failure]) -> NotHealed:
    """One error for all that failed."""
    names = ", ".join(failure.entry.fault for failure in failed)
    return NotHealed(f"heal {names}", "; ".join(failure.why for failure in failed), "lab heal; if it fails again: lab down, then lab up")
