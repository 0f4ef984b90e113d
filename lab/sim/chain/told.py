"""What a simulated history opens and closes with: settings, fidelity, phases, steps, faults, and where every log line went."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lab.core.experiment import Experiment
from lab.core.fault_specs import FaultTimes
from lab.sim.chain.injuries import Injuries
from lab.sim.chain.plan import Plan
from lab.sim.chain.platform import Lines, Platform
from lab.sim.chain.pods import NOWHERE
from lab.sim.chain.record import Record

FIDELITY = (
    "SIMULATED: no container ran. Every figure is a model's.",
    "Gossip goes by memberlist's own rules, a message at a time; nodes, kubelets and logs are small models in steps of a second; latencies are drawn from log-normal laws.",
)
CHOSEN = "Costs, shares and latencies are chosen, not fitted to real runs."
NOT_MODELLED = (
    "Not modelled: network and disks, memory, the API server's own load; broker, Vault and balancer have CPU enough, Consul's servers what blocking queries leave them.",
)
WITNESS_S = 1.0
"""A fault is seen to bite so long after it was injected; in the model it always bites."""


def open_history(record: Record, experiment: Experiment, plan: Plan, platform: Platform, header: Mapping[str, Any]) -> None:
    """The opening event and all that is known beforehand. `header`: command and code that made the run."""
    settings = {
        "caps": {"app_cap_cores": round(platform.nodes.cap_cores, 4), "app_nodes": plan.nodes},
        "costs": asdict(platform.costs),
        "timers": asdict(platform.timers),
        "workload": {"pods": plan.pods, "requests_per_s": plan.requests_per_s, "flood_asks_per_s": plan.asks_per_s},
    }
    known = {"command": "", "git": {}, "versions": {}, "calibration": {}, **header}
    record.tell(
        0.0,
        "run",
        experiment=experiment.model_dump(mode="json"),
        seed=experiment.seed,
        world="simulated",
        settings=settings,
        host={},
        started_utc=None,
        **known,
    )
    for phase, begin_s, end_s in plan.phases():
        record.tell(begin_s, "phase", phase=phase, state="begin")
        record.tell(end_s, "phase", phase=phase, state="end")
    _load(record, plan)
    for spec, inject_s, heal_s in Injuries.of(experiment, plan).specs:
        _fault(record, spec, inject_s, heal_s)
    for node in platform.nodes.names:
        record.tell(0.5, "node", node=node, ready="True")
    for row in range(plan.pods):
        name, node = f"app-{platform.pods.number[row]}", platform.nodes.names[platform.pods.node[row]]
        record.tell(0.5, "pod", pod=name, node=node, change="running", reason="at start")


def close_history(record: Record, plan: Plan, platform: Platform) -> None:
    """The accounting, and the end."""
    end_s = float(plan.end)
    record.tell(end_s, "accounting", **accounting(platform.lines, platform), unaccounted=0, duplicates=0)
    record.tell(end_s, "lab", cpu_cores_mean=None, samples=record.samples, samples_late=0)
    record.tell(end_s, "end", status="completed", reason="")


def accounting(lines: Lines, platform: Platform) -> dict[str, int]:
    """Whole lines, the backlog counted at the pods and not as what is left over; rounding goes to what was delivered."""
    written, gone = round(lines.written), round(lines.gone)
    backlog = round(float(platform.pods.backlog[platform.pods.node != NOWHERE].sum()))
    delivered = written - backlog - gone
    if abs(delivered - lines.delivered) > 2:
        raise ArithmeticError(f"{lines.delivered:.1f} lines were delivered, {delivered} are left over")
    return {"written": written, "delivered": delivered, "backlog": backlog, "gone_with_pod": gone}


def _load(record: Record, plan: Plan) -> None:
    told = [(plan.steady, "start", "steady")]
    if plan.asks_per_s > 0 and plan.recovery > plan.flood:
        told += [
            (plan.flood, "stop", "steady"),
            (plan.flood, "start", "flood"),
            (plan.recovery, "stop", "flood"),
            (plan.recovery, "start", "steady"),
        ]
        record.tell(plan.flood, "step", step="flood", state="begin")
        record.tell(plan.recovery, "step", step="flood", state="end")
    for at_s, change, profile in told:
        record.tell(at_s, "locust", change=change, profile=profile)


def _fault(record: Record, spec: FaultTimes, inject_s: float, heal_s: float) -> None:
    record.tell(inject_s, "step", step=spec.fault, state="begin")
    record.tell(heal_s, "step", step="release", state="begin")
    moments = ((inject_s, "open"), (inject_s, "injected"), (inject_s + WITNESS_S, "witnessed"), (heal_s, "healed"), (heal_s, "closed"))
    for at_s, change in moments:
        record.tell(at_s, "fault", fault=spec.fault, target="simulator", change=change)
