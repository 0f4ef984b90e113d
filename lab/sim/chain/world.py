"""An experiment simulated: the same phases and faults as on containers, and a history of the same shape.

First version: links 0 to 6 and 10. Not modelled: Vault, load balancer, deploys, Consul's servers beyond gossip, users' requests. The costs are chosen,
not fitted: the history says so, and none of its figures may be read as a forecast of a real run.
"""

from dataclasses import dataclass, field

import numpy as np

from lab.core.experiment import Experiment
from lab.core.history import Event
from lab.sim.chain.agents import SERVERS, Agents
from lab.sim.chain.node import Node
from lab.sim.chain.parameters import Costs
from lab.sim.chain.platform import Change, Platform
from lab.sim.chain.record import Record
from lab.sim.gossip.pool import Rules

NODES = 5
"""App nodes of kind-config.yaml."""
PODS_TIMES = 12
"""Names in the gossip pool per pod of the experiment. Chosen: a pod moves at most once in `grace_s` + `toleration_s`, and runs take minutes."""
START_S = 1
"""The history opens a second before the steady phase."""
CRI_EVERY_S = 10
CRI_TIMEOUT_MS = 10_000
"""Interval and time-out of the lab's probe of the runtime."""

FIDELITY = (
    "SIMULATED: no container ran. Every figure is a model's.",
    "The costs of a log line, of a pod's start and of a pod at rest are chosen, not fitted to real runs.",
    "Gossip is simulated exactly, member by member; nodes, kubelets and logs are small models in steps of a second.",
    "Not modelled: Vault, load balancer, deploys, Consul's servers beyond gossip, users' requests.",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Moments of the run in seconds, from the experiment.

    Args:
        steady, outage, flood, recovery, end: when each phase begins, and when the watch ends.
    """

    steady: int
    outage: int
    flood: int
    recovery: int
    end: int

    @classmethod
    def of(cls, experiment: Experiment) -> "Plan":
        """Whole seconds, rounded."""
        lengths = (experiment.steady_s, experiment.outage_s, experiment.flood_s, experiment.recovery_s)
        moments = [START_S]
        for length_s in lengths:
            moments.append(moments[-1] + round(length_s))
        return cls(*moments)


@dataclass(slots=True)
class _Run:
    experiment: Experiment
    plan: Plan
    platform: Platform
    agents: Agents
    chance: np.random.Generator
    costs: Costs
    record: Record = field(default_factory=Record)
    offset: float = 0.0


def simulate(experiment: Experiment, costs: Costs | None = None, rules: Rules | None = None) -> list[Event]:
    """Run the experiment in the model, from its own seed.

    Args:
        experiment: as it would run on containers.
        costs: work and sizes; the chosen ones if None.
        rules: of the gossip pool; memberlist's LAN timing and Consul 1.2.3 if None.

    Returns:
        The history's events. The same experiment gives the same events, in every process.
    """
    chance = np.random.default_rng(experiment.seed)
    plan, pods, costs = Plan.of(experiment), experiment.workload.pods, costs or Costs()
    agents = Agents(pods, PODS_TIMES * pods, plan.end, rules or Rules(), chance)
    platform = Platform.at_rest(pods, NODES, experiment.shape.cap_multiple, costs, chance)
    run = _Run(experiment, plan, platform, agents, chance, costs)
    _open(run)
    for at_s in range(plan.end):
        _second(run, at_s)
    _close(run)
    return run.record.events()


def _open(run: _Run) -> None:
    tell, plan = run.record.tell, run.plan
    settings = {"caps": {"app_cap_cores": round(run.platform.nodes[0].cap_cores, 4)}}
    header = {
        "experiment": run.experiment.model_dump(mode="json"),
        "seed": run.experiment.seed,
        "world": "simulated",
        "fidelity": list(FIDELITY),
    }
    tell(0.0, "run", **header, settings=settings, versions={}, host={}, command="", git={}, started_utc=None)
    bounds = [("steady", plan.steady, plan.outage), ("outage", plan.outage, plan.flood)]
    bounds += [("flood", plan.flood, plan.recovery), ("recovery", plan.recovery, plan.end)]
    for phase, begin_s, end_s in bounds:
        tell(begin_s, "phase", phase=phase, state="begin")
        tell(end_s, "phase", phase=phase, state="end")
    for spec in run.experiment.faults:
        inject_s, heal_s = plan.outage + spec.inject_at_s, plan.outage + spec.heal_at_s
        tell(inject_s, "step", step=spec.fault, state="begin")
        tell(heal_s, "step", step="release", state="begin")
        for moment_s, change in (
            (inject_s, "open"),
            (inject_s, "injected"),
            (inject_s + 1, "witnessed"),
            (heal_s, "healed"),
            (heal_s, "closed"),
        ):
            tell(moment_s, "fault", fault=spec.fault, target="kafka", change=change)
    for node in run.platform.nodes:
        tell(0.5, "node", node=node.name, ready="True")
        for pod in node.pods:
            tell(0.5, "pod", pod=f"app-{pod.number}", node=node.name, change="running", reason="at start")


def _second(run: _Run, at_s: int) -> None:
    broker_up = not any(run.plan.outage + spec.inject_at_s <= at_s < run.plan.outage + spec.heal_at_s for spec in run.experiment.faults)
    changes = run.platform.step(float(at_s), _lines_per_s(run, at_s), broker_up)
    for change in changes:
        _tell_change(run, at_s, change)
    joins = 0
    for moment_s, pod, state in run.agents.step(at_s, run.platform.nodes, changes):
        joins += state == "alive"
        name = f"app-{pod}" if pod >= 0 else f"server-{SERVERS + pod}"
        run.record.tell(moment_s, "member_change", member=name, state=state)
    _sample_cluster(run, at_s + 1, joins, broker_up=broker_up)
    for node in run.platform.nodes:
        _sample_node(run, at_s + 1, node)
    _sample_reads(run, at_s + 1)


def _lines_per_s(run: _Run, at_s: int) -> float:
    """A line for each request, and what the flood asks for; scattered as Poisson arrivals are."""
    workload = run.experiment.workload
    flooding = run.plan.flood <= at_s < run.plan.recovery
    return float(run.chance.poisson(workload.requests_per_s + (workload.flood_lines_per_s if flooding else 0)))


def _tell_change(run: _Run, at_s: int, change: Change) -> None:
    if change.kind == "node":
        run.record.tell(at_s, "node", node=change.node, ready=change.what)
        return
    reason = "DeletionByTaintManager" if change.what == "evicting" else ""
    run.record.tell(at_s, "pod", pod=f"app-{change.pod}", node=change.node, change=change.what, reason=reason)


def _sample_cluster(run: _Run, at_s: int, joins: int, *, broker_up: bool) -> None:
    platform, members = run.platform, run.agents.counts()
    run.offset += platform.lines.shipped_now
    answer_ms = 4 * float(run.chance.lognormal(0, 0.5))
    broker: dict[tuple[str, str], float | None] = {
        ("kafka_answer_ms", "broker"): answer_ms,
        ("kafka_end_offset", "logs"): run.offset,
        ("shipped_lines_per_s", "logs"): platform.lines.shipped_now,
    }
    run.record.sample(at_s, broker if broker_up else dict.fromkeys(broker), "timed out after 2 s")
    run.record.sample(
        at_s,
        {
            ("nodes_not_ready", "cluster"): sum(not node.ready for node in platform.nodes),
            ("pods_running", "lab"): platform.count("running"),
            ("pods_pending", "lab"): platform.count("pending"),
            ("pods_terminating", "lab"): platform.count("terminating"),
            ("evictions_total", "lab"): platform.evictions,
            ("members_alive", "pool"): members["alive"],
            ("members_failed", "pool"): members["failed"],
            ("members_left", "pool"): members["left"],
            ("joins_per_s", "pool"): joins,
            ("gossip_false_positives", "pool"): members["wrongly"],
            ("memberlist_health_score", "server"): members["score"],
        },
    )


def _sample_node(run: _Run, at_s: int, node: Node) -> None:
    costs = run.costs
    run.record.sample(
        at_s,
        {
            ("lease_gap_s", node.name): at_s - node.renewed_at_s,
            ("log_backlog_bytes", node.name): run.platform.backlog_lines(node) * costs.line_bytes,
            ("node_cpu_cores", node.name): node.used_cores(),
        },
    )
    if at_s % 2 == 0:
        run.record.sample(at_s, {("node_throttled_ratio", node.name): node.throttled()})
    if at_s % CRI_EVERY_S == 0:
        latency_ms = costs.cri_ms / node.system_share * float(run.chance.lognormal(0, 0.4))
        late = latency_ms > CRI_TIMEOUT_MS
        run.record.sample(
            at_s, {("cri_latency_ms", node.name): None if late else latency_ms}, f"timed out after {CRI_TIMEOUT_MS // 1000} s"
        )


def _sample_reads(run: _Run, at_s: int) -> None:
    """Two reads a second through agents of running pods.

    An answer takes its time at rest, log-normal, and on a node that asks for more than its cap waits for its turn: exponential, with a mean of one
    scheduler period per unit of load.
    """
    pods = [(pod.number, node) for node in run.platform.nodes for pod in node.pods if pod.state == "running"]
    for offset_s in (-0.5, 0.0):
        if not pods:
            run.record.sample(at_s + offset_s, {("agent_read_ms", "agents"): None}, "connection refused")
            continue
        _, node = pods[int(run.chance.integers(len(pods)))]
        latency_ms = run.costs.read_ms * float(run.chance.lognormal(0, 0.8))
        if node.load > 1:
            latency_ms += 1000 * run.platform.timers.cfs_period_s * node.load * float(run.chance.exponential())
        run.record.sample(at_s + offset_s, {("agent_read_ms", "agents"): latency_ms})


def _close(run: _Run) -> None:
    platform, end_s = run.platform, float(run.plan.end)
    written, delivered, gone = (round(number) for number in (platform.lines.written, platform.lines.delivered, platform.lines.gone))
    counted = {"written": written, "delivered": delivered, "backlog": written - delivered - gone, "gone_with_pod": gone}
    run.record.tell(end_s, "accounting", **counted, unaccounted=0, duplicates=0)
    run.record.tell(end_s, "lab", cpu_cores_mean=None, samples=run.record.samples, samples_late=0)
    run.record.tell(end_s, "end", status="completed", reason="")
