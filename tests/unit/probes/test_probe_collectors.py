"""Backlogs and CPU per node where each node has one collector, while pods and collectors come and go."""

from probe_fakes import HandClock, Seen, Told, pod, reasons, values

from lab.core.shipped import Shipped
from lab.core.tally import Tally
from lab.probes.collectors import CollectorsProbe
from lab.probes.pods import PodCache


def tally(lines):
    return Tally(lines, lines * 200, 0, 0, 0, 0)


class Rig:
    def __init__(self, pods, tallies, done):
        self.pods, self.tallies, self.done, self.clock, self.seen = PodCache(), tallies, done, HandClock(), Seen()
        self.pods.replace(pods, Told())
        self.probe = CollectorsProbe(["n1", "n2"], self.pods, self.seen, self.read, lambda: self.done, self.clock)

    def read(self, names):
        return {name: self.tallies[name] for name in names if name in self.tallies}

    def sample(self):
        self.clock.sleep(2)
        return self.probe.sample()


def backlogs(rig):
    found = values(rig.sample())
    return [found["log_backlog_bytes", node] for node in ("n1", "n2")]


def test_a_node_s_backlog_is_what_was_not_taken_and_what_was_taken_and_not_acknowledged():
    rig = Rig(
        [pod("a"), pod("b"), pod("c", "n2")],
        {"a": tally(10), "b": tally(30), "c": tally(7)},
        {"n1": Shipped(acked=9, taken={"a": 10, "b": 4}), "n2": Shipped(acked=7, taken={"c": 7})},
    )
    assert backlogs(rig) == [(26 + 5) * 200, 0.0]
    assert values(rig.sample())["log_backlog_bytes_max", "pod-max"] == 26 * 200


def test_what_was_taken_of_a_pod_that_is_gone_still_waits_and_what_was_not_is_gone():
    rig = Rig([pod("a")], {"a": tally(10), "gone": tally(500)}, {"n1": Shipped(acked=10, taken={"a": 10, "gone": 3})})
    assert backlogs(rig) == [3 * 200, 0.0]


def test_before_its_collector_has_counted_anything_all_of_a_pod_waits():
    assert backlogs(Rig([pod("a")], {"a": tally(4)}, {})) == [800.0, 0.0]
    assert backlogs(Rig([], {}, {})) == [0.0, 0.0]


def test_cores_are_those_between_two_samples():
    rig = Rig([], {}, {"n1": Shipped(cpu_us=1_000_000)})
    assert reasons(rig.sample())["sidecar_cpu_cores", "n1"] == "a rate needs two readings"
    rig.done = {"n1": Shipped(cpu_us=1_500_000), "n2": Shipped(cpu_us=100_000)}
    found = rig.sample()
    assert (values(found)["sidecar_cpu_cores", "n1"], values(found)["sidecar_cpu_cores", "n2"]) == (0.25, 0.05)
    rig.done = {}
    assert values(rig.sample())["sidecar_cpu_cores", "n1"] is None


def test_without_a_believable_list_of_pods_nothing_is_known():
    rig = Rig([pod("a")], {"a": tally(4)}, {})
    rig.seen.problem = "the watch is broken"
    assert set(reasons(rig.sample()).values()) == {"the watch is broken"}
    assert len(rig.sample()) == 5
