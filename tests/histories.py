"""Hand-written runs: a steady system, and stories of what may happen to it. Used by the tests of checkers, report and browser.

The figures are those seen on a small machine: reads of 2 ms, nodes lost 20 s after the release, pods moved 10 s later.
"""

import copy
import functools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lab.checkers.requests import Request
from lab.core.history import HISTORY_FILE, Event, History
from lab.runner.causes import Causes

STEADY, OUTAGE, FLOOD, RECOVERY = 5.0, 50.0, 95.0, 170.0
END = 290.0
"""When each phase begins on the run clock, and when the watch ends."""

NODES = ("cascade-lab-control-plane", "cascade-lab-worker", *(f"cascade-lab-worker{number}" for number in range(2, 7)))
APP_NODES = NODES[2:]
PODS = 50

Value = float | None
Shape = Callable[[float], Value]


Told = tuple[float, str, dict[str, Any]]


@dataclass
class Story:
    """Collects events in any order; `history` puts them in the order of time."""

    events: list[Told] = field(default_factory=list)
    samples: dict[tuple[str, str], list[Told]] = field(default_factory=dict)
    noise: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    def add(self, at_s: float, kind: str, **fields: Any) -> "Story":
        self.events.append((at_s, kind, fields))
        return self

    def series(self, name: str, target: str, shape: Shape, every_s: float = 1.0, reason: str = "timed out after 10 s") -> "Story":
        """Replaces what was told of this series and target before."""
        self.samples[name, target] = told = []
        for at_s in np.arange(1.0, END, every_s).tolist():
            value = shape(at_s)
            missing = {"reason": reason} if value is None else {}
            rounded = None if value is None else round(float(value), 4)
            told.append((at_s, "sample", {"series": name, "target": target, "value": rounded, "probe": name, "took_ms": 1.0, **missing}))
        return self

    def drop(self, name: str) -> "Story":
        """Forget a series."""
        self.samples = {key: told for key, told in self.samples.items() if key[0] != name}
        return self

    def drop_kind(self, kind: str, **fields: Any) -> "Story":
        """Forget events."""
        self.events = [e for e in self.events if e[1] != kind or any(e[2].get(key) != value for key, value in fields.items())]
        return self

    def copy(self) -> "Story":
        """A story that can be changed without changing this one."""
        return Story(list(self.events), dict(self.samples), copy.deepcopy(self.noise))

    def stop(self, at_s: float) -> "Story":
        """Forget everything from `at_s` on but the end."""
        self.events = [event for event in self.events if event[0] < at_s or event[1] == "end"]
        self.samples = {key: [sample for sample in told if sample[0] < at_s] for key, told in self.samples.items()}
        return self

    def scatter(self, middle: float, spread: float) -> Shape:
        """A log-normal value around `middle`, new each time."""
        return lambda _: middle * math.exp(self.noise.normal(0, spread))

    def history(self) -> History:
        told = [*self.events, *(sample for samples in self.samples.values() for sample in samples)]
        return History(list(_with_causes(sorted(told, key=lambda event: event[0]))))


def _with_causes(told: Iterable[Told]) -> Iterator[Event]:
    """As the recorder does: a fault is led to by its step or its last change, all else by the likeliest."""
    causes = Causes()
    fault_cause: int | None = None
    for seq, (at_s, kind, fields) in enumerate(told):
        yield Event(seq, at_s, kind, fault_cause if kind == "fault" else causes.of(kind, fields), fields)
        causes.note(seq, kind, fields)
        fault_cause = seq if kind in {"fault", "step"} else fault_cause


def between(begin_s: float, end_s: float, inside: Shape, outside: Shape) -> Shape:
    """`inside` within the stretch, `outside` elsewhere."""
    return lambda at_s: inside(at_s) if begin_s <= at_s < end_s else outside(at_s)


def constant(value: Value) -> Shape:
    """Always the same."""
    return lambda _: value


def header(name: str, verdict: str, links: Iterable[int], faults: list[dict[str, Any]], flood_lines: int = 0) -> dict[str, Any]:
    """The fields of the opening event."""
    experiment = {
        "name": name,
        "title": f"A run of {name}",
        "hypothesis": "While Kafka is away, nodes stay Ready, pods stay where they are, and Consul answers as fast as before.",
        "seed": 20190115,
        "steady_s": 45.0,
        "outage_s": 45.0,
        "flood_s": 75.0,
        "recovery_s": 120.0,
        "metastable_after_s": 60.0,
        "workload": {"pods": PODS, "requests_per_s": 25.0, "flood_lines_per_s": float(flood_lines), "through": "pods"},
        "shape": {"cap_multiple": 2.5, "core_cap_cores": 0.4},
        "faults": faults,
        "expected": {"verdict": verdict, "links": list(links)},
    }
    return {
        "experiment": experiment,
        "versions": {"kubernetes": "v1.34.4", "consul": "1.2.2", "kafka": "4.3.1"},
        "host": {"cores": 2, "memory_bytes": 24 << 30, "kernel": "6.18.0", "cgroup": "v1"},
        "seed": 20190115,
        "command": f"lab run {name}",
        "git": {"commit": "0123456789abcdef", "dirty": False},
        "started_utc": "2026-01-15T09:30:00+00:00",
        "settings": {"caps": {"app_cap_cores": 0.22, "core_cap_cores": 0.4}, "timers": {"node-monitor-grace-period": "12s"}},
        "fidelity": ["Real programs: Kubernetes, Kafka, Consul.", "Scaled down: 5 app nodes and 50 pods on one machine."],
    }


def _told_once(write: Callable[[], Story]) -> Callable[[], Story]:
    """Writing a story takes a tenth of a second: it is written once, and each call gets a copy."""
    written = functools.cache(write)
    return functools.wraps(write)(lambda: written().copy())


@_told_once
def baseline() -> Story:
    """Nothing happens; the noise of a busy machine."""
    story = Story()
    story.add(0.0, "run", **header("baseline", "held", [], []))
    _phases(story)
    for node in NODES:
        story.add(0.5, "node", node=node, ready="True")
        story.series("lease_gap_s", node, lambda at_s: (at_s * 0.97) % 2.2)
        story.series("node_throttled_ratio", node, lambda _: float(story.noise.beta(2, 8)), 2)
        story.series("node_cpu_cores", node, story.scatter(0.09, 0.3), 2)
    for number, node in enumerate(APP_NODES):
        story.series("cri_latency_ms", node, story.scatter(60, 0.4), 10)
        story.series("log_backlog_bytes", node, lambda _: float(story.noise.integers(0, 900)))
        story.series("sidecar_cpu_cores", node, story.scatter(0.01, 0.2))
        for pod in range(10):
            story.add(0.5, "pod", pod=f"app-{number}{pod}", node=node, change="running", reason="at start")
    singles = {
        ("kafka_answer_ms", "broker"): story.scatter(4, 0.5),
        ("kafka_end_offset", "logs"): lambda at_s: 25 * at_s,
        ("shipped_lines_per_s", "logs"): story.scatter(25, 0.15),
        ("log_backlog_bytes_max", "pod-max"): constant(200),
        ("nodes_not_ready", "cluster"): constant(0),
        ("pods_running", "lab"): constant(PODS),
        ("pods_pending", "lab"): constant(0),
        ("pods_terminating", "lab"): constant(0),
        ("evictions_total", "lab"): constant(0),
        ("members_alive", "pool"): constant(53),
        ("members_failed", "pool"): constant(0),
        ("members_left", "pool"): constant(0),
        ("joins_per_s", "pool"): constant(0),
        ("gossip_false_positives", "pool"): constant(0),
        ("serf_queue_intent", "server"): constant(0),
        ("memberlist_health_score", "server"): constant(0),
        ("consul_read_ms", "servers"): story.scatter(2, 0.4),
        ("consul_write_ms", "servers"): story.scatter(4, 0.4),
        ("leader_changes", "servers"): constant(0),
    }
    for (name, target), shape in singles.items():
        story.series(name, target, shape)
    story.series("agent_read_ms", "agents", story.scatter(2.2, 0.8), 0.5)
    story.add(END + 4, "accounting", written=20_000, delivered=20_000, backlog=0, gone_with_pod=0, unaccounted=0, duplicates=0)
    story.add(END + 4, "lab", cpu_cores_mean=0.03, samples=9000, samples_late=20)
    return story.add(END + 5, "end", status="completed", reason="")


@_told_once
def cascade() -> Story:
    """All links fire, and the bad state outlives its cause."""
    story = _released("cascade", [0, 1, 2, 3, 4, 5, 6])
    lost = {APP_NODES[0]: (112.0, END), APP_NODES[1]: (118.0, 190.0), APP_NODES[2]: (141.0, 222.0), APP_NODES[3]: (150.0, END)}
    _starve(story, {node: (begin - 14, end) for node, (begin, end) in lost.items()})
    for node, (begin_s, end_s) in lost.items():
        _lose(story, node, begin_s, end_s)
    _count_pods(story, {begin + 10: 10 for begin, _ in lost.values()}, back=lambda at_s: 26.0 if at_s > 200 else 14.0)
    gone = between(115, END, lambda at_s: min(40.0, (at_s - 115) * 1.0), constant(0))
    story.series("members_failed", "pool", gone)
    for number in range(40):
        story.add(115.5 + number, "member_change", member=f"app-{number}", state="failed")
        story.add(127.5 + number * 3, "member_change", member=f"new-{number}", state="alive")
    story.series("members_left", "pool", between(130, END, lambda at_s: min(22.0, (at_s - 130) * 0.5), constant(0)))
    story.series("members_alive", "pool", between(115, END, lambda at_s: 53 - min(25.0, (at_s - 115) * 0.8), constant(53)))
    story.series("joins_per_s", "pool", between(125, END, lambda at_s: 1.5 if at_s % 20 < 8 else 0.2, constant(0)))
    story.series("gossip_false_positives", "pool", between(118, END, lambda at_s: 3 + at_s % 4, constant(0)))
    story.series("consul_read_ms", "servers", between(100, 260, story.scatter(30, 1.1), story.scatter(2, 0.4)))
    slow = story.scatter(120, 1.9)
    reads = between(108, END, lambda at_s: None if at_s % 17 < 1 else slow(at_s), story.scatter(2.2, 0.8))
    return story.series("agent_read_ms", "agents", reads, 0.5)


@_told_once
def contained() -> Story:
    """One node is lost and comes back; its pods move; then all is calm again."""
    story = _released("contained", [0, 1, 2, 3, 4, 5, 6])
    node = APP_NODES[0]
    _starve(story, {node: (100.0, 140.0)})
    _lose(story, node, 114.0, 142.0)
    _count_pods(story, {124.0: 10}, back=lambda at_s: 42.0 if at_s < 150 else 50.0)
    story.series("members_failed", "pool", between(117, END, constant(10), constant(0)))
    for number in range(10):
        story.add(116.5, "member_change", member=f"app-0{number}", state="failed")
        story.add(135.5 + number, "member_change", member=f"new-{number}", state="alive")
    story.series("joins_per_s", "pool", between(135, 145, constant(1.0), constant(0)))
    story.series("gossip_false_positives", "pool", between(117, 140, constant(5), constant(0)))
    return story.series("agent_read_ms", "agents", between(110, 150, story.scatter(60, 1.7), story.scatter(2.2, 0.8)), 0.5)


STEPS = ("token", "register", "serve", "deregister", "revoke")


@_told_once
def platform() -> Story:
    """The baseline with Vault, load balancer and deploys measured, as today's runs have them; the other stories are of a run without."""
    story = baseline()
    for number, code in enumerate((200, 429)):
        target = f"vault-{number}"
        story.series("vault_health_code", target, constant(code), 2, reason="timed out after 5 s")
        story.series("vault_sealed", target, constant(0), 2)
        story.series("vault_leader", target, constant(float(code == 200)), 2)
        story.series("vault_login_ms", target, story.scatter(30, 0.4), 6)
    story.series("lb_config_age_s", "balancer", constant(0.01), 2)
    story.series("lb_config_differs", "balancer", constant(0), 2)
    story.series("lb_backends_live", "balancer", constant(PODS), 2)
    story.series("lb_rerenders", "balancer", lambda at_s: at_s // 2, 2)
    story.series("lb_answer_ms", "balancer", story.scatter(6, 0.5))
    for step in STEPS:
        story.series("deploys_failed", step, constant(0), 4)
    return story.series("deploy_ms", "canary", story.scatter(1800, 0.1), 4)


HOUR = 3600.0


@_told_once
def hour() -> Story:
    """The cascade with the platform, watched for an hour: its recovery again and again, at the same rate of samples and events."""
    story = cascade()
    story.samples |= {key: told for key, told in platform().samples.items() if key not in story.samples}
    length_s = END - RECOVERY

    def again(told: list[Told]) -> list[Told]:
        tail = [each for each in told if RECOVERY <= each[0] < END and each[1] not in {"phase", "locust"}]
        later = [(at_s + times * length_s, kind, fields) for times in range(1, 28) for at_s, kind, fields in tail]
        late_s = HOUR - END
        end = [(at_s + late_s, kind, fields) for at_s, kind, fields in told if at_s >= END]
        return [each for each in told if each[0] < END] + [each for each in later if each[0] < HOUR] + end

    unwell = {"reason": "Unhealthy", "message": "Readiness probe failed: context deadline exceeded while awaiting headers"}
    for number in range(100):
        story.add(RECOVERY + number, "kube_event", object=f"Pod/app-0{number % 10}", **unwell)
        story.add(RECOVERY + number, "member_change", member=f"app-{number}", state="failed")
    story.events = again(story.events)
    story.samples = {key: again(told) for key, told in story.samples.items()}
    return story


def unknown() -> Story:
    """Nothing fires, but neither was Consul asked nor the log lines counted, and the run was broken off."""
    story = baseline().drop("agent_read_ms").drop_kind("accounting").drop_kind("end")
    return story.add(END + 5, "end", status="aborted", reason="the disk is full")


def requests() -> list[Request]:
    """Users' requests of a run."""
    return [Request(at_s, "steady", "page", 5.0 + at_s % 7, failed=at_s % 50 == 0) for at_s in map(float, range(10, 280))]


def store(history: History, folder: Path) -> Path:
    """The folder of a run that left this history."""
    folder.mkdir(parents=True)
    told = ({"seq": e.seq, "at_s": e.at_s, "kind": e.kind, "cause": e.cause, **e.fields} for e in history.events)
    (folder / HISTORY_FILE).write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")
    return folder


def _phases(story: Story) -> None:
    bounds = [
        ("steady", STEADY, OUTAGE),
        ("outage", OUTAGE, FLOOD),
        ("flood", FLOOD, RECOVERY),
        ("recovery", RECOVERY, END),
        ("heal", END, END + 3),
    ]
    for phase, begin_s, end_s in bounds:
        story.add(begin_s, "phase", phase=phase, state="begin").add(end_s, "phase", phase=phase, state="end")


def _released(name: str, links: list[int]) -> Story:
    """Kafka goes away and comes back; the logs pile up and flood."""
    story = baseline().drop_kind("run").drop_kind("accounting")
    pause = {"fault": "pause-broker", "inject_at_s": 0.0, "heal_at_s": 45.0}
    story.add(0.0, "run", **header(name, "deviated", links, [pause], flood_lines=4000))
    story.add(OUTAGE, "step", step="pause-broker", state="begin").add(FLOOD, "step", step="release", state="begin")
    for at_s, change in (
        (OUTAGE, "open"),
        (OUTAGE + 0.2, "injected"),
        (OUTAGE + 2.3, "witnessed"),
        (FLOOD + 0.3, "healed"),
        (FLOOD + 0.4, "closed"),
    ):
        story.add(at_s, "fault", fault="pause-broker", target="kafka", change=change)
    story.add(FLOOD, "locust", change="start", profile="flood").add(RECOVERY, "locust", change="stop", profile="flood")
    away = constant(None)
    story.series("kafka_answer_ms", "broker", between(OUTAGE, FLOOD, away, story.scatter(4, 0.5)), reason="timed out after 2 s")
    story.series("kafka_end_offset", "logs", between(OUTAGE, FLOOD, away, lambda at_s: 25 * at_s if at_s < FLOOD else 1000 * (at_s - 93)))
    flooded = between(FLOOD, RECOVERY, story.scatter(1900, 0.3), story.scatter(25, 0.15))
    story.series("shipped_lines_per_s", "logs", between(OUTAGE, FLOOD, away, flooded))
    for node in APP_NODES:
        story.series("log_backlog_bytes", node, _backlog)
        story.series("sidecar_cpu_cores", node, between(FLOOD, RECOVERY, story.scatter(0.1, 0.2), story.scatter(0.01, 0.2)))
    return story.add(
        END + 4, "accounting", written=200_000, delivered=180_000, backlog=5_000, gone_with_pod=15_000, unaccounted=0, duplicates=12
    )


def _backlog(at_s: float) -> float:
    """Bytes on one node: 5 lines/s pile up in the outage, the flood brings far more, which drains after it."""
    if at_s < OUTAGE:
        return 400.0
    if at_s < FLOOD:
        return 5_000 * (at_s - OUTAGE)
    if at_s < RECOVERY:
        return 225_000 + 30_000 * (at_s - FLOOD)
    return max(400.0, 2_475_000 - 60_000 * (at_s - RECOVERY))


def _starve(story: Story, stretches: dict[str, tuple[float, float]]) -> None:
    for node, (begin_s, end_s) in stretches.items():
        steady_gap: Shape = lambda at_s: (at_s * 0.97) % 2.2  # noqa: E731
        gap: Shape = lambda at_s, begin_s=begin_s: (at_s - begin_s) % 37.0  # type: ignore[misc]  # noqa: E731
        story.series("lease_gap_s", node, between(begin_s, end_s, gap, steady_gap))
        quiet: Shape = lambda _: float(story.noise.beta(2, 8))  # noqa: E731
        story.series("node_throttled_ratio", node, between(begin_s - 3, end_s, lambda _: 1 - float(story.noise.beta(1, 30)), quiet), 2)


def _lose(story: Story, node: str, begin_s: float, end_s: float) -> None:
    """NotReady, its pods evicted 10 s later."""
    story.add(begin_s, "node", node=node, ready="Unknown")
    story.add(begin_s + 0.1, "kube_event", reason="NodeNotReady", object=f"Node/{node}", message=f"Node {node} status is now: NodeNotReady")
    if end_s < END:
        story.add(end_s, "node", node=node, ready="True")
    for pod in range(10):
        name = f"app-{APP_NODES.index(node)}{pod}"
        story.add(begin_s + 10 + pod * 0.2, "pod", pod=name, node=node, change="evicting", reason="DeletionByTaintManager")
        unwell = {"reason": "Unhealthy", "object": f"Pod/{name}", "message": "Readiness probe failed: <timed out & given up>"}
        story.add(begin_s - 5 + pod * 0.3, "kube_event", **unwell)


def _count_pods(story: Story, evictions: dict[float, int], back: Shape) -> None:
    first_s = min(evictions)
    story.series("evictions_total", "lab", lambda at_s: float(sum(count for when_s, count in evictions.items() if when_s <= at_s)))
    story.series("pods_running", "lab", between(first_s, END, back, constant(PODS)))
    story.series("pods_pending", "lab", between(first_s, END, lambda at_s: max(0.0, 40 - (back(at_s) or 0)), constant(0)))
    terminating: Shape = lambda at_s: float(sum(c for when_s, c in evictions.items() if when_s <= at_s < when_s + 60))  # noqa: E731
    story.series("pods_terminating", "lab", terminating)
