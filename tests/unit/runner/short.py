"""An experiment short enough for real threads; built past the checks, which want at least 10 s of steady state."""

from lab.core.experiment import Expected, Experiment, Workload
from lab.core.fault_specs import PauseBrokerSpec


def experiment(*, faults: bool = True, flood: float = 0.2, **changed: float) -> Experiment:
    spec = PauseBrokerSpec(fault="pause-broker", inject_at_s=0, heal_at_s=0.2)
    whole = Experiment(
        name="short",
        title="t",
        hypothesis="h",
        outage_s=0.2 if faults else 0,
        flood_s=flood,
        recovery_s=0.2,
        metastable_after_s=0.1,
        workload=Workload(pods=3, flood_lines_per_s=100),
        faults=[spec] if faults else [],
        expected=Expected(verdict="held"),
    )
    return whole.model_copy(update={"steady_s": 0.3, **changed})
