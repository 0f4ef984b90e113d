"""What a run does and when, worked out before it starts."""

from dataclasses import dataclass
from typing import Literal

from lab.core.experiment import Experiment

Action = Literal["begin-phase", "heal", "inject", "flood", "steady-load"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Args:
        at_s: seconds after the steady phase.
        action: what.
        name: the phase, or the step's name in the history.
        fault: index of the fault or remedy in `Experiment.acts`, for heal and inject.
    """

    at_s: float
    action: Action
    name: str
    fault: int | None = None


_PRIORITY: dict[Action, int] = {"heal": 0, "begin-phase": 1, "inject": 2, "flood": 3, "steady-load": 4}
"""Order at the same instant: Kafka is back before the flood phase begins; a phase has begun before anything is injected in it."""


def timeline(experiment: Experiment) -> list[Step]:
    """All steps in order of `(at_s, priority, place in the file)`. Phases of no length are left out, except recovery."""
    flood_s = experiment.outage_s
    calm_s = flood_s + experiment.flood_s
    steps: list[Step] = []
    if experiment.outage_s:
        steps.append(Step(0, "begin-phase", "outage"))
    if experiment.flood_s:
        steps.append(Step(flood_s, "begin-phase", "flood"))
    if experiment.flood_s and experiment.workload.flood_lines_per_s:
        steps += [Step(flood_s, "flood", "flood"), Step(calm_s, "steady-load", "flood")]
    steps.append(Step(calm_s, "begin-phase", "recovery"))
    for number, act in enumerate(experiment.acts):
        over = "release" if number < len(experiment.faults) else "remedy-over"
        steps.append(Step(act.inject_at_s, "inject", act.act, number))
        steps.append(Step(act.heal_at_s, "heal", over, number))
    return sorted(steps, key=lambda step: (step.at_s, _PRIORITY[step.action]))


def end_s(experiment: Experiment) -> float:
    """When the recovery watch ends, in seconds after the steady phase."""
    return experiment.outage_s + experiment.flood_s + experiment.recovery_s
