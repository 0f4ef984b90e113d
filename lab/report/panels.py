"""The charts of the page, as data: which series, in which unit, on which scale. A new chart is one line in `panels`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from lab.checkers.consul_slow import TIMEOUT_MS, sliding
from lab.checkers.gossip_churn import churn_share
from lab.checkers.lb_down import ANSWER_TIMEOUT_MS
from lab.checkers.log_flood import summed
from lab.checkers.series import Point, censored, peak, range_of, read, steady, values
from lab.checkers.vault_down import LOGIN_TIMEOUT_MS
from lab.checkers.watch import Watch
from lab.core.history import History
from lab.report.thin import thin
from lab.report.words import number, short_node, spread

Style = Literal["line", "dash", "area", "dots", "rings"]


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a chart. `tone` names its colour in the style sheet; `own` is what a stacked area itself shows."""

    label: str
    tone: str
    points: Sequence[Point]
    style: Style = "line"
    own: Sequence[Point] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart. `note` says in a sentence what is seen; `bound` is drawn as a dashed line."""

    id: str
    title: str
    unit: str
    lines: Sequence[Line]
    note: str = ""
    log: bool = False
    bound: float | None = None
    bound_label: str = ""
    tall: bool = False


NODE_TONES = ("n1", "n2", "n3", "n4", "n5", "n6")
"""App nodes in name order; the control plane and the core node are grey, as they are not in the flood's way."""


def tone_of(node: str, nodes: Sequence[str]) -> str:
    """The colour of a node, the same in every chart: control plane and core node, as kind names them, in grey."""
    app = sorted(name for name in nodes if not name.endswith(("-control-plane", "-worker")))
    return NODE_TONES[app.index(node) % len(NODE_TONES)] if node in app else "grey"


def panels(history: History) -> list[Panel]:
    """All charts, from the cause to its effects; charts and lines without a single sample are left out."""
    found = [*_logs(history), *_nodes(history), _pods(history), *_gossip(history), *_consul(history), *_platform(history)]
    sampled = [replace(panel, lines=[line for line in panel.lines if line.points]) for panel in found]
    return [panel for panel in sampled if panel.lines]


def figures(panel: Panel, watch: Watch) -> list[dict[str, str]]:
    """Of each line: steady range and peak in words. What a reader sees who sees no chart."""
    rows = []
    for line in panel.lines:
        shown = line.points if line.own is None else line.own
        usual = range_of(values(steady({"": shown}, watch)))
        rows.append(
            {
                "label": line.label,
                "tone": line.tone,
                "style": line.style,
                "steady": spread(usual.low, usual.high, panel.unit) if usual else "-",
                "peak": number(peak({"": shown}), panel.unit),
            }
        )
    return rows


def embedded(panel: Panel, begin_s: float, end_s: float) -> dict[str, Any]:
    """What the page's script draws. A chart in which nothing ever changes gets little room."""
    lines: list[dict[str, Any]] = []
    for line in panel.lines:
        at_s, known = thin(line.points, begin_s, end_s)
        sampled = sum(begin_s <= point.at_s <= end_s for point in line.points)
        lines.append({"label": line.label, "tone": line.tone, "style": line.style, "n": sampled, "x": at_s, "y": known})
    flat = len({value for line in lines for value in line["y"]}) <= 1
    height = 190 if panel.tall else 56 if flat else 124
    return {
        "id": panel.id,
        "unit": panel.unit,
        "log": panel.log,
        "height": height,
        "bound": panel.bound,
        "title": panel.title,
        "lines": lines,
    }


def one(history: History, name: str, label: str, tone: str, style: Style = "line") -> Line:
    """A series with a single target, or its targets in the order of time."""
    points = sorted((point for known in read(history, name).values() for point in known), key=lambda point: point.at_s)
    return Line(label, tone, points, style)


def per_node(history: History, name: str, style: Style = "line", change: Callable[[list[Point]], list[Point]] = list) -> list[Line]:
    """One line per node."""
    found: Mapping[str, list[Point]] = read(history, name)
    nodes = sorted({event["node"] for event in history.of("node")} | set(found))
    lines = [Line(short_node(node), tone_of(node, nodes), change(points), style) for node, points in found.items()]
    return sorted(lines, key=lambda line: (line.tone != "grey", line.label))


def _logs(history: History) -> list[Panel]:
    backlog = read(history, "log_backlog_bytes")
    return [
        Panel("kafka", "Kafka's answer", "ms", [one(history, "kafka_answer_ms", "metadata request", "ink")], "Gaps: no answer.", log=True),
        Panel("shipped", "Log lines to Kafka", "lines/s", [one(history, "shipped_lines_per_s", "per second", "flood")]),
        Panel(
            "backlog",
            "Log backlog",
            "B",
            [Line("all nodes", "flood", summed(backlog) if backlog else []), one(history, "log_backlog_bytes_max", "fullest pod", "grey")],
            "Written and not yet at Kafka.",
        ),
    ]


def _nodes(history: History) -> list[Panel]:
    return [
        Panel("cpu", "CPU of the nodes", "cores", per_node(history, "node_cpu_cores")),
        Panel("loggers", "CPU of the loggers", "cores", per_node(history, "sidecar_cpu_cores"), "Sum over the pods of a node."),
        Panel(
            "throttled",
            "Throttled",
            "share",
            per_node(history, "node_throttled_ratio"),
            "Scheduler periods in which the cap stopped the node.",
        ),
        Panel(
            "lease",
            "Lease gap",
            "s",
            per_node(history, "lease_gap_s"),
            "Since the kubelet last renewed its lease; usual: 2 s.",
            bound=8.0,
            bound_label="lease duration",
        ),
        Panel(
            "cri",
            "Container runtime's answer",
            "ms",
            per_node(history, "cri_latency_ms", "dots", lambda points: censored(points, 10_000)),
            "Timed out calls at their time-out.",
            log=True,
        ),
    ]


def _pods(history: History) -> Panel:
    names = (("pods_running", "running", "good"), ("pods_pending", "pending", "wait"), ("pods_terminating", "terminating", "bad"))
    below: list[Point] = []
    lines = []
    for name, label, tone in names:
        own = one(history, name, label, tone).points
        below = _stacked(own, below)
        lines.append(Line(label, tone, below, "area", own))
    evictions = one(history, "evictions_total", "evicted so far", "ink")
    return Panel("pods", "Pods by state", "pods", [*reversed(lines), evictions], "Stacked.", tall=True)


def _stacked(points: Sequence[Point], below: Sequence[Point]) -> list[Point]:
    floor = {round(point.at_s, 2): point.value for point in below}
    return [
        Point(p.at_s, None if p.value is None or (base := floor.get(round(p.at_s, 2), 0.0)) is None else p.value + base, p.reason)
        for p in points
    ]


def _gossip(history: History) -> list[Panel]:
    members = [
        one(history, "members_alive", "alive", "good"),
        one(history, "members_failed", "failed", "bad"),
        one(history, "members_left", "left", "wait"),
        one(history, "gossip_false_positives", "failed, yet running", "ink", "dash"),
        one(history, "gossip_missing", "running, yet not alive", "n2", "dash"),
        one(history, "gossip_phantoms", "came back, yet dead", "n4", "dash"),
    ]
    views = [
        one(history, "gossip_fp", "for a random agent", "bad", "dots"),
        one(history, "gossip_fp_minus", "for a healthy one", "good", "dots"),
    ]
    scores = [Line(f"health score, {target}", tone, points) for (target, points), tone in _two(history, "memberlist_health_score")]
    watch = Watch.of(history)
    churn = Line("of the steady pool", "bad", churn_share(history, watch) if watch else [])
    return [
        Panel("members", "Gossip pool", "members", members, tall=True),
        Panel("churn", "Gossip churn", "share", [churn], "Members that failed, left or joined within 20 s."),
        Panel("joins", "Joins", "per s", [one(history, "joins_per_s", "members joining", "good")]),
        Panel(
            "views",
            "Wrongly held for failed",
            "members",
            views,
            "Living members that one agent holds for failed.",
        ),
        Panel(
            "handoff",
            "News thrown away",
            "messages",
            per_node(history, "gossip_handoff_dropped"),
            "Since a node's pods began: 1,024 messages may wait for an agent, what comes then is lost.",
        ),
        Panel("returns", "Members that came back", "", [one(history, "members_returned", "times since the start", "ink")]),
        Panel(
            "gossip",
            "Gossip's own health",
            "",
            [*scores, one(history, "serf_queue_intent", "queued intents", "ink")],
            "Score 0 is well, 8 is worst.",
        ),
    ]


def _two(history: History, name: str) -> list[tuple[tuple[str, list[Point]], str]]:
    return list(zip(read(history, name).items(), ("n1", "n2"), strict=False))


def _consul(history: History) -> list[Panel]:
    asked = [point for point in one(history, "agent_read_ms", "", "").points if point.asked]
    reads = censored(asked, TIMEOUT_MS)
    lines = [
        Line("each read", "n1", [point for point in asked if point.value is not None], "dots"),
        Line("timed out", "bad", [slow for slow, read_ in zip(reads, asked, strict=True) if read_.timed_out], "rings"),
        Line("p99 over 20 s", "ink", sliding(reads) if reads else []),
    ]
    servers = [one(history, "consul_read_ms", "consistent read", "n1"), one(history, "consul_write_ms", "write", "n2")]
    return [
        Panel("agents", "Consul at the pods' agents", "ms", [line for line in lines if line.points], "Log scale.", log=True, tall=True),
        Panel("servers", "Consul at the servers", "ms", servers, "Log scale.", log=True),
        Panel("leader", "Changes of Consul's leader", "", [one(history, "leader_changes", "since the start", "ink")]),
    ]


def _platform(history: History) -> list[Panel]:
    """Vault, load balancer and deploys."""
    codes = [Line(target, tone, points) for (target, points), tone in _two(history, "vault_health_code")]
    logins = one(history, "vault_login_ms", "", "").points
    shown = [
        Line("each login", "n1", [point for point in logins if point.value is not None], "dots"),
        Line("failed", "bad", [Point(point.at_s, LOGIN_TIMEOUT_MS) for point in logins if point.value is None and point.asked], "rings"),
    ]
    answers = censored(one(history, "lb_answer_ms", "", "").points, ANSWER_TIMEOUT_MS)
    backends = [one(history, "lb_backends_live", "answering", "good"), one(history, "lb_config_differs", "unlike the catalog", "bad")]
    failed = [
        Line(f"at {step}", tone, points) for (step, points), tone in zip(read(history, "deploys_failed").items(), NODE_TONES, strict=False)
    ]
    return [
        Panel("vault", "Vault", "", codes, "Health: 200 leads, 429 stands by, 503 is sealed; gaps: no answer."),
        Panel("logins", "Vault logins", "ms", shown, "Log scale; failed ones at their time-out.", log=True),
        Panel("config", "Age of the balancer's backends", "s", [one(history, "lb_config_age_s", "since they were the catalog's", "ink")]),
        Panel("backends", "Behind the load balancer", "backends", backends),
        Panel("answers", "Through the load balancer", "ms", [Line("a page", "n1", answers, "dots")], "Log scale.", log=True),
        Panel("renders", "Balancer's configuration", "", [one(history, "lb_rerenders", "times made", "ink")]),
        Panel("deploys", "Canary deploys", "ms", [one(history, "deploy_ms", "until the first answer", "n1", "dots")], "Gaps: failed."),
        Panel("failed", "Deploys that failed", "", failed, "Since the start, by step."),
    ]
