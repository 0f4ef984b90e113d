"""Backlogs and logger CPU per node, while pods come and go."""

from probe_fakes import HandClock, Seen, Told, pod, reasons, values

from lab.core.tally import Tally
from lab.probes.pods import PodCache
from lab.probes.tallies import TalliesProbe


def tally(written=0, shipped=0, cpu_s=0.0):
    return Tally(0, written, 0, shipped, round(cpu_s * 1e6), 0)


class Rig:
    def __init__(self, pods, tallies):
        self.pods, self.tallies, self.clock, self.seen = PodCache(), tallies, HandClock(), Seen()
        self.pods.replace(pods, Told())
        self.probe = TalliesProbe(["n1", "n2"], self.pods, self.seen, self.read, self.clock)

    def read(self, names):
        return {name: self.tallies[name] for name in names if name in self.tallies}

    def sample(self):
        self.clock.sleep(2)
        return self.probe.sample()


def test_backlogs_add_up_per_node_and_the_worst_pod_is_named_apart():
    rig = Rig([pod("a"), pod("b"), pod("c", "n2")], {"a": tally(900, 300), "b": tally(50, 50), "c": tally(2000, 500)})
    found = values(rig.sample())
    assert (found["log_backlog_bytes", "n1"], found["log_backlog_bytes", "n2"]) == (600.0, 1500.0)
    assert found["log_backlog_bytes_max", "pod-max"] == 1500.0


def test_a_pod_that_is_gone_or_has_failed_has_no_backlog_here_any_more():
    failed = pod("b", phase="Failed", ready=False)
    rig = Rig([pod("a", terminating=True), failed], {name: tally(100) for name in ("a", "b", "gone")})
    assert values(rig.sample())["log_backlog_bytes", "n1"] == 100.0


def test_a_node_without_pods_has_a_backlog_of_zero_and_a_pod_without_a_tally_none():
    assert values(Rig([pod("new")], {}).sample())["log_backlog_bytes", "n1"] == 0.0


def test_logger_cpu_is_the_sum_over_pods_seen_twice():
    rig = Rig([pod("a"), pod("b"), pod("new")], {"a": tally(cpu_s=1.0), "b": tally(cpu_s=5.0)})
    assert set(reasons(rig.sample()).values()) == {None, "a rate needs two readings"}
    rig.tallies |= {"a": tally(cpu_s=1.5), "b": tally(cpu_s=5.1), "new": tally(cpu_s=99.0)}
    assert values(rig.sample())["sidecar_cpu_cores", "n1"] == 0.3


def test_a_logger_that_counts_anew_is_not_negative():
    rig = Rig([pod("a")], {"a": tally(cpu_s=9.0)})
    rig.sample()
    rig.tallies["a"] = tally(cpu_s=0.1)
    assert values(rig.sample())["sidecar_cpu_cores", "n1"] == 0.0


def test_without_knowing_where_pods_are_nothing_is_said():
    rig = Rig([pod("a")], {"a": tally(1)})
    rig.seen.problem = "connection reset"
    readings = rig.sample()
    assert set(values(readings).values()) == {None}
    assert len(readings) == 5
