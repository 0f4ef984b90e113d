"""The process that heals when the runner no longer can: killed, out of memory, stuck, its terminal closed.

It waits in `select` on its standard input. A byte `l` says that the ledger changed, `e` that the run is over; the end of the stream
without `e` says that the runner died. Independent of that, a fault that is open past its `heal_by_s` is healed.
"""

import argparse
import contextlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from select import select
from typing import Any

from lab.adapters.clock import SystemClock
from lab.core.clock import Clock
from lab.core.errors import NotHealed
from lab.core.ledger import Entry, Ledger
from lab.core.protocols import FaultTable
from lab.runner.heal import heal_open

LOOK_EVERY_S = 5.0
"""Chosen: the ledger is looked at this often without being told; 0.2 wake-ups a second cost nothing that can be measured."""

TRY_FOR_S = 120.0
"""Chosen: healing is tried again for so long; an engine that restarts is back within a minute. Then `lab heal` is what is left."""

TRY_EVERY_S = 0.5


def wait_s(entries: Sequence[Entry], now_s: float) -> float:
    """How long to wait at most before something may be overdue."""
    return max(0.0, min([LOOK_EVERY_S, *(entry.heal_by_s - now_s for entry in entries)]))


def overdue(entries: Sequence[Entry], now_s: float) -> bool:
    """Is a fault open past its time?"""
    return any(entry.heal_by_s <= now_s for entry in entries)


class Notes:
    """Lines in `watchdog.jsonl` of the folder `state`; healing goes on if the disk is full, or the lab and its folder are gone meanwhile."""

    def __init__(self, state: Path, clock: Clock) -> None:
        self.state = state
        self._clock = clock

    def __call__(self, what: str, **fields: Any) -> None:
        """One line."""
        line = {"at_utc": self._clock.utc().isoformat(timespec="milliseconds"), "pid": os.getpid(), "what": what, **fields}
        with contextlib.suppress(OSError), (self.state / "watchdog.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


class Watch:
    """What the process does, with its doors as arguments."""

    def __init__(self, ledger: Ledger, notes: Notes, open_world: Callable[[], Any], faults: FaultTable, clock: Clock) -> None:
        self._ledger = ledger
        self._notes = notes
        self._open_world = open_world
        self._faults = faults
        self._clock = clock

    def run(self, stdin: int) -> int:
        """Watch until the runner is gone or done; the exit code: 0 if nothing is left open."""
        while True:
            entries = self._ledger.open_entries()
            if overdue(entries, self._clock.now_s()):
                self._notes("overdue", faults=[entry.id for entry in entries])
                self.heal()
            readable, _, _ = select([stdin], [], [], wait_s(entries, self._clock.now_s()) or TRY_EVERY_S)
            words = os.read(stdin, 100) if readable else None
            if words is not None and (not words or b"e" in words):
                return self._over(said_so=bool(words))

    def heal(self) -> bool:
        """Heal what is open, trying again with a newly opened world; true when nothing is left."""
        until_s = self._clock.now_s() + TRY_FOR_S
        why = ""
        while self._ledger.open_entries():
            try:
                healed = heal_open(self._ledger, self._open_world(), self._faults, self._clock)
                self._notes("healed", faults=healed)
            except NotHealed as error:
                why = error.came_back
            except Exception as error:  # noqa: BLE001  # whatever the world's clients raise: try again, and say so
                why = f"{type(error).__name__}: {error}"
            else:
                continue
            self._notes("not healed yet", why=why[:500])
            if self._clock.now_s() >= until_s:
                return False
            self._clock.sleep(TRY_EVERY_S)
        return True

    def _over(self, *, said_so: bool) -> int:
        if not said_so:
            self._notes("the runner died")
        healed = self.heal()
        if not said_so or not healed:
            self._notes("done" if healed else "given up")
        return 0 if healed else 1


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def main(arguments: Sequence[str] | None = None) -> int:
    """Import all that healing needs, say `ready`, and watch."""
    parser = argparse.ArgumentParser(description="Heal the lab when its runner dies.")
    for name in ("--ledger", "--state", "--world", "--faults"):
        parser.add_argument(name, required=True)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    clock = SystemClock()
    notes = Notes(Path(given.state), clock)
    try:
        open_world, faults = _named(given.world), _named(given.faults)
    except (ImportError, AttributeError, ValueError) as error:
        notes("cannot start", why=f"{type(error).__name__}: {error}")
        return 2
    watch = Watch(Ledger(Path(given.ledger)), notes, open_world, faults, clock)
    with contextlib.suppress(OSError):
        os.write(1, b"ready\n")
    return watch.run(0)


if __name__ == "__main__":
    sys.exit(main())
