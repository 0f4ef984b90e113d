"""Calm, phantoms, waves and false alarms of a pool whose agents were killed, on hand-written runs with exact figures."""

import pytest

from lab.checkers.judge import judge
from lab.checkers.pool import Latency, Pool, measure
from lab.checkers.watch import Watch
from lab.report.sentence import what_happened, what_the_pool_did
from tests import histories
from tests.histories import END, OUTAGE, Story, between, constant

KILLED = 100.0
"""When the last kill was over; the watch ends 190 s later."""


def story(logging: bool = True) -> Story:
    """Agents killed from 50 to 100 s; of pod p, slot 1 is then in its second life."""
    opening = histories.header("poison", "deviated", [5], [{"fault": "kill-agents"}])
    opening["experiment"]["workload"]["logging"] = logging
    told = histories.baseline().drop_kind("run").add(0.0, "run", **opening)
    for at_s, change in ((OUTAGE, "open"), (OUTAGE + 0.2, "injected"), (OUTAGE + 1, "witnessed"), (KILLED, "healed"), (KILLED, "closed")):
        told.add(at_s, "fault", fault="kill-agents", target="agents", change=change)
    told.add(OUTAGE, "step", step="kill-agents", state="begin").add(KILLED, "step", step="release", state="begin")
    told.add(60, "member_change", member="p-a1-1", state="alive")
    return told.add(70, "member_change", member="p-a1-0", state="failed")


def back(told: Story, member: str, at_s: float, state: str = "alive") -> Story:
    return told.add(at_s, "member_change", member=member, state=state)


def measured(told: Story) -> Pool:
    history = told.history()
    watch = Watch.of(history)
    assert watch is not None
    found = measure(history, watch)
    assert found is not None
    return found


def test_a_run_in_which_nobody_was_killed_has_no_figures() -> None:
    for told in (histories.baseline(), histories.cascade()):
        history = told.history()
        watch = Watch.of(history)
        assert watch is not None
        assert measure(history, watch) is None


def test_a_pool_that_only_learns_of_the_dead_is_calm_at_once_and_sees_no_phantom() -> None:
    found = measured(story())
    assert (found.last_kill_at_s, found.watched_s, found.calm_after_s) == (KILLED, 190, 0)
    assert (found.phantoms, found.waves, found.refuted) == (0, 0, 0)


def test_the_last_restless_moment_is_the_last_one_with_more_changes_than_usual() -> None:
    told = story()
    for number in range(4):
        back(told, f"q-{number}", 140 + number, "failed")
    assert measured(told).calm_after_s == 43
    assert measured(back(told, "q-9", 200, "failed")).calm_after_s == 43  # one member alone is no unrest


def test_what_changes_in_the_steady_state_too_is_calm() -> None:
    told = story()
    for number in range(4):
        back(told, f"q-{number}", 30 + number, "failed")
        back(told, f"q-{number}", 140 + number, "alive")
    assert measured(told).calm_after_s == 0


def test_living_members_held_for_failed_are_unrest_as_long_as_it_lasts() -> None:
    told = story().series("gossip_false_positives", "pool", between(110, 151, constant(4), constant(1)))
    assert measured(told).calm_after_s == 50


def test_unrest_to_the_end_is_not_seen_to_end() -> None:
    told = story()
    for number in range(4):
        back(told, f"q-{number}", END - 25 + number, "failed")
    assert measured(told).calm_after_s is None


@pytest.mark.parametrize(("alive", "calm_after_s"), [(48, 0), (47, 70)])
def test_a_pool_that_lacks_a_tenth_of_its_members_is_not_calm(alive: float, calm_after_s: float) -> None:
    told = story().series("members_alive", "pool", between(KILLED, KILLED + 70, constant(alive), constant(53)))
    assert measured(told).calm_after_s == pytest.approx(calm_after_s, abs=1)
    empty = story().series("members_alive", "pool", between(OUTAGE, END, constant(3), constant(53)))
    assert measured(empty).calm_after_s is None


def test_a_pool_that_was_not_seen_is_not_called_calm() -> None:
    assert measured(story().series("members_alive", "pool", between(OUTAGE, END, constant(None), constant(53)))).calm_after_s is None


def test_the_dead_who_come_back_are_told_from_the_living_who_do() -> None:
    told = back(story(), "p-a1-0", 120)
    back(back(told, "p-a1-0", 130, "failed"), "p-a1-0", 170)  # the same once more, a wave later
    back(back(told, "p-a2-0", 110, "failed"), "p-a2-0", 121)  # has no successor: it may have lived all along
    told.add(90, "pod", pod="old", node="n", change="deleted", reason="")
    back(back(told, "old-a1-0", 95, "failed"), "old-a1-0", 125)  # its pod is gone
    found = measured(told)
    assert (found.phantoms, found.phantom_members, found.waves, found.refuted) == (3, 2, 2, 1)


def test_where_the_run_says_whether_the_process_lived_that_counts() -> None:
    told = story().add(120, "member_change", member="p-a1-0", state="alive", living=True)
    told.add(110, "member_change", member="p-a2-0", state="failed", living=False)
    told.add(121, "member_change", member="p-a2-0", state="alive", living=False)
    found = measured(told)
    assert (found.phantoms, found.refuted) == (1, 1)


def test_returns_before_the_last_kill_do_not_count() -> None:
    assert measured(back(story(), "p-a1-0", 99)).phantoms == 0


def test_a_successor_that_joins_is_no_return() -> None:
    assert measured(back(story(), "p-a1-2", 120)).phantoms == 0


def test_false_alarms_are_counted_in_members_and_in_member_seconds() -> None:
    found = measured(story().series("gossip_false_positives", "pool", between(120, 130, constant(4), constant(0)))).false_positives
    assert found is not None
    assert (found.peak, found.member_s, found.at_end) == (4, 40, 0)
    assert (measured(story()).false_positives_at_any, measured(story()).false_positives_at_healthy) == (None, None)


def test_the_end_is_the_mean_of_the_last_minute() -> None:
    lasting = measured(story().series("gossip_missing", "pool", between(END - 30, END, constant(8), constant(0)))).missing
    assert lasting is not None
    assert lasting.at_end == pytest.approx(4, abs=0.2)
    unseen = measured(story().series("gossip_missing", "pool", between(END - 61, END, constant(None), constant(3)))).missing
    assert unseen is not None
    assert unseen.at_end is None


def test_a_pool_that_its_agents_are_not_in_lacks_them_though_nobody_is_held_for_failed() -> None:
    found = measured(story().series("gossip_missing", "pool", between(KILLED, END, constant(50), constant(0))))
    assert found.missing is not None
    assert (found.missing.peak, found.missing.at_end) == (50, 50)
    assert found.false_positives is not None
    assert found.false_positives.peak == 0
    assert measured(story()).missing is None


def test_what_agents_say_is_kept_apart_from_what_a_server_says() -> None:
    told = story().series("gossip_fp", "agents", between(120, 130, constant(9), constant(0)), 5)
    told.series("gossip_fp_minus", "agents", between(120, 130, constant(None), constant(0)), 5, reason="not asked of a healthy member")
    found = measured(told)
    assert found.false_positives_at_any is not None
    assert found.false_positives_at_healthy is not None
    assert (found.false_positives_at_any.member_s, found.false_positives_at_healthy.member_s) == (90, 0)


def test_news_that_was_thrown_away_counts_from_the_first_kill_on_over_all_nodes() -> None:
    told = story().series("gossip_handoff_dropped", "n1", between(80, END, constant(12.0), constant(2.0)), 10.0)
    told.series("gossip_handoff_dropped", "n2", between(120, END, constant(5.0), constant(None)), 10.0, reason="no logs")
    assert measured(told).handoff_dropped == 10 + 5
    assert measured(story()).handoff_dropped is None


def test_latency_is_that_of_the_steady_phase_and_that_after_the_last_kill() -> None:
    slow = between(KILLED, END, constant(30.0), constant(3.0))
    refused = between(60, 62, constant(None), slow)
    found = measured(story().series("agent_read_ms", "agents", refused, 1.0, reason="connection refused"))
    assert found.agent_reads_steady == Latency(p50=3, p99=3, n=30, failed=0)
    assert found.agent_reads_after == Latency(p50=30, p99=30, n=190, failed=0)
    hang = between(200, 210, constant(None), constant(3.0))
    after = measured(story().series("agent_read_ms", "agents", hang, 1.0)).agent_reads_after
    assert after is not None
    assert (after.p99, after.n) == (10_000, 190)


def test_the_end_of_the_watch_has_figures_of_its_own() -> None:
    late = between(END - 60, END, constant(7.0), between(KILLED, END, constant(30.0), constant(3.0)))
    told = story().series("agent_read_ms", "agents", late, 1.0)
    assert measured(told).agent_reads_at_end == Latency(p50=7, p99=7, n=60, failed=0)
    assert (measured(told).throttled_steady, measured(told).throttled_at_end) == (None, None)
    stopped = between(END - 60, END, constant(0.8), between(KILLED, END, constant(1.0), constant(0.1)))
    told.drop("node_throttled_ratio")
    for node, curve in (("n1", stopped), ("n2", constant(0.2)), ("core", constant(1.0))):
        told.series("node_throttled_ratio", node, curve, 2.0)
    for node in ("n1", "n2"):  # the core node has no agents
        told.series("gossip_handoff_dropped", node, constant(0.0), 10.0)
    assert (measured(told).throttled_steady, measured(told).throttled_at_end) == (0.15, 0.5)


def test_without_kafka_links_0_and_1_are_quiet_and_calm_is_counted_from_the_last_kill() -> None:
    told = story(logging=False).drop("kafka_answer_ms").drop("kafka_end_offset").drop("shipped_lines_per_s")
    verdict = judge(told.history(), histories.requests())
    assert [verdict.link(number).status for number in (0, 1)] == ["quiet", "quiet"]
    assert verdict.link(10).status == "quiet"
    assert verdict.link(10).evidence["cause_gone_at_s"] == KILLED
    assert verdict.evidence.pool == measured(told)


def test_with_kafka_a_broker_that_was_not_asked_is_unknown() -> None:
    assert judge(story().drop("kafka_answer_ms").history(), histories.requests()).link(0).status == "unknown"


@pytest.mark.parametrize(
    ("calm_after_s", "said"), [(43.2, "calm 43 s after the last kill"), (None, "not calm within 190 s")], ids=["calm", "not calm"]
)
def test_a_reader_is_told_what_the_pool_did(calm_after_s: float | None, said: str) -> None:
    found = measured(back(story(), "p-a1-0", 120)).model_copy(update={"calm_after_s": calm_after_s})
    assert said in what_the_pool_did(found)
    assert "1 return of 1 member known to be dead" in what_the_pool_did(found)


def test_the_sentence_of_the_run_begins_with_what_was_done() -> None:
    told = story()
    for number in range(30):
        back(told, f"q-{number}", 110, "failed")
    history = told.history()
    assert what_happened(history, judge(history, histories.requests())).startswith("Consul agents were killed without a farewell, and")
