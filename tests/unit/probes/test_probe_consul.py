"""Consul's probes, on clients that answer, refuse and lose their leader."""

import pytest
from probe_fakes import HandClock, reasons, silent, values

from lab.core.errors import Unavailable
from lab.probes.consul import KEY, LeaderProbe, agent_reads, server_reads, server_writes


class FakeKeyValue:
    def __init__(self, clock):
        self.clock, self.asked = clock, []

    def read(self, key, *, consistent=False):
        self.asked.append(("read", key, consistent))
        self.clock.sleep(0.002)

    def write(self, key, value):
        self.asked.append(("write", key, value))
        self.clock.sleep(0.003)


@pytest.mark.parametrize(
    ("make", "series", "target", "ms", "asked"),
    [
        (server_reads, "consul_read_ms", "servers", 2.0, ("read", KEY, True)),
        (server_writes, "consul_write_ms", "servers", 3.0, ("write", KEY, "1")),
        (agent_reads, "agent_read_ms", "agents", 2.0, ("read", KEY, False)),
    ],
)
def test_each_kind_of_request_is_timed_under_its_own_name(make, series, target, ms, asked):
    clock = HandClock()
    client = FakeKeyValue(clock)
    probe = make(client, clock)
    assert {key: round(value, 6) for key, value in values(probe.sample()).items()} == {(series, target): ms}
    assert (probe.name, client.asked) == (series, [asked])


def test_a_read_that_times_out_is_a_gap_with_its_reason():
    client = FakeKeyValue(HandClock())
    client.read = silent
    assert reasons(agent_reads(client, client.clock).sample()) == {("agent_read_ms", "agents"): "timed out after 2 s"}


def test_agents_can_all_hang_for_the_whole_time_out_without_a_missed_question():
    probe = agent_reads(FakeKeyValue(HandClock()), HandClock())
    assert probe.most * probe.interval_s >= probe.timeout_s


class FakeLeadership:
    def __init__(self, *leaders):
        self.leaders = list(leaders)

    def leader(self):
        leader = self.leaders.pop(0)
        if leader is None:
            raise Unavailable("ask for the leader", "timed out after 5 s")
        return leader


@pytest.mark.parametrize(
    ("leaders", "changes"),
    [
        (["a", "a", "a"], [0, 0, 0]),
        (["a", "b", "b", "a"], [0, 1, 1, 2]),
        (["a", "", "a"], [0, None, 1]),
        (["a", "", "b"], [0, None, 1]),
        (["a", None, "a"], [0, None, 0]),
        (["", "a", "a"], [None, 0, 0]),
    ],
)
def test_leader_changes_count_other_leaders_and_leaderless_intervals(leaders, changes):
    probe = LeaderProbe(FakeLeadership(*leaders))
    assert [values(probe.sample())["leader_changes", "servers"] for _ in leaders] == changes
