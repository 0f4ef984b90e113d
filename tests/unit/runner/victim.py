"""A real runner process for the tests to kill: `victim.py STATE OUT PHASE` says PHASE's name when it begins, and then dawdles in it."""

import sys
from pathlib import Path

from process_world import ProcessWorld
from short import experiment

from lab.adapters.clock import SystemClock
from lab.core.history import Event
from lab.faults.table import FAULTS
from lab.runner.guard import Watchdog, WatchdogSpec
from lab.runner.run import Parts, Request, run_experiment
from tests.fakes import FakeProgress

LONG_S = 30.0


def main() -> int:
    state, out, phase = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    clock = SystemClock()
    longer = {f"{phase}_s": LONG_S} if phase != "prepare" else {}
    chosen = experiment(**longer)
    if phase == "outage":
        spec = chosen.faults[0].model_copy(update={"heal_at_s": LONG_S})
        chosen = chosen.model_copy(update={"faults": [spec]})

    def observe(event: Event) -> None:
        begun = event.kind == "phase" and event.get("phase") == phase and event.get("state") == "begin"
        if (begun and phase != "outage") or (phase == "outage" and event.get("change") == "witnessed"):
            sys.stdout.write(f"{phase}\n")
            sys.stdout.flush()

    guard = Watchdog(WatchdogSpec("process_world:open_world", "lab.faults.table:FAULTS", state / "ledger.jsonl", state), clock)
    world = ProcessWorld()
    outcome = run_experiment(Request(chosen, out=out, state=state), Parts(world, FAULTS, clock, FakeProgress(), guard, [observe]))
    sys.stderr.write(f"{outcome.status} {outcome.reason}\n")
    return outcome.error.exit_code if outcome.error else 0


if __name__ == "__main__":
    sys.exit(main())
