"""A process that injects one fault on the real lab, as a run does, and then waits to be killed: `injurer.py NAME RECORD FOLDER`."""

import json
import sys
from pathlib import Path

from lab.adapters.clock import SystemClock
from lab.cli.on_containers import WATCHDOG
from lab.cluster.world import open_world
from lab.core.fault_specs import FAULT_SPECS, ActTimes
from lab.core.history import HistoryWriter
from lab.core.ledger import Ledger
from lab.core.paths import LEDGER
from lab.core.remedy_specs import REMEDY_SPECS
from lab.faults.table import FAULTS
from lab.runner.guard import Watchdog
from lab.runner.injuries import Injuries, Tools
from lab.runner.interrupts import Interrupts
from lab.runner.recorder import Recorder

LONG_S = 600.0


def spec_of(name: str, settings: dict[str, object]) -> ActTimes:
    """What an experiment file would say of a fault or a remedy."""
    if name in REMEDY_SPECS:
        return REMEDY_SPECS[name].model_validate({"remedy": name, **settings})
    return FAULT_SPECS[name].model_validate({"fault": name, **settings})


def main() -> None:
    name, settings, folder = sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3])
    clock = SystemClock()
    guard = Watchdog(WATCHDOG, clock)
    guard.start()
    recorder = Recorder(HistoryWriter(folder / "history.jsonl", clock), Interrupts().shielded)
    injuries = Injuries(Tools(open_world(), FAULTS, Ledger(LEDGER), recorder, clock, guard), folder.name)
    spec = spec_of(name, settings)
    injuries.inject(0, spec, clock.now_s() + LONG_S, recorder.record("step", step=name, state="begin"))
    sys.stdout.write("injected\n")
    sys.stdout.flush()
    clock.sleep(LONG_S)


if __name__ == "__main__":
    main()
