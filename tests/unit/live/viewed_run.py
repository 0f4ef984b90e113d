"""A real runner with the live view on a fake world: `viewed_run.py STATE OUT`. Its outage lasts until it is ended."""

import sys
from pathlib import Path

from lab.adapters.clock import SystemClock
from lab.cli.console import LabConsole
from lab.core.errors import LabError
from lab.core.experiment import Expected, Experiment, Workload
from lab.core.fault_specs import PauseBrokerSpec
from lab.faults.table import FAULTS
from lab.live.view import live_view
from lab.runner.run import Parts, Request, run_experiment
from tests.fakes import FakeGuard, FakeWorld

LONG_S = 3000.0


def main() -> int:
    state, out = Path(sys.argv[1]), Path(sys.argv[2])
    spec = PauseBrokerSpec(fault="pause-broker", inject_at_s=0, heal_at_s=LONG_S)
    chosen = Experiment(
        name="viewed",
        title="t",
        hypothesis="h",
        outage_s=LONG_S,
        workload=Workload(pods=3),
        faults=[spec],
        expected=Expected(verdict="held"),
    ).model_copy(update={"steady_s": 0.5})
    clock = SystemClock()
    console = LabConsole(clock)
    world = FakeWorld()
    with live_view(console.rich) as view:
        parts = Parts(world, FAULTS, clock, console, FakeGuard(), view.observers, view)
        outcome = run_experiment(Request(chosen, out=out, state=state), parts)
    console.line(f"{outcome.status}, frozen: {world.frozen}")
    return LabError.exit_code if outcome.error else 0


if __name__ == "__main__":
    sys.exit(main())
