"""Calm, poisoned, or not to be told: a neighbour on hand-written runs."""

import pytest

from lab.checkers.judge import judge
from lab.checkers.neighbour import NeighbourVerdict, as_the_neighbours, judge_neighbour
from lab.checkers.verdict import Verdict
from lab.checkers.watch import Watch
from tests import histories
from tests.histories import END, Story, between, constant
from tests.neighbours import NODES, churned, story


def found(told: Story) -> NeighbourVerdict:
    history = told.history()
    watch = Watch.of(history)
    assert watch is not None
    judged = judge_neighbour(history, watch)
    assert judged is not None
    return judged


def verdict(told: Story) -> Verdict:
    return judge(told.history(), histories.requests())


def test_a_run_without_a_neighbour_has_no_verdict_on_one() -> None:
    assert verdict(histories.baseline()).evidence.neighbour is None
    assert verdict(story(pods=0)).evidence.neighbour is None


def test_one_that_hears_of_nothing_is_calm_whatever_the_first_cluster_suffers() -> None:
    judged = found(story("own"))
    assert (judged.condition, judged.pool, judged.held_for_failed) == ("calm", "own", 0)
    assert [(result.link, result.status) for result in judged.links] == [(2, "quiet"), (3, "quiet"), (5, "quiet"), (6, "quiet")]


def test_churn_at_its_agents_while_its_nodes_are_well_is_poison() -> None:
    judged = found(churned(story()))
    assert judged.condition == "poisoned"
    assert "link 5 (Gossip churns): 12 members failed or left, of a pool of 33" in judged.reason


def test_so_are_slow_answers_of_its_agents() -> None:
    told = story()
    told.series("neighbour_agent_read_ms", "agents", between(70, 90, constant(3000), told.scatter(2.2, 0.8)), 0.5)
    judged = found(told)
    assert (judged.condition, "link 6" in judged.reason) == ("poisoned", True)


def test_where_its_own_node_gave_way_nothing_is_said_of_the_pool() -> None:
    judged = found(churned(story()).add(70, "neighbour_node", node=NODES[1], ready="Unknown"))
    assert (judged.condition, judged.reason.startswith("it had trouble of its own: link 3")) == ("unknown", True)


def test_what_was_not_seen_is_not_calm() -> None:
    assert found(story().drop("neighbour_agent_read_ms")).condition == "unknown"


def test_a_node_of_the_first_cluster_that_falls_is_none_of_the_neighbours() -> None:
    told = churned(story()).add(70, "node", node=histories.NODES[3], ready="Unknown").add(70, "neighbour_node", node=NODES[1], ready="True")
    assert found(told).condition == "poisoned"


def test_its_living_agents_that_are_held_for_failed_are_counted_wherever_that_was_seen() -> None:
    told = story()
    for kind in ("member_change", "neighbour_member_change"):
        told.add(70, kind, member="neighbour-app-1", state="failed", living=True)
        told.add(75, kind, member="neighbour-app-1", state="alive", living=True)
        told.add(80, kind, member="neighbour-app-2", state="failed", living=False)
        told.add(80, kind, member="app-2", state="failed", living=True)
    assert found(told).held_for_failed == 2


def test_its_pool_after_the_kills_is_what_its_agents_saw() -> None:
    told = churned(story())
    told.add(120, "neighbour_member_change", member="app-3", state="alive", living=False)
    told.series("neighbour_gossip_fp", "agents", between(110, 130, constant(1), constant(0)), 5)
    after = found(told).after_the_kills
    assert after is not None
    assert after.phantoms == 1
    assert after.false_positives_at_any is not None
    assert after.false_positives_at_any.peak == 1
    assert after.agent_reads_after is not None
    assert after.server_reads_after is None


@pytest.mark.parametrize(
    ("pool", "expected", "ill", "as_expected", "said"),
    [
        ("shared", "poisoned", True, True, "the neighbour was poisoned: "),
        ("shared", "poisoned", False, False, "the neighbour was calm, and was expected to be poisoned: "),
        ("own", "calm", False, True, "the neighbour was calm: "),
        ("own", "calm", True, False, "the neighbour was poisoned, and was expected to be calm: "),
        ("shared", "unasked", False, True, "the neighbour was calm: "),
    ],
)
def test_a_run_is_as_expected_if_its_neighbour_is(pool: str, expected: str, ill: bool, as_expected: bool, said: str) -> None:
    told = story(pool, expected)
    judged = verdict(churned(told) if ill else told)
    assert (judged.verdict, judged.as_expected) == ("deviated", as_expected)
    assert [reason for reason in judged.reasons if reason.startswith(said)]


def test_the_view_of_the_neighbour_holds_the_runs_own_doings_and_ends_where_it_ends() -> None:
    history = churned(story()).history()
    its = as_the_neighbours(history)
    assert Watch.of(its) == Watch.of(history)
    assert {event["node"] for event in its.of("node")} == set(NODES)
    assert [event.at_s for event in its.of("fault")] == [event.at_s for event in history.of("fault")]
    assert max(event.at_s for event in its.of("sample")) < END
