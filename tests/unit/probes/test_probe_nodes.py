"""Nodes: CPU from counters, leases by age, Ready by watch, runtimes in turn."""

from dataclasses import dataclass

from probe_fakes import HandClock, Seen, Told, node, reasons, silent, values

from lab.core.errors import Unavailable
from lab.probes.nodes import CpuProbe, CriProbe, LeaseCache, NodeCache, NodesProbe


@dataclass
class Counters:
    used_s: float
    periods: int
    throttled_periods: int


class FakeGroup:
    def __init__(self, *readings):
        self.readings = list(readings)

    def read(self):
        reading = self.readings.pop(0)
        if reading is None:
            raise Unavailable("read cpu.stat", "gone")
        return reading


def sampled(*readings, times=None):
    """Readings of a probe of one node, 2 s apart; each None of the counters is a group that is gone."""
    clock, groups = HandClock(), FakeGroup(*readings)
    probe, found = CpuProbe(["n1"], lambda _: groups, clock), []
    for _ in range(times or len(readings)):
        found.append(probe.sample())
        clock.sleep(2)
    return found


def test_two_readings_give_cores_and_the_share_of_stopped_periods():
    first, second = sampled(Counters(10.0, 100, 40), Counters(10.5, 120, 55))
    assert set(reasons(first).values()) == {"a rate needs two readings"}
    assert values(second) == {("node_cpu_cores", "n1"): 0.25, ("node_throttled_ratio", "n1"): 0.75}


def test_a_node_without_a_cap_is_not_throttled():
    assert values(sampled(Counters(1, 0, 0), Counters(2, 0, 0))[1])["node_throttled_ratio", "n1"] == 0.0


def test_a_node_that_was_started_again_begins_anew():
    _, gone, first, second = sampled(Counters(10, 9, 9), None, Counters(1, 0, 0), Counters(3, 10, 5))
    assert set(reasons(gone).values()) == {"gone"}
    assert set(values(first).values()) == {None}
    assert values(second) == {("node_cpu_cores", "n1"): 1.0, ("node_throttled_ratio", "n1"): 0.5}


def test_counters_that_go_back_give_no_negative_rate():
    assert set(reasons(sampled(Counters(10, 9, 9), Counters(1, 0, 0))[1]).values()) == {"its counters began anew"}


def test_a_node_that_is_not_found_leaves_the_others_alone():
    def locate(name):
        return silent() if name == "lost" else FakeGroup(Counters(0, 0, 0))

    found = reasons(CpuProbe(["lost", "n1"], locate, HandClock()).sample())
    assert found["node_cpu_cores", "lost"] == "timed out after 2 s"
    assert found["node_cpu_cores", "n1"] == "a rate needs two readings"


def test_ready_is_told_at_the_start_and_when_it_changes():
    cache, told = NodeCache(), Told()
    cache.replace([node("n1"), node("n2")], told)
    for ready in ("True", "Unknown", "Unknown", "True"):
        cache.apply("MODIFIED", node("n2", ready), told)
    assert told.of("node", "node", "ready") == [("n1", "True"), ("n2", "True"), ("n2", "Unknown"), ("n2", "True")]


def test_a_node_without_a_ready_condition_is_unknown():
    cache = NodeCache()
    cache.apply("ADDED", {"metadata": {"name": "n1"}, "status": {}}, Told())
    assert cache.ready() == {"n1": "Unknown"}


def test_a_node_that_is_gone_is_forgotten():
    cache = NodeCache()
    cache.replace([node("n1"), node("n2"), node("n3")], Told())
    cache.apply("DELETED", node("n3"), Told())
    cache.replace([node("n1")], Told())
    assert cache.ready() == {"n1": "True"}


def lease(name, renewed):
    return {"metadata": {"name": name}, "spec": {"renewTime": renewed} if renewed else {}}


def nodes_probe(**problems):
    nodes, leases = NodeCache(), LeaseCache()
    nodes.replace([node("n1"), node("n2", "Unknown"), node("n3", "False")], Told())
    leases.replace([lease("n1", "2019-01-15T00:01:38.500000Z"), lease("n2", None)], Told())
    return NodesProbe(nodes, leases, Seen(problems.get("nodes")), Seen(problems.get("leases")), HandClock())


def test_lease_gaps_are_ages_and_every_state_but_true_is_not_ready():
    assert values(nodes_probe().sample()) == {("nodes_not_ready", "cluster"): 2.0, ("lease_gap_s", "n1"): 1.5}


def test_a_broken_watch_takes_away_only_its_own_values():
    probe = nodes_probe(leases="refused")
    assert values(probe.sample()) == {("nodes_not_ready", "cluster"): 2.0, ("lease_gap_s", "n1"): None}
    assert values(nodes_probe(nodes="refused").sample())["nodes_not_ready", "cluster"] is None


class FakeRuntimes:
    def __init__(self, clock):
        self.clock = clock

    def check(self, node, timeout_s):
        assert timeout_s == 10.0
        self.clock.sleep(0.05)


def test_runtimes_are_asked_in_turn_each_once_a_round():
    clock = HandClock()
    probe = CriProbe(["n1", "n2"], FakeRuntimes(clock), clock)
    found = [values(probe.sample()) for _ in range(3)]
    assert [round(value, 6) for one in found for value in one.values()] == [50.0] * 3
    assert [target for one in found for _, target in one] == ["n1", "n2", "n1"]
    assert probe.interval_s == 2.0


def test_a_runtime_that_does_not_answer_is_a_gap():
    runtimes = FakeRuntimes(HandClock())
    runtimes.check = silent
    assert reasons(CriProbe(["n1"], runtimes, HandClock()).sample()) == {("cri_latency_ms", "n1"): "timed out after 2 s"}
