"""What a real run's history says about the simulator's parameters: CPU accounts, renewals, latencies. Nothing of it is simulated."""

import csv
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab.core.errors import Refused
from lab.core.history import HISTORY_FILE, History
from lab.sim.chain.parameters import Costs

WINDOW_S = 6.0
"""Length of one CPU account. Chosen: three samples of a node's CPU, six of its loggers'."""
SETTLE_S = 15.0
"""Left out of the steady phase: what has just started is no rest. As in lab/checkers/watch.py."""
SERVERS_SLOW_MS, SERVERS_NEAR_S = 100.0, 2.0
"""A read through an agent within so long of a servers' own read that took so long tells of the servers, whom blocking queries keep busy, and not of the
agent. Chosen: thirty times a servers' read at rest."""
FULL_RATIO, CALM_RATIO = 0.9, 0.6
"""Mean share of throttled periods above which a node counts as full in a window, and below which as not full. Chosen: between them it is both."""
CROWD_SHARE = 0.25
"""Share of the cap that loggers use on a node that containers have filled. Chosen: with a backlog they use half of it; a node full of the runtime's
work alone has loggers that do nothing, and a kubelet that is not starved."""
RENEWAL_S = 0.6
"""Moments of renewal closer than this are one, read twice. Chosen: the probe's moment and the lease's own clock differ by less."""


@dataclass(frozen=True, slots=True)
class Account:
    """One node over one window.

    Args:
        full: the node ran into its cap all the time.
        cap_cores: its cap.
        cpu_cores: mean use of the whole node.
        logger_cores: of that, its loggers.
        pods: workload pods whose containers were on it.
        written_per_s: log lines that its pods were asked to write.
    """

    full: bool
    cap_cores: float
    cpu_cores: float
    logger_cores: float
    pods: float
    written_per_s: float


@dataclass(frozen=True, slots=True)
class Shipping:
    """All loggers over one window: their CPU, the lines they shipped a second, and how many there were."""

    logger_cores: float
    shipped_per_s: float
    loggers: float


@dataclass(frozen=True, slots=True)
class Observed:
    """One real run.

    Args:
        name, digest: of its folder, and of its history.
        accounts, shippings: CPU accounts.
        renewals_s: between two renewals of the lease of a node that containers have filled.
        latencies: ms by (`read`, `cri`, `page`) and whether the node was full.
        calibrated_cores: use of a node while its cap was measured; None if the history does not say.
        throttled: (load, share of throttled periods) of nodes.
    """

    name: str
    digest: str
    accounts: Sequence[Account]
    shippings: Sequence[Shipping]
    renewals_s: Sequence[float]
    latencies: Mapping[tuple[str, bool], Sequence[float]]
    calibrated_cores: float | None
    throttled: Sequence[tuple[float, float]]


def observe(folder: Path, digest: str) -> Observed:
    """Read a run's folder.

    Raises:
        Refused: it holds no real run whose steady phase ended.
    """
    history = History.read(folder / HISTORY_FILE)
    if history.header.get("world") == "simulated":
        raise Refused(f"learn from {folder}", "it is a simulated run", "name runs on containers")
    if history.phase("steady") is None or history.first("phase", phase="steady", state="end") is None:
        raise Refused(f"learn from {folder}", "its steady phase never ended", "name completed runs")
    look = _Look(history)
    return Observed(
        name=folder.resolve().name,
        digest=digest,
        accounts=look.accounts(),
        shippings=look.shippings(),
        renewals_s=look.renewals(),
        latencies={**look.latencies(), **_pages(folder, look)},
        calibrated_cores=(look.settings.get("calibration") or {}).get("use_cores"),
        throttled=look.throttled(),
    )


class _Look:
    def __init__(self, history: History) -> None:
        self.history = history
        self.settings = _settings(history)
        steady = history.phase("steady") or (0.0, 0.0)
        recovery = history.phase("recovery")
        self.begin_s, self.steady_end_s = steady[0] + SETTLE_S, steady[1]
        self.end_s = recovery[1] if recovery else history.end_s
        self.flood = history.phase("flood") or (math.inf, math.inf)
        self.cap_cores = float(self.settings["caps"]["app_cap_cores"])
        self.nodes = sorted({event["node"] for event in history.of("pod") if event.get("node")})
        self._series: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
        self._slow_s: np.ndarray | None = None

    def accounts(self) -> list[Account]:
        found = []
        for begin_s in self._windows():
            for node in self.nodes:
                busy, cpu, loggers = (
                    self._mean(series, node, begin_s) for series in ("node_throttled_ratio", "node_cpu_cores", "sidecar_cpu_cores")
                )
                if busy is None or cpu is None or loggers is None or CALM_RATIO <= busy < FULL_RATIO or self._starting(begin_s):
                    continue
                pods, all_pods = self._pods(node, begin_s), sum(self._pods(each, begin_s) for each in self.nodes)
                written = self._written_per_s(begin_s) * pods / max(1, all_pods)
                found.append(Account(busy >= FULL_RATIO, self.cap_cores, cpu, loggers, pods, written))
        return found

    def shippings(self) -> list[Shipping]:
        found = []
        for begin_s in self._windows():
            shipped = self._mean("shipped_lines_per_s", "logs", begin_s)
            cores = [self._mean("sidecar_cpu_cores", node, begin_s) for node in self.nodes]
            if self._in_outage(begin_s):
                shipped = 0.0
            known = [each for each in cores if each is not None]
            if shipped is not None and len(known) == len(self.nodes):
                found.append(Shipping(sum(known), shipped, sum(self._pods(node, begin_s) for node in self.nodes)))
        return found

    def renewals(self) -> list[float]:
        found = []
        for node in self.nodes:
            at_s, gap_s = self._points("lease_gap_s", node)
            moments = np.sort(at_s - gap_s)
            distinct = moments[np.concatenate([[True], np.diff(moments) > RENEWAL_S])] if len(moments) else moments
            for first, second in itertools.pairwise(distinct):
                if first >= self.steady_end_s and self._crowded_between(node, first, second):
                    found.append(float(second - first))
        return found

    def latencies(self) -> dict[tuple[str, bool], list[float]]:
        found: dict[tuple[str, bool], list[float]] = {(what, full): [] for what in ("read", "cri") for full in (False, True)}
        for sample in self.history.samples("agent_read_ms"):
            full = self._mostly_full(sample.at_s)
            if full is None or sample.value is None or not self.begin_s <= sample.at_s <= self.end_s:
                continue
            if not self._servers_slow(sample.at_s):
                found["read", full].append(sample.value)
        for node in self.nodes:
            for sample in self.history.samples("cri_latency_ms", node):
                full = self._is_full(node, sample.at_s)
                if full is not None and sample.value is not None and self.begin_s <= sample.at_s <= self.end_s:
                    found["cri", full].append(sample.value)
        return found

    def _servers_slow(self, at_s: float) -> bool:
        """Did the servers themselves answer late, or not at all, around a moment?"""
        if self._slow_s is None:
            late = [
                sample.at_s for sample in self.history.samples("consul_read_ms", "servers") if (sample.value or math.inf) > SERVERS_SLOW_MS
            ]
            self._slow_s = np.array(late, float)
        return bool((np.abs(self._slow_s - at_s) <= SERVERS_NEAR_S).any())

    def throttled(self) -> list[tuple[float, float]]:
        found = []
        for begin_s in self._windows():
            for node in self.nodes:
                cpu, ratio = self._mean("node_cpu_cores", node, begin_s), self._mean("node_throttled_ratio", node, begin_s)
                if cpu is not None and ratio is not None:
                    found.append((min(1.0, cpu / self.cap_cores), ratio))
        return found

    def full_state(self, at_s: float) -> bool | None:
        """Whether nearly all nodes were full at a moment, or nearly none; None between."""
        return self._mostly_full(at_s)

    def _windows(self) -> Iterable[float]:
        return np.arange(self.begin_s, self.end_s - WINDOW_S, WINDOW_S)

    def _points(self, series: str, target: str) -> tuple[np.ndarray, np.ndarray]:
        key = series, target
        if key not in self._series:
            known = [(sample.at_s, sample.value) for sample in self.history.samples(series, target) if sample.value is not None]
            self._series[key] = np.array([at_s for at_s, _ in known]), np.array([value for _, value in known], float)
        return self._series[key]

    def _mean(self, series: str, target: str, begin_s: float) -> float | None:
        at_s, value = self._points(series, target)
        inside = (at_s >= begin_s) & (at_s < begin_s + WINDOW_S)
        return float(value[inside].mean()) if inside.sum() >= 2 else None

    def _pods(self, node: str, begin_s: float) -> float:
        """Pods with containers on a node half way through a window."""
        here: dict[str, bool] = {}
        for event in self.history.of("pod"):
            if event.at_s <= begin_s + WINDOW_S / 2 and event.get("node") == node and event["change"] in ("running", "evicting", "deleted"):
                here[event["pod"]] = event["change"] != "deleted"
        return float(sum(here.values()))

    def _starting(self, begin_s: float) -> bool:
        """Are pods being made now? Their work belongs to no account."""
        pending = self._mean("pods_pending", "lab", begin_s)
        return pending is None or pending > 0

    def _written_per_s(self, begin_s: float) -> float:
        workload = self.history.header["experiment"]["workload"]
        flooding = self.flood[0] <= begin_s < self.flood[1] - WINDOW_S
        return float(workload["requests_per_s"] * Costs().lines_per_request + (workload["flood_lines_per_s"] if flooding else 0.0))

    def _in_outage(self, begin_s: float) -> bool:
        injected = [event.at_s for event in self.history.of("fault") if event["change"] == "witnessed"]
        healed = [event.at_s for event in self.history.of("fault") if event["change"] == "healed"]
        return bool(injected and healed) and injected[0] <= begin_s and begin_s + WINDOW_S <= healed[-1]

    def _is_full(self, node: str, at_s: float) -> bool | None:
        at, ratio = self._points("node_throttled_ratio", node)
        inside = (at >= at_s - WINDOW_S / 2) & (at < at_s + WINDOW_S / 2)
        if not inside.any():
            return None
        mean = float(ratio[inside].mean())
        return True if mean >= FULL_RATIO else False if mean < CALM_RATIO else None

    def _mostly_full(self, at_s: float) -> bool | None:
        states = {self._is_full(node, at_s) for node in self.nodes}
        return states.pop() if len(states) == 1 else None

    def _crowded_between(self, node: str, first_s: float, second_s: float) -> bool:
        ratio, loggers = (self._between(series, node, first_s, second_s + 1.0) for series in ("node_throttled_ratio", "sidecar_cpu_cores"))
        return ratio is not None and loggers is not None and ratio >= FULL_RATIO and loggers >= CROWD_SHARE * self.cap_cores

    def _between(self, series: str, target: str, first_s: float, second_s: float) -> float | None:
        at, value = self._points(series, target)
        inside = value[(at >= first_s) & (at <= second_s)]
        return float(inside.mean()) if len(inside) else None


def _settings(history: History) -> Mapping[str, dict[str, float]]:
    """As they were once the system was prepared."""
    prepared = [event["settings"] for event in history.of("phase") if event.get("settings")]
    found: Mapping[str, dict[str, float]] = prepared[-1] if prepared else history.header["settings"]
    return found


def _pages(folder: Path, look: _Look) -> dict[tuple[str, bool], list[float]]:
    """Users' pages; the log requests of the flood take as long within their scatter."""
    found: dict[tuple[str, bool], list[float]] = {("page", False): [], ("page", True): []}
    path = folder / "locust.csv"
    if not path.is_file():
        return found
    states: dict[int, bool | None] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row.get("latency_ms") or row.get("error") or row.get("name") != "page":
                continue
            at_s = float(row["at_s"])
            if not look.begin_s <= at_s <= look.end_s:
                continue
            second = int(at_s)
            if second not in states:
                states[second] = look.full_state(at_s)
            if (full := states[second]) is not None:
                found["page", full].append(float(row["latency_ms"]))
    return found
