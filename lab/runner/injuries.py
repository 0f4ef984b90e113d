"""The promise to heal: the only place that injects, and never before the way back is on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from lab.core.clock import Clock
from lab.core.errors import Aborted, LabError
from lab.core.fault_specs import ActTimes
from lab.core.ledger import Entry, Ledger
from lab.core.protocols import Fault, FaultTable
from lab.runner.heal import Failure, close, heal_entry
from lab.runner.recorder import Recorder

OVERDUE_S = 30.0
"""Chosen: the watchdog heals a fault so long after its planned heal; a busy engine takes seconds to thaw, a stuck runner for ever."""

ACTS_WITHIN_S = 5.0
"""Chosen: a signal reaches a process when the kernel next runs it, milliseconds later on a busy machine; asking at once is too early."""

WITNESS_WITHIN_S = 10.0
"""Chosen: the effect of a fault is looked for so long; what is not seen is not written, and the checkers then say unknown."""

LOOK_EVERY_S = 0.05


class Guard(Protocol):
    """The watchdog as the runner sees it."""

    def ensure(self) -> None:
        """Alive, or started again.

        Raises:
            Aborted: it cannot be had; nothing may be injected.
        """
        ...

    def ledger_changed(self) -> None:
        """Tell it to look at the ledger."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What injuring and healing need."""

    world: Any
    faults: FaultTable
    ledger: Ledger
    recorder: Recorder
    clock: Clock
    guard: Guard


@dataclass(slots=True)
class _Open:
    entry: Entry
    fault: Fault
    event: int


class Injuries:
    """The faults of one run."""

    def __init__(self, tools: Tools, run: str) -> None:
        self._tools = tools
        self._run = run
        self._open: dict[int, _Open] = {}
        self._used: dict[int, Fault] = {}

    def inject(self, number: int, spec: ActTimes, heal_by_s: float, cause: int) -> None:
        """Open in the ledger, inject, see that it acts, and look for its effect.

        Args:
            number: index of the fault or remedy in the experiment's acts.
            spec: its name in the fault table, and its settings.
            heal_by_s: planned heal, on the system's monotonic clock.
            cause: the step of the timeline.

        Raises:
            Aborted: the ledger could not be written (nothing was injected), or the fault does not act.
        """
        tools = self._tools
        tools.guard.ensure()
        name = spec.act
        fault = tools.faults[name].from_record(spec.settings())
        entry = Entry(f"{self._run}/{number}", name, fault.to_record(), heal_by_s + OVERDUE_S)
        try:
            tools.ledger.open(entry)
        except OSError as error:
            raise Aborted(
                f"write the ledger before {name}", f"{error.strerror or error}; nothing was injected", "free disk space"
            ) from error
        opened = _Open(entry, fault, cause)
        self._open[number] = opened
        self._used[number] = fault
        tools.guard.ledger_changed()
        self._note(opened, "open", blast_radius=fault.blast_radius)
        fault.inject(tools.world)
        if not self._seen(fault.is_active, ACTS_WITHIN_S):
            raise Aborted(f"inject {name} on {fault.target}", "it was injected and does not act", "lab doctor; then run again")
        self._note(opened, "injected")
        if self._seen(fault.witness, WITNESS_WITHIN_S):
            self._note(opened, "witnessed")

    def heal(self, number: int, cause: int | None) -> Failure | None:
        """Heal one fault, see it healed, close it; why it failed, if it did. Fine if it is not open."""
        opened = self._open.get(number)
        if opened is None:
            return None
        opened.event = opened.event if cause is None else cause
        tools = self._tools
        why = heal_entry(opened.entry, tools.world, tools.faults, tools.clock)
        if why is None:
            self._note(opened, "healed")
            why = close(tools.ledger, opened.entry)
        tools.guard.ledger_changed()
        if why is not None:
            return Failure(opened.entry, why)
        self._note(opened, "closed")
        del self._open[number]
        return None

    def heal_all(self) -> list[Failure]:
        """Heal what is open, newest first, and ask the system again about every fault of this run; what failed."""
        failed = [failure for number in reversed(list(self._open)) if (failure := self.heal(number, None))]
        tools = self._tools
        for number, fault in self._used.items():
            if number not in self._open:
                entry = Entry(f"{self._run}/{number}", fault.name, fault.to_record(), 0)
                why = heal_entry(entry, tools.world, tools.faults, tools.clock)
                if why is not None:
                    failed.append(Failure(entry, why))
        return failed

    def _seen(self, look: Callable[[Any], bool], within_s: float) -> bool:
        until_s = self._tools.clock.now_s() + within_s
        while not look(self._tools.world):
            if self._tools.clock.now_s() >= until_s:
                return False
            self._tools.clock.sleep(LOOK_EVERY_S)
        return True

    def _note(self, opened: _Open, change: str, **more: str) -> None:
        """Write a change of a fault; while healing, a history that no longer takes it must not stop the healing."""
        fields: dict[str, Any] = {"fault": opened.fault.name, "target": opened.fault.target, "change": change, **more}
        try:
            opened.event = self._tools.recorder.record("fault", cause=opened.event, sync=True, **fields)
        except LabError:
            if change not in {"healed", "closed"}:
                raise
