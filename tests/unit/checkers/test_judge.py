"""The whole verdict: merging, order, trust, and what is written to disk."""

import json
from pathlib import Path

import jsonschema
import pytest

from lab.checkers import trust
from lab.checkers.judge import as_expected, judge, merge
from lab.checkers.order import CAUSES, monotonic, out_of_order, with_lags
from lab.checkers.result import LinkResult, Status
from lab.checkers.verdict import ExpectedVerdict, Verdict, schema_text
from tests import histories
from tests.histories import Story

SCHEMA = Path(__file__).parents[3] / "lab/checkers/verdict.schema.json"


def result(link: int, fired_at_s: float | None = None, status: Status | None = None) -> LinkResult:
    """A link that fired, or not."""
    told: Status = status or ("quiet" if fired_at_s is None else "fired")
    return LinkResult(link=link, title="", status=told, measure="", unit="", fired_at_s=fired_at_s, reason="")


def verdict(story: Story) -> Verdict:
    """The verdict on a story with requests."""
    return judge(story.history(), histories.requests())


@pytest.mark.parametrize(
    ("story", "answer", "expected"),
    [
        (histories.baseline, "held", True),
        (histories.cascade, "deviated", True),
        (histories.contained, "deviated", True),
        (histories.unknown, "unknown", False),
    ],
)
def test_the_stories_are_judged_as_they_were_written(story, answer: str, expected: bool) -> None:
    found = verdict(story())
    assert (found.verdict, found.as_expected) == (answer, expected)


@pytest.mark.parametrize(
    ("links", "doubts", "bitten", "answer"),
    [
        ([result(3, 1.0), result(4, status="unknown")], ["a doubt"], True, "deviated"),
        ([result(3), result(4, status="unknown")], [], True, "unknown"),
        ([result(3), result(4)], ["a doubt"], True, "unknown"),
        ([result(3), result(4)], [], True, "held"),
        ([result(3, 1.0)], [], False, "unknown"),
    ],
)
def test_the_worst_wins_but_a_fault_that_did_not_bite_proves_nothing(links, doubts, bitten: bool, answer: str) -> None:
    assert merge(links, doubts, bitten=bitten) == answer


def test_a_cascade_is_not_expected_where_a_link_is_missing_or_before_its_causes() -> None:
    expected = ExpectedVerdict(verdict="deviated", links=[0, 1, 2])
    assert as_expected("deviated", [result(0, 50), result(1, 55), result(2, 60)], expected)
    assert not as_expected("deviated", [result(0, 50), result(1, 55), result(2)], expected)
    assert not as_expected("deviated", [result(0, 50), result(1, 55), result(2, 49)], expected)
    assert not as_expected("held", [result(0, 50), result(1, 55), result(2, 60)], expected)


def test_an_effect_may_be_seen_a_sampling_interval_before_its_cause_and_no_more() -> None:
    assert out_of_order([result(0, 50), result(1, 46)]) == []
    assert len(out_of_order([result(0, 50), result(1, 44)])) == 1
    assert out_of_order([result(1, 44)]) == []


def test_a_slow_agent_may_come_before_the_eviction_that_hurts_it_again() -> None:
    chain = [result(2, 60), result(3, 80), result(4, 90), result(6, 65)]
    assert out_of_order(chain) == []
    assert not monotonic(chain)
    assert [(link.link, link.after, link.lag_s) for link in with_lags(chain)] == [(2, None, None), (3, 2, 20), (4, 3, 10), (6, 2, 5)]


def test_causes_come_before_their_effects_in_the_table() -> None:
    assert all(cause < link for link, causes in CAUSES.items() for cause in causes)


def test_what_was_asked_for_and_not_seen_is_a_reason() -> None:
    unseen = verdict(histories.cascade().drop_kind("pod").drop("evictions_total"))
    assert any(reason.startswith("link 4 (Pods evicted and moved) is unknown") for reason in unseen.reasons)
    quiet = verdict(histories.cascade().drop_kind("pod", change="evicting").series("evictions_total", "lab", lambda _: 0.0))
    assert "link 4 was expected to fire and did not" in quiet.reasons
    assert not quiet.as_expected
    assert not unseen.as_expected


@pytest.mark.parametrize(
    ("accounting", "reason"),
    [
        ({"written": 10, "delivered": 8, "backlog": 0, "gone_with_pod": 0, "unaccounted": 2}, "2 log lines are unaccounted for"),
        (
            {"written": 10, "delivered": 9, "backlog": 0, "gone_with_pod": 0, "unaccounted": 0},
            "the log accounting does not add up by 1 lines",
        ),
    ],
)
def test_a_lost_line_puts_the_run_in_doubt(accounting: dict[str, int], reason: str) -> None:
    found = verdict(histories.cascade().drop_kind("accounting").add(295, "accounting", **accounting))
    assert reason in found.reasons
    assert (found.verdict, found.as_expected) == ("deviated", False)


def test_lines_gone_with_their_pod_are_lost_and_counted() -> None:
    found = verdict(histories.cascade()).logs
    assert found is not None
    assert (found.lost, found.gone_with_pod, found.unaccounted) == (15_000, 15_000, 0)


def test_a_fault_without_a_witness_makes_the_run_unknown() -> None:
    found = verdict(histories.cascade().drop_kind("fault", change="witnessed"))
    assert found.verdict == "unknown"
    assert "the fault pause-broker was not seen to bite" in found.reasons


@pytest.mark.parametrize("requests", [None, []])
def test_no_requests_is_unknown(requests) -> None:
    assert judge(histories.baseline().history(), requests).verdict == "unknown"


def test_a_history_without_an_end_was_interrupted() -> None:
    found = verdict(histories.baseline().drop_kind("end"))
    assert (found.status, found.verdict) == ("interrupted", "unknown")


def test_late_samples_and_a_greedy_lab_are_warnings_only() -> None:
    found = verdict(histories.baseline().drop_kind("lab").add(294, "lab", cpu_cores_mean=0.09, samples=1000, samples_late=30))
    assert (found.verdict, len(found.warnings)) == ("held", 2)
    assert found.lab.late_share == 0.03


def test_without_the_labs_own_count_samples_are_counted() -> None:
    history = (
        Story().add(1, "sample", series="x", target="", value=1.0, late=True).add(2, "sample", series="x", target="", value=1.0).history()
    )
    assert (trust.lab_cost(history).samples, trust.lab_cost(history).samples_late) == (2, 1)


def test_the_claims_are_the_figures_of_the_story() -> None:
    found = verdict(histories.cascade()).evidence.claims
    assert found is not None
    assert (found.nodes_not_ready_after_release, found.pods_evicted_share, found.met) == (4, 0.8, True)
    assert found.agent_read_p99_ratio is not None
    assert found.agent_read_p99_ratio > 10
    contained = verdict(histories.contained()).evidence.claims
    assert contained is not None
    assert (contained.nodes_not_ready_after_release, contained.pods_evicted_share, contained.met) == (1, 0.2, False)


def test_a_run_that_stays_bad_is_metastable_and_one_that_recovers_is_not() -> None:
    assert (verdict(histories.cascade()).metastable.verdict, verdict(histories.cascade()).metastable.recovered_at_s) == (True, None)
    calm = verdict(histories.contained()).metastable
    assert (calm.verdict, calm.judged_at_s) == (False, 230)
    assert calm.recovered_at_s is not None


def test_the_same_history_gives_the_same_bytes_and_they_can_be_read_again() -> None:
    text = verdict(histories.cascade()).to_json()
    assert text == verdict(histories.cascade()).to_json()
    assert Verdict.from_json(text).to_json() == text


@pytest.mark.parametrize("story", [histories.baseline, histories.cascade, histories.unknown])
def test_the_verdict_follows_its_published_schema(story) -> None:
    jsonschema.validate(json.loads(verdict(story()).to_json()), json.loads(SCHEMA.read_text()))


def test_the_published_schema_is_the_one_in_the_code() -> None:
    assert SCHEMA.read_text() == schema_text()
