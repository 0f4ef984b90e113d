"""Each link on hand-written runs that hold, deviate and are unknown."""

from collections.abc import Callable

import pytest

from lab.checkers.links import CHECKS, check_all
from lab.checkers.nodes import named
from lab.checkers.result import LinkResult
from lab.checkers.watch import Watch
from tests import histories
from tests.histories import APP_NODES, END, FLOOD, OUTAGE, RECOVERY, Story, between, constant


def judged(story: Story, link: int) -> LinkResult:
    """One link of a story."""
    history = story.history()
    return next(result for result in check_all(history, Watch.of(history)) if result.link == link)


def test_nothing_fires_on_the_noise_of_a_busy_machine() -> None:
    history = histories.baseline().history()
    assert [(result.link, result.status) for result in check_all(history, Watch.of(history))] == [
        *((link, "quiet") for link in range(7)),
        *((link, "unmeasured") for link in (7, 8, 9)),
        (10, "quiet"),
    ]


@pytest.mark.parametrize(
    ("link", "fired_at_s", "after", "unit"),
    [(0, 50, None, "s"), (1, 52, 0, "B"), (3, 112, 2, "nodes"), (4, 122, 3, "pods"), (5, 121, 2, "share"), (10, 230, 4, "links")],
)
def test_a_cascade_fires_each_link_when_it_happened(link: int, fired_at_s: float, after: int | None, unit: str) -> None:
    found = judged(histories.cascade(), link)
    assert (found.status, found.fired_at_s, found.after, found.unit) == ("fired", fired_at_s, after, unit)


def test_lags_count_from_the_cause() -> None:
    found = judged(histories.cascade(), 4)
    assert (found.after, found.lag_s) == (3, 10)


def test_a_cascade_that_stays_is_never_seen_to_recover() -> None:
    history = histories.cascade().history()
    results = {result.link: result for result in check_all(history, Watch.of(history))}
    assert [results[link].recovered_at_s for link in (2, 3, 4, 5, 6, 10)] == [None] * 6
    assert results[0].recovered_at_s == FLOOD


@pytest.mark.parametrize(("link", "recovered_at_s"), [(2, 137), (3, 142), (4, 150), (5, 163)])
def test_a_contained_failure_is_seen_to_recover(link: int, recovered_at_s: float) -> None:
    assert judged(histories.contained(), link).recovered_at_s == recovered_at_s


UNSEEN = {0: "kafka_answer_ms", 1: "log_backlog_bytes", 2: "lease_gap_s", 5: "members_alive", 6: "agent_read_ms"}


@pytest.mark.parametrize(("link", "series"), UNSEEN.items())
def test_what_was_not_sampled_is_unknown(link: int, series: str) -> None:
    assert judged(histories.baseline().drop(series), link).status == "unknown"
    assert judged(histories.cascade().drop(series), link).status == "unknown"


def test_nodes_and_pods_that_were_not_watched_are_unknown() -> None:
    assert judged(histories.baseline().drop_kind("node"), 3).status == "unknown"
    assert judged(histories.baseline().drop_kind("pod").drop("evictions_total"), 4).status == "unknown"


def test_a_link_seen_less_than_half_of_the_time_is_not_quiet() -> None:
    blind = between(OUTAGE, END, lambda at_s: 2.0 if at_s % 5 < 1 else None, constant(2.0))
    story = histories.baseline()
    for node in histories.NODES:
        story.series("lease_gap_s", node, blind, reason="the watch is away")
    assert judged(story, 2).status == "unknown"


def test_without_a_steady_phase_all_is_unknown() -> None:
    history = histories.baseline().drop_kind("phase", phase="steady", state="end").history()
    assert Watch.of(history) is None
    assert {result.status for result in check_all(history, None)} == {"unknown"}


def _one_hiccup(story: Story) -> Story:
    return story.series("kafka_answer_ms", "broker", between(100, 104, constant(None), constant(4.0)))


def _stalled_shipper(story: Story) -> Story:
    return story.series("log_backlog_bytes", APP_NODES[0], between(100, 102, constant(900_000), constant(400)))


def _throttled_start(story: Story) -> Story:
    return story.series("node_throttled_ratio", APP_NODES[0], between(100, 130, constant(1.0), constant(0.2)), 2)


def _late_renewal(story: Story) -> Story:
    return story.series("lease_gap_s", APP_NODES[0], between(100, 103, constant(5.0), constant(1.0)))


def _flapping_members(story: Story) -> Story:
    return story.series("members_failed", "pool", lambda at_s: 4.0 if at_s > 100 and at_s % 10 < 5 else 0.0)


def _two_slow_reads(story: Story) -> Story:
    return story.series("agent_read_ms", "agents", between(100, 101, constant(4000.0), constant(2.0)), 0.5)


QUIET: list[tuple[int, Callable[[Story], Story]]] = [
    (0, _one_hiccup),
    (1, _stalled_shipper),
    (2, _throttled_start),
    (2, _late_renewal),
    (5, _flapping_members),
    (6, _two_slow_reads),
]


@pytest.mark.parametrize(("link", "spoil"), QUIET, ids=[spoil.__name__.strip("_") for _, spoil in QUIET])
def test_what_a_busy_machine_does_by_itself_fires_nothing(link: int, spoil: Callable[[Story], Story]) -> None:
    assert judged(spoil(histories.baseline()), link).status == "quiet"


def test_nothing_fires_before_the_steady_phase_ends_nor_after_the_watch() -> None:
    story = histories.baseline().add(20, "node", node=APP_NODES[0], ready="Unknown").add(30, "node", node=APP_NODES[0], ready="True")
    story.add(END + 1, "node", node=APP_NODES[1], ready="Unknown")
    story.add(20, "pod", pod="app-00", node=APP_NODES[0], change="evicting", reason="DeletionByTaintManager")
    assert judged(story, 3).status == "quiet"
    assert judged(story, 4).status == "quiet"


def test_the_start_of_the_load_is_not_part_of_the_steady_range() -> None:
    story = histories.baseline().series("agent_read_ms", "agents", between(0, 15, constant(900.0), constant(2.0)), 0.5)
    found = judged(story, 6).steady
    assert found is not None
    assert (found.high, found.n) == (2.0, 60)


def test_one_held_back_question_is_not_a_new_outage() -> None:
    away = between(OUTAGE, FLOOD, constant(None), between(200, 201, constant(None), constant(4.0)))
    assert judged(histories.cascade().series("kafka_answer_ms", "broker", away), 0).recovered_at_s == FLOOD


def test_a_node_that_was_never_ready_makes_link_3_unknown() -> None:
    story = histories.baseline().drop_kind("node", node=APP_NODES[0]).add(1, "node", node=APP_NODES[0], ready="False")
    found = judged(story, 3)
    assert (found.status, APP_NODES[0] in found.reason) == ("unknown", True)


def test_throttling_and_a_missed_renewal_together_starve_a_node() -> None:
    found = judged(_late_renewal(_throttled_start(histories.baseline())), 2)
    assert (found.status, found.fired_at_s, found.evidence["nodes"]) == ("fired", 101, [APP_NODES[0]])


def test_throttling_long_before_a_missed_renewal_has_nothing_to_do_with_it() -> None:
    story = _throttled_start(histories.baseline())
    assert judged(story.series("lease_gap_s", APP_NODES[0], between(200, 203, constant(5.0), constant(1.0))), 2).status == "quiet"


def test_throttling_and_a_hanging_runtime_starve_a_node() -> None:
    story = _throttled_start(histories.baseline())
    story.series("cri_latency_ms", APP_NODES[0], between(105, 130, constant(None), constant(60.0)), 5)
    assert (judged(story, 2).status, judged(story, 2).fired_at_s) == ("fired", 106)


def test_a_lease_that_runs_out_starves_a_node_even_where_throttling_was_not_seen() -> None:
    story = histories.baseline().drop("node_throttled_ratio")
    story.series("lease_gap_s", APP_NODES[0], between(100, 112, lambda at_s: at_s - 100, constant(1.0)))
    assert judged(story, 2).fired_at_s == 101


def test_evictions_are_counted_from_the_series_where_the_watch_missed_the_pods() -> None:
    story = histories.baseline().series("evictions_total", "lab", between(0, 130, constant(2), constant(9)))
    found = judged(story, 4)
    assert (found.status, found.fired_at_s, found.peak) == ("fired", 130, 7)


def test_moved_pods_that_join_are_churn_too() -> None:
    story = histories.baseline()
    for number in range(10):
        story.add(100.5 + number, "member_change", member=f"new-{number}", state="alive")
    found = judged(story, 5)
    assert (found.status, found.fired_at_s, found.evidence["members_gone"]) == ("fired", 106, 0)
    assert found.recovered_at_s == 128  # two changes are left in the window


def test_one_member_that_flaps_for_ever_is_one_member() -> None:
    story = histories.baseline()
    for at_s in range(100, 280, 2):
        story.add(at_s + 0.5, "member_change", member="app-00", state="failed" if at_s % 4 else "alive")
    found = judged(story, 5)
    assert (found.status, found.peak) == ("quiet", pytest.approx(1 / 53))


def test_members_gone_at_one_time_fire_without_a_word_of_each() -> None:
    story = histories.baseline().series("members_failed", "pool", between(100, 110, constant(9), constant(0)))
    assert (judged(story, 5).status, judged(story, 5).fired_at_s) == ("fired", 100)


def test_members_left_over_from_an_earlier_run_are_part_of_the_steady_state() -> None:
    story = histories.baseline().series("members_left", "pool", constant(80))
    assert judged(story, 5).status == "quiet"


def test_reads_that_time_out_are_slow_and_reads_held_back_are_neither() -> None:
    hang = between(100, 104, constant(None), constant(2.0))
    assert judged(histories.baseline().series("agent_read_ms", "agents", hang, 0.5), 6).peak == 10_000
    held_back = histories.baseline().series("agent_read_ms", "agents", hang, 0.5, reason="not asked: 20 earlier questions still wait")
    assert judged(held_back, 6).status == "quiet"


def test_reads_that_are_refused_fire_by_their_share() -> None:
    refused = between(100, 106, constant(None), constant(2.0))
    found = judged(histories.baseline().series("agent_read_ms", "agents", refused, 0.5, reason="connection refused"), 6)
    assert (found.status, found.evidence["failed_otherwise"]) == ("fired", 12)


def test_reads_that_are_refused_until_the_end_are_not_back() -> None:
    """Every other one is answered in no time, which makes a fine p99."""

    def half_refused(at_s: float) -> float | None:
        return None if at_s >= 100 and int(2 * at_s) % 2 else 2.0

    story = histories.baseline().series("agent_read_ms", "agents", half_refused, 0.5, reason="connection refused")
    assert (judged(story, 6).status, judged(story, 6).recovered_at_s) == ("fired", None)
    back = between(0, 180, half_refused, constant(2.0))
    found = judged(story.series("agent_read_ms", "agents", back, 0.5, reason="connection refused"), 6)
    assert found.recovered_at_s is not None
    assert 180 < found.recovered_at_s < 205


def test_a_remedy_alone_is_nothing_to_calm_down_from() -> None:
    story = histories.baseline().add(FLOOD, "fault", fault="redeploy-agents", target="agents", change="open")
    assert judged(story, 10).status == "quiet"


def test_a_flood_without_an_outage_fires_link_1_alone_and_is_followed_up() -> None:
    story = (
        histories.baseline().add(FLOOD, "locust", change="start", profile="flood").add(RECOVERY, "locust", change="stop", profile="flood")
    )
    story.series("shipped_lines_per_s", "logs", between(FLOOD, RECOVERY, constant(2000.0), constant(25.0)))
    assert (judged(story, 1).status, judged(story, 1).fired_at_s) == ("fired", FLOOD)
    assert judged(story, 10).evidence["judged_at_s"] == RECOVERY + 60


def test_calm_in_time_is_not_metastable() -> None:
    found = judged(histories.contained(), 10)
    assert (found.status, found.evidence["still_out"]) == ("quiet", [])


def test_calm_that_comes_too_late_is_metastable_until_then() -> None:
    reads = between(110, 245, constant(900.0), constant(2.0))
    found = judged(histories.contained().series("agent_read_ms", "agents", reads, 0.5), 10)
    assert (found.status, found.evidence["still_out"]) == ("fired", [6])
    assert found.recovered_at_s is not None
    assert 245 < found.recovered_at_s < 270


def test_a_watch_too_short_cannot_tell() -> None:
    story = histories.cascade().stop(200)
    assert judged(story.add(200, "phase", phase="heal", state="begin"), 10).status == "unknown"


def test_a_broker_that_never_answers_again_cannot_be_judged_for_calm() -> None:
    story = histories.cascade().series("kafka_answer_ms", "broker", between(OUTAGE, END, constant(None), constant(4.0)))
    assert judged(story, 10).status == "unknown"


def test_every_link_of_the_chain_has_a_checker() -> None:
    assert list(CHECKS) == list(range(10))


def test_of_very_many_nodes_a_sentence_names_the_first():
    assert named(["a", "b"]) == "a, b"
    assert named([f"n{number}" for number in range(4064)]).endswith("n8, n9, and 4,054 more")
