"""The moments of a run, the nodes' states and what makes a run doubtful."""

import pytest

from lab.checkers import trust
from lab.checkers.claims import claims
from lab.checkers.nodes import Stretch, stretches
from lab.checkers.nodes_not_ready import lost_since
from lab.checkers.pods_evicted import evicted, evicted_share, pods_in_steady
from lab.checkers.watch import Watch
from tests import histories
from tests.histories import APP_NODES, END, FLOOD, OUTAGE, RECOVERY, STEADY, Story, constant


def watch_of(story: Story) -> Watch:
    """The moments of a story that has a steady phase."""
    watch = Watch.of(story.history())
    assert watch is not None
    return watch


def test_the_moments_are_those_of_the_phases() -> None:
    assert watch_of(histories.cascade()) == Watch(STEADY, STEADY + 15, OUTAGE, FLOOD, RECOVERY, END)


def test_a_run_without_a_fault_has_no_release_and_claims_count_from_the_steady_phase() -> None:
    watch = watch_of(histories.baseline())
    assert (watch.release_s, watch.from_release_s) == (None, OUTAGE)


def test_without_the_step_the_release_is_the_last_healing() -> None:
    assert watch_of(histories.cascade().drop_kind("step")).release_s == FLOOD + 0.3


def test_a_remedy_that_is_over_releases_nothing() -> None:
    assert watch_of(histories.baseline().add(FLOOD, "fault", fault="redeploy-agents", change="healed")).release_s is None


def test_without_phases_the_flood_ends_when_its_load_stops() -> None:
    assert watch_of(histories.cascade().drop_kind("phase", phase="flood")).flood_end_s == RECOVERY


def test_without_a_healing_phase_the_watch_ends_with_the_recovery() -> None:
    assert watch_of(histories.cascade().drop_kind("phase", phase="heal")).end_s == END
    bare = histories.cascade().drop_kind("phase", phase="heal").drop_kind("phase", phase="recovery")
    assert watch_of(bare).end_s == END + 5


@pytest.mark.parametrize(("length_s", "left_out_s"), [(45, 15), (90, 15), (12, 4)])
def test_a_third_of_a_short_steady_phase_is_left_out_and_never_more_than_15_s(length_s: float, left_out_s: float) -> None:
    story = Story().add(0, "phase", phase="steady", state="begin").add(length_s, "phase", phase="steady", state="end")
    assert watch_of(story).settled_s == pytest.approx(left_out_s)


def test_equal_states_are_one_stretch_and_the_last_reaches_the_end() -> None:
    story = Story()
    for at_s, ready in ((1, "True"), (2, "True"), (5, "Unknown"), (6, "Unknown"), (9, "True"), (99, "False")):
        story.add(at_s, "node", node="a", ready=ready)
    assert stretches(story.history(), 20) == {"a": [Stretch(1, 5, "True"), Stretch(5, 9, "Unknown"), Stretch(9, 20, "True")]}


def test_a_node_lost_before_the_release_and_still_lost_counts_after_it() -> None:
    story = histories.cascade().add(80, "node", node=APP_NODES[4], ready="Unknown").add(99, "node", node=APP_NODES[4], ready="True")
    assert APP_NODES[4] in lost_since(story.history(), watch_of(story), FLOOD)
    assert APP_NODES[4] not in lost_since(story.history(), watch_of(story), 100)


def test_replacements_that_are_evicted_too_do_not_raise_the_share() -> None:
    story = histories.contained()
    for number in range(30):
        story.add(160, "pod", pod=f"new-{number}", node=APP_NODES[1], change="evicting", reason="DeletionByTaintManager")
    assert evicted_share(story.history(), watch_of(story)) == 0.2
    assert len(evicted(story.history(), watch_of(story))) == 40


def test_a_pod_deleted_by_hand_is_not_evicted() -> None:
    story = histories.baseline().add(100, "pod", pod="app-00", node=APP_NODES[0], change="deleted", reason="")
    assert evicted(story.history(), watch_of(story)) == {}


def test_without_samples_the_experiment_says_how_many_pods_ran() -> None:
    story = histories.baseline().drop("pods_running")
    assert pods_in_steady(story.history(), watch_of(story)) == histories.PODS


def test_claims_that_were_not_measured_are_null_and_not_met() -> None:
    story = histories.cascade().drop("agent_read_ms").drop("members_alive")
    found = claims(story.history(), watch_of(story))
    assert (found.agent_read_p99_ratio, found.members_gone_share, found.met) == (None, None, False)


def test_a_member_that_fails_often_is_gone_once() -> None:
    story = histories.contained()
    for at_s in range(200, 220):
        story.add(at_s, "member_change", member="app-00", state="failed" if at_s % 2 else "alive")
    assert claims(story.history(), watch_of(story)).members_gone_share == pytest.approx(10 / 53)


def test_reads_before_the_release_do_not_count_as_after_it() -> None:
    story = histories.baseline().series("agent_read_ms", "agents", histories.between(60, 70, constant(900.0), constant(2.0)), 0.5)
    story.add(FLOOD, "step", step="release", state="begin")
    assert claims(story.history(), watch_of(story)).agent_read_p99_ratio == 1


def test_two_faults_of_one_kind_need_two_witnesses() -> None:
    opening = histories.header("flapping", "deviated", [], [{"fault": "pause-broker"}, {"fault": "pause-broker"}])
    story = Story().add(0, "run", **opening).add(1, "fault", fault="pause-broker", target="kafka", change="witnessed")
    assert len(trust.no_bite(story.history())) == 1
    assert trust.no_bite(story.add(2, "fault", fault="pause-broker", target="kafka", change="witnessed").history()) == []


def test_a_remedy_that_was_not_seen_to_act_is_a_doubt() -> None:
    opening = histories.header("cure", "deviated", [], [])
    opening["experiment"]["remedies"] = [{"remedy": "redeploy-agents"}]
    story = Story().add(0, "run", **opening)
    assert trust.no_bite(story.history()) == ["the remedy redeploy-agents was not seen to act"]
    story.add(2, "fault", fault="redeploy-agents", target="agents", change="witnessed")
    assert trust.no_bite(story.history()) == []


@pytest.mark.parametrize(("status", "expected"), [("completed", "completed"), ("aborted", "aborted"), ("exploded", "interrupted")])
def test_the_end_is_one_of_three(status: str, expected: str) -> None:
    assert trust.end(Story().add(1, "end", status=status, reason="why").history())[0] == expected


def test_nothing_sampled_is_a_doubt() -> None:
    story = Story().add(0, "run", **histories.header("baseline", "held", [], [])).add(1, "end", status="completed")
    found = trust.doubts(story.history(), None, None)
    assert "no samples were taken" in found
    assert "the steady phase never ended: nothing to compare with" in found
