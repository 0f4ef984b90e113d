"""What is known of a run from its events, and when what is planned will happen."""

import pytest
from stories import CASCADE, LIGHTS, RUN, STORY, event, fault, model_of, phase, picture_of, sample

from lab.core.history import Event
from lab.live.model import Model, nearest_rank
from lab.runner.injuries import OVERDUE_S


def test_it_knows_phase_time_left_and_what_lies_ahead() -> None:
    picture = picture_of(STORY, 77)
    assert (picture.name, picture.phase, picture.phase_s, picture.phase_allowed_s) == ("cascade", "outage", 15, 40)
    assert picture.phases == [("steady", 21), ("outage", 62), ("flood", 102), ("recovery", 147)]
    assert (picture.begin_s, picture.end_s, picture.left_s) == (21, 237, 160)


def test_before_the_steady_phase_no_end_is_promised() -> None:
    picture = picture_of(STORY[:2], 10)
    assert (picture.phase, picture.phase_s, picture.phase_allowed_s, picture.left_s) == ("prepare", 9, None, None)


def test_a_run_that_takes_longer_than_planned_has_no_time_left_and_is_still_drawn_whole() -> None:
    picture = picture_of([*STORY, phase(102, "flood"), phase(147, "recovery")], 250)
    assert (picture.left_s, picture.end_s) == (0, 250)


def test_a_run_that_has_ended_stands_still() -> None:
    picture = picture_of([*STORY, event(90, "end", status="aborted", reason="the disk is full")], 500)
    assert (picture.at_s, picture.ended, picture.left_s) == (90, "aborted: the disk is full", None)


def test_an_open_fault_has_its_planned_heal_and_the_watchdogs_deadline() -> None:
    (found,) = picture_of(STORY, 77).faults
    assert (found.name, found.change, found.heal_at_s, found.deadline_s) == ("pause-broker", "injected", 102, 102 + OVERDUE_S)


def test_faults_of_one_name_have_their_heals_in_the_order_of_their_injection() -> None:
    specs = [{"fault": "x", "inject_at_s": at_s, "heal_at_s": at_s + 5} for at_s in (20, 0)]
    run = event(0, "run", experiment={**CASCADE, "faults": specs})
    first = [run, phase(0, "steady"), phase(40, "outage"), event(40, "fault", fault="x", target="a", change="open")]
    second = [*first, event(60, "fault", fault="x", target="b", change="open")]
    assert [one.heal_at_s for one in picture_of(second, 60).faults] == [45, 65]


def test_a_remedy_has_its_planned_end_too() -> None:
    remedy = {"remedy": "redeploy-agents", "inject_at_s": 10, "heal_at_s": 20}
    run = event(0, "run", experiment={**CASCADE, "remedies": [remedy]})
    opened = event(50, "fault", fault="redeploy-agents", target="agents", change="open")
    story = [run, phase(0, "steady"), phase(40, "outage"), opened]
    assert [one.heal_at_s for one in picture_of(story, 55).faults] == [60]


def test_a_closed_fault_is_no_longer_open() -> None:
    assert picture_of([*STORY, fault(102, "healed")], 102).faults[0].change == "healed"
    assert picture_of([*STORY, fault(102, "healed"), fault(102, "closed")], 102).faults == []


def test_p99_is_of_the_last_minute_and_the_steady_one_leaves_out_the_settling() -> None:
    picture = picture_of(STORY, 77)
    assert (picture.p99_ms, picture.p99_steady_ms) == (812.5, 4.5)
    assert picture_of(STORY, 138).p99_ms is None


@pytest.mark.parametrize(
    ("values", "share", "wanted"), [([1.0], 0.99, 1.0), (list(range(1, 101)), 0.99, 99), (list(range(1, 102)), 0.99, 100), ([1, 2], 0.5, 1)]
)
def test_nearest_rank_by_its_definition(values: list[float], share: float, wanted: float) -> None:
    assert nearest_rank(values, share) == wanted


def test_a_second_shows_its_worst_value() -> None:
    story = [RUN, *(sample(5.1 * 1, "agent_read_ms", "agents", value) for value in (3.0, 9.0, 1.0))]
    story += [sample(5.2, "members_alive", "pool", value) for value in (50, 41, 50)]
    rows = picture_of(story, 6).rows
    assert (rows["p99"], rows["members"]) == ({5: 9.0}, {5: 41})


def test_what_was_never_seen_is_not_there_and_a_missing_value_is_none() -> None:
    picture = picture_of([], 0)
    assert (picture.name, dict(picture.values), picture.p99_ms, picture.lights) == ("", {}, None, None)
    assert picture_of([sample(1, "pods_running", "lab", None)], 1).values == {("pods_running", "lab"): None}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (phase(62, "outage"), "phase outage of 40 s"),
        (phase(1, "heal"), "phase heal"),
        (fault(63, "injected"), "fault pause-broker on broker: injected"),
        (event(90, "node", node="w2", ready="False"), "node w2: not Ready (False)"),
        (event(90, "node", node="w3", ready="True"), "node w3: Ready"),
        (event(90, "node", node="w9", ready="True"), None),
        (event(99, "end", status="completed", reason=""), "run completed"),
        (sample(9, "pods_running", "lab", 3), None),
    ],
)
def test_what_is_worth_a_line_is_said_in_a_sentence(told: Event, said: str | None) -> None:
    assert model_of(STORY).see(told) == said


def test_a_link_is_news_once() -> None:
    model = Model()
    assert model.judged(LIGHTS) == ["link 0 (Kafka away) fired at 64 s", "link 1 (Logs pile up, then flood) fired at 70 s"]
    assert model.judged(LIGHTS) == []


def test_a_simulated_run_is_known_as_one() -> None:
    assert picture_of([event(0, "run", experiment=CASCADE, world="simulated")], 0).simulated
    assert not picture_of(STORY, 77).simulated
