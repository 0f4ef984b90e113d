"""Returns, waves, phantoms and false positives, counted from what one server told."""

import pytest

from lab.checkers.gossip_waves import waves
from lab.checkers.watch import Watch
from tests import histories
from tests.histories import END, Story, constant


def counted(story: Story) -> dict[str, object]:
    history = story.history()
    watch = Watch.of(history)
    assert watch is not None
    return waves(history, watch)


def told(story: Story, member: str, *changes: tuple[float, str, bool | None]) -> Story:
    for at_s, state, living in changes:
        story.add(at_s, "member_change", member=member, state=state, **({} if living is None else {"living": living}))
    return story


def test_a_calm_pool_has_none_of_it() -> None:
    story = histories.platform().series("gossip_fp", "agents", constant(0), 5)
    found = counted(told(story, "new", (100, "alive", True)))
    assert [found[name] for name in ("returns", "waves", "phantoms", "false_positive_events", "fp_any_peak")] == [0, 0, 0, 0, 0]


def test_each_return_counts_and_the_waves_are_those_of_one_member() -> None:
    story = histories.baseline()
    told(story, "a", (100, "failed", True), (105, "alive", True), (110, "failed", True), (115, "alive", True))
    told(story, "b", (100, "left", False), (120, "alive", False))
    found = counted(story)
    assert (found["returns"], found["members_returned"], found["waves"]) == (3, 2, 2)
    assert found["phantoms"] == 1
    assert (found["false_positive_events"], found["members_falsely_failed"]) == (2, 1)


def test_a_dead_member_that_is_declared_failed_is_no_false_positive() -> None:
    assert counted(told(histories.baseline(), "a", (100, "failed", False)))["false_positive_events"] == 0


def test_a_member_that_failed_in_the_steady_phase_returns_after_it() -> None:
    found = counted(told(histories.baseline(), "a", (20, "failed", True), (100, "alive", True)))
    assert (found["returns"], found["false_positive_events"]) == (1, 0)


def test_what_came_after_the_watch_is_not_counted() -> None:
    assert counted(told(histories.baseline(), "a", (100, "failed", True), (END + 1, "alive", True)))["returns"] == 0


@pytest.mark.parametrize("name", ["phantoms", "false_positive_events", "fp_any_peak", "fp_minus_peak"])
def test_an_older_run_has_no_figure_for_what_it_did_not_record(name: str) -> None:
    story = told(histories.baseline(), "a", (100, "failed", None), (105, "alive", None))
    assert counted(story)[name] is None
    assert counted(story)["returns"] == 1
