"""An experiment simulated: the same phases and faults as on containers, and a history of the same shape, judged by the same checkers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lab.core.experiment import Experiment
from lab.core.history import Event
from lab.sim.chain import told
from lab.sim.chain.agents import SERVERS, Agents, Seen
from lab.sim.chain.answers import TIMEOUT_MS, Answers
from lab.sim.chain.injuries import Injuries
from lab.sim.chain.parameters import Costs
from lab.sim.chain.plan import Plan, arrivals
from lab.sim.chain.platform import Change, Demand, Platform
from lab.sim.chain.pods import CREATING, EVICTED, PENDING, REMOVING, RUNNING, STARTING, STOPPING
from lab.sim.chain.record import Record
from lab.sim.chain.services import Services
from lab.sim.chain.watches import Watches
from lab.sim.constants import UP_TO_2018_08_07
from lab.sim.gossip.pool import Rules

NODES_TOLD = 12
"""Nodes whose own series are written down, the first by name. Chosen: all of the lab's; thousands would make a history that nobody can open."""
NODES_TOLD_OF_MANY = 5
"""The same in a pool whose names are not all held. Chosen: as many as the lab has; two thirds of a long history are their series."""
POD_CHANGES = {"created": "", "running": "", "evicting": "DeletionByTaintManager", "deleted": ""}
"""Changes of pods that Kubernetes tells, with the reason it gives."""
COLUMNS = "at_s,profile,name,latency_ms,status,error"

BROKER_MS = 2.4
BROKER_SPREAD = 0.6
"""Median and log-normal spread of a metadata request in ms. Chosen by eye on a baseline on containers; no link hangs on it."""

Passed = Callable[[int, int], None]
"""Called after each simulated second with it and the last one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a simulated run leaves: the history's events, and the lines of the file of users' requests."""

    events: list[Event]
    requests: list[str]


@dataclass(frozen=True, slots=True)
class Model:
    """What a simulation goes by, beside the experiment.

    Args:
        costs: work, shares and latencies; the chosen ones if left out.
        rules: of the gossip pool; memberlist's LAN timing and Consul 1.2.2 if left out.
        header: for the history's opening: command and code.
    """

    costs: Costs = field(default_factory=Costs)
    rules: Rules = field(default_factory=lambda: Rules(profile=UP_TO_2018_08_07))
    header: Mapping[str, Any] = field(default_factory=dict)


def simulate(experiment: Experiment, model: Model | None = None, passed: Passed | None = None) -> Outcome:
    """Run the experiment in the model, from its own seed. The same experiment gives the same outcome, in every process.

    Raises:
        Refused: a fault that the simulator cannot do.
    """
    world = World(experiment, model or Model())
    for at_s in range(world.plan.end):
        world.second(at_s)
        if passed is not None:
            passed(at_s + 1, world.plan.end)
    return world.close()


class World:
    """One simulated run; `second` goes on by one."""

    def __init__(self, experiment: Experiment, model: Model) -> None:
        chance = np.random.default_rng(experiment.seed)
        self.plan = plan = Plan.of(experiment)
        self._injuries = Injuries.of(experiment, plan)
        self._costs = costs = model.costs
        lines_per_s = plan.requests_per_s * costs.lines_per_request
        self.platform = Platform.at_rest(plan.pods, plan.nodes, experiment.shape.cap_multiple, costs, chance, lines_per_s)
        self.agents = Agents.at_rest(plan.pods, plan.end - plan.outage, model.rules, costs, chance)
        self._answers = Answers(costs, chance)
        watches = Watches.of(plan.watches, plan.times, experiment.shape.core_cap_cores, costs)
        self._services = Services.at_rest(plan.pods, len(self.agents.status), costs, chance, watches)
        self._chance = chance
        self._offset = 0.0
        self._record = Record()
        told.open_history(self._record, experiment, plan, self.platform, model.header)

    def second(self, at_s: int) -> None:
        """The second that begins at `at_s`, and its samples at its end."""
        up = self._injuries.broker_up(at_s)
        pages, asks = self._arrivals(at_s)
        demand = Demand(
            pages=pages,
            asks=asks,
            broker_up=up,
            burners=tuple(self._injuries.burners(at_s, self.plan.nodes)),
            pods_wanted=self._injuries.pods_wanted(at_s),
            messages_per_s=self.agents.messages_per_s(self.platform),
        )
        changes = self.platform.step(float(at_s), demand)
        for change in changes:
            self._tell_change(at_s, change)
        noted = self.agents.step(at_s, self.platform, changes)
        for moment_s, pod, state in noted:
            self._record.tell(moment_s, "member_change", member=f"app-{pod}" if pod >= 0 else f"server-{SERVERS + pod}", state=state)
        self._services.step(at_s, [(pod, state) for _, pod, state in noted], changes)
        self._answers.ask(at_s, self.platform, "flood" if self.plan.flooding(at_s) else "steady", {"page": pages, "log": asks})
        self._sample(at_s + 1, sum(state == "alive" for _, _, state in noted), up=up)
        for values, reason in self._services.samples(at_s + 1, self._answers, self.platform):
            self._record.sample(at_s + 1, values, reason)

    def close(self) -> Outcome:
        """The end of the history."""
        told.close_history(self._record, self.plan, self.platform)
        events = self._record.events()
        opening = events[0]
        runs = len(opening["calibration"].get("runs", ()))
        fitted = f"Costs, shares and latencies are fitted to {runs} runs on containers, or chosen where those show nothing."
        fidelity = [*told.FIDELITY, fitted if runs else told.CHOSEN, *told.NOT_MODELLED, *self.agents.caveats()]
        events[0] = Event(opening.seq, opening.at_s, opening.kind, opening.cause, {**opening.fields, "fidelity": fidelity})
        return Outcome(events, [COLUMNS, *self._answers.requests])

    def _arrivals(self, at_s: int) -> tuple[int, int]:
        """Pages and the flood's requests; users come from the steady phase on."""
        if at_s < self.plan.steady:
            return 0, 0
        return arrivals(self.plan.requests_per_s, at_s), arrivals(self.plan.asks_per_s, at_s) if self.plan.flooding(at_s) else 0

    def _tell_change(self, at_s: int, change: Change) -> None:
        if change.kind == "node":
            self._record.tell(at_s, "node", node=change.node, ready=change.what)
        elif change.what in POD_CHANGES:
            self._record.tell(at_s, "pod", pod=f"app-{change.pod}", node=change.node, change=change.what, reason=POD_CHANGES[change.what])

    def _sample(self, at_s: int, joins: int, *, up: bool) -> None:
        self._sample_broker(at_s, up=up)
        self._sample_cluster(at_s, self.agents.seen(), joins)
        backlog = self.platform.backlog_lines()
        for node in range(min(NODES_TOLD if self.agents.likeness is None else NODES_TOLD_OF_MANY, self.plan.nodes)):
            self._sample_node(at_s, node, float(backlog[node]))
        for offset_s in (-0.5, 0.0):
            took_ms = self._answers.agent_read_ms(self.platform)
            if took_ms is not None:
                took_ms += self._services.servers.wait_ms()
            late = took_ms is not None and took_ms > TIMEOUT_MS
            reason = "timed out after 10 s" if late else "connection refused"
            self._record.sample(at_s + offset_s, {("agent_read_ms", "agents"): None if late else took_ms}, reason)

    def _sample_broker(self, at_s: int, *, up: bool) -> None:
        shipped = self.platform.lines.shipped_now
        self._offset += shipped
        broker: dict[tuple[str, str], float | None] = {
            ("kafka_answer_ms", "broker"): BROKER_MS * float(self._chance.lognormal(0, BROKER_SPREAD)),
            ("kafka_end_offset", "logs"): self._offset,
            ("shipped_lines_per_s", "logs"): shipped,
        }
        self._record.sample(at_s, broker if up else dict.fromkeys(broker), "timed out after 2 s")

    def _sample_cluster(self, at_s: int, seen: Seen, joins: int) -> None:
        platform, pods = self.platform, self.platform.pods
        self._record.sample(
            at_s,
            {
                ("nodes_not_ready", "cluster"): int((~platform.nodes.ready).sum()),
                ("pods_running", "lab"): pods.count(RUNNING),
                ("pods_pending", "lab"): pods.count(PENDING, CREATING, STARTING),
                ("pods_terminating", "lab"): pods.count(EVICTED, STOPPING, REMOVING),
                ("evictions_total", "lab"): platform.evictions,
                ("log_backlog_bytes_max", "pod-max"): float(pods.backlog.max(initial=0.0)) * self._costs.line_bytes,
                ("members_alive", "pool"): seen.alive,
                ("members_failed", "pool"): seen.failed,
                ("members_left", "pool"): seen.left,
                ("joins_per_s", "pool"): joins,
                ("gossip_false_positives", "pool"): seen.wrongly,
                ("gossip_missing", "pool"): seen.missing,
                ("members_returned", "pool"): seen.returned,
                ("gossip_phantoms", "pool"): seen.phantoms,
                ("memberlist_health_score", "server"): seen.score,
            },
        )

    def _sample_node(self, at_s: int, node: int, backlog: float) -> None:
        platform, nodes, name = self.platform, self.platform.nodes, self.platform.nodes.names[node]
        self._record.sample(
            at_s,
            {
                ("lease_gap_s", name): at_s - float(nodes.renewed_at_s[node]),
                ("log_backlog_bytes", name): backlog * self._costs.line_bytes,
                ("sidecar_cpu_cores", name): float(platform.logger_cores[node]),
            },
        )
        if at_s % 2 == 0:
            values = {("node_throttled_ratio", name): float(nodes.throttled(self._costs)[node])}
            self._record.sample(at_s, {**values, ("node_cpu_cores", name): float(nodes.load[node]) * nodes.cap_cores})
        if at_s % platform.timers.cri_every_s == 0:
            took_ms = self._answers.cri_ms(platform, node)
            late = took_ms > platform.timers.cri_timeout_ms
            self._record.sample(at_s, {("cri_latency_ms", name): None if late else took_ms}, "timed out after 10 s")
