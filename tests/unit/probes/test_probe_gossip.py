"""The pool: what changes is told, and the wrongly dead are counted."""

import threading

import pytest
from probe_fakes import HandClock, Told, reasons, silent, values

from lab.probes.gossip import GossipProbe, MemberWatch, StatsProbe


class FakeMembers:
    def __init__(self, **states):
        self.states = states

    def members(self):
        return dict(self.states)


def looked(client):
    watch = MemberWatch(client)
    watch.look(Told(), threading.Event())
    return watch


def test_the_first_look_tells_nothing_and_counts_no_joins():
    told, watch = Told(), MemberWatch(FakeMembers(a="alive", b="failed"))
    watch.look(told, threading.Event())
    assert (told.events, watch.joins, watch.problem) == ([], 0, None)


def test_changes_are_told_and_joins_are_new_members_and_those_that_came_back():
    client = FakeMembers(a="alive", b="failed", c="alive", d="alive")
    watch, told = looked(client), Told()
    client.states = {"a": "failed", "b": "alive", "c": "leaving", "d": "alive", "e": "alive"}
    watch.look(told, threading.Event())
    assert told.of("member_change", "member", "state") == [("a", "failed"), ("b", "alive"), ("c", "left"), ("e", "alive")]
    assert watch.joins == 2


def test_a_member_on_its_way_out_and_then_out_is_told_once():
    client = FakeMembers(a="leaving")
    watch, told = looked(client), Told()
    client.states["a"] = "left"
    watch.look(told, threading.Event())
    assert told.events == []


def test_members_that_are_not_there_any_more_are_forgotten():
    client = FakeMembers(a="alive", b="left")
    watch = looked(client)
    del client.states["b"]
    watch.look(Told(), threading.Event())
    assert watch.states() == {"a": "alive"}


def test_failed_members_whose_process_lives_are_false_positives():
    watch = looked(FakeMembers(a="alive", b="failed", c="failed", d="left"))
    probe = GossipProbe(watch, lambda: {"a", "b", "d", "x"}, HandClock())
    found = values(probe.sample())
    assert found["gossip_false_positives", "pool"] == 1.0
    assert [found[f"members_{state}", "pool"] for state in ("alive", "failed", "left")] == [1.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("states", "missing"),
    [({"a": "alive", "b": "alive"}, 0), ({"a": "alive", "b": "failed"}, 1), ({"a": "alive", "b": "left"}, 1), ({"a": "alive"}, 1), ({}, 2)],
)
def test_a_living_agent_that_failed_left_or_was_never_heard_of_is_missing(states, missing):
    probe = GossipProbe(looked(FakeMembers(**states, dead="alive")), lambda: {"a", "b"}, HandClock())
    assert values(probe.sample())["gossip_missing", "pool"] == missing


def test_joins_per_second_are_counted_between_samples():
    clock, client = HandClock(), FakeMembers()
    watch = looked(client)
    probe = GossipProbe(watch, set, clock)
    assert values(probe.sample())["joins_per_s", "pool"] is None
    client.states = {"a": "alive", "b": "alive", "c": "alive"}
    watch.look(Told(), threading.Event())
    clock.sleep(2)
    assert values(probe.sample())["joins_per_s", "pool"] == 1.5


def test_a_server_that_does_not_answer_leaves_a_gap():
    client = FakeMembers(a="alive")
    watch = looked(client)
    client.members = silent
    watch.look(Told(), threading.Event())
    assert set(reasons(GossipProbe(watch, set, HandClock()).sample()).values()) == {"timed out after 2 s"}


def test_the_watch_leaves_when_it_is_told():
    stop = threading.Event()
    runner = threading.Thread(target=MemberWatch(FakeMembers(), 0.01).run, args=(Told(), stop), daemon=True)
    runner.start()
    stop.set()
    runner.join(2)
    assert not runner.is_alive()


def test_a_change_tells_whether_the_process_lives():
    client = FakeMembers(a="alive", b="alive")
    watch, told = MemberWatch(client, living=lambda: {"a"}), Told()
    watch.look(told, threading.Event())
    client.states = {"a": "failed", "b": "failed"}
    watch.look(told, threading.Event())
    assert told.of("member_change", "member", "state", "living") == [("a", "failed", True), ("b", "failed", False)]


def test_without_a_change_the_process_table_is_left_alone():
    watch = MemberWatch(FakeMembers(a="alive"), living=silent)
    for _ in range(2):
        watch.look(Told(), threading.Event())
    assert watch.problem is None


def flapped(states, living=frozenset()):
    """A probe on a pool of one member, `a`, that was seen in these states one after the other."""
    client = FakeMembers()
    watch = MemberWatch(client)
    for state in states:
        client.states = {"a": state}
        watch.look(Told(), threading.Event())
    return GossipProbe(watch, lambda: set(living), HandClock())


def test_every_return_of_a_member_is_counted():
    found = values(flapped(["alive", "failed", "alive", "left", "alive"], {"a"}).sample())
    assert (found["members_returned", "pool"], found["gossip_phantoms", "pool"]) == (2.0, 0.0)


def test_a_dead_member_that_comes_back_is_a_phantom_until_it_goes_again():
    assert values(flapped(["alive", "failed", "alive"]).sample())["gossip_phantoms", "pool"] == 1.0
    assert values(flapped(["alive", "failed", "alive", "failed"]).sample())["gossip_phantoms", "pool"] == 0.0


def test_a_member_that_was_gone_before_the_watch_began_comes_back_too():
    assert values(flapped(["left", "alive"], {"a"}).sample())["members_returned", "pool"] == 1.0


def test_a_member_that_has_died_and_is_not_detected_yet_is_no_phantom():
    assert values(flapped(["alive", "alive"]).sample())["gossip_phantoms", "pool"] == 0.0


class FakeStats:
    def __init__(self, **stats):
        self.stats = stats

    def gossip_stats(self):
        return self.stats


def test_health_and_queue_come_from_the_agents_own_counters():
    probe = StatsProbe(FakeStats(health_score="0", intent_queue="17"), FakeStats(health_score="8"))
    assert values(probe.sample()) == {
        ("serf_queue_intent", "server"): 17.0,
        ("memberlist_health_score", "server"): 0.0,
        ("memberlist_health_score", "agent"): 8.0,
    }


def test_a_silent_agent_does_not_hide_the_server():
    agent = FakeStats()
    agent.gossip_stats = silent
    found = StatsProbe(FakeStats(health_score="1"), agent).sample()
    assert values(found)["memberlist_health_score", "server"] == 1.0
    assert reasons(found)["serf_queue_intent", "server"] == "the agent does not report intent_queue"
    assert reasons(found)["memberlist_health_score", "agent"] == "timed out after 2 s"
