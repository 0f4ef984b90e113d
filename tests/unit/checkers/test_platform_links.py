"""Links 7 to 9 on hand-written runs: Vault, load balancer, deploys."""

import json
from pathlib import Path

import jsonschema
import pytest

from lab.checkers.judge import judge
from lab.checkers.links import check_all
from lab.checkers.result import LinkResult
from lab.checkers.watch import Watch
from lab.report.page import render
from lab.report.sentence import what_happened
from tests import histories
from tests.histories import END, PODS, Story, between, constant

SCHEMA = Path(__file__).parents[3] / "lab/checkers/verdict.schema.json"


def judged(story: Story, link: int) -> LinkResult:
    history = story.history()
    return next(result for result in check_all(history, Watch.of(history)) if result.link == link)


def fail_deploys(story: Story, begin_s: float, end_s: float, reason: str) -> Story:
    usual = constant(1800.0)
    return story.series("deploy_ms", "canary", between(begin_s, end_s, constant(None), usual), 4, reason=reason)


def test_a_platform_that_works_fires_nothing_and_is_held() -> None:
    history = histories.platform().history()
    found = judge(history, histories.requests())
    assert [result.status for result in found.links] == ["quiet"] * 11
    assert (found.verdict, found.as_expected) == ("held", True)
    assert what_happened(history, found).endswith("deploys went through.")


@pytest.mark.parametrize("link", [7, 8, 9])
def test_a_run_without_the_probes_is_judged_all_the_same(link: int) -> None:
    found = judge(histories.baseline().history(), histories.requests())
    assert found.link(link).status == "unmeasured"
    assert (found.verdict, found.as_expected) == ("held", True)


def test_an_expected_link_that_was_not_measured_is_missed() -> None:
    story = histories.cascade().drop_kind("run")
    opening = histories.header("cascade", "deviated", [0, 7], [{"fault": "pause-broker"}])
    found = judge(story.add(0, "run", **opening).history(), histories.requests())
    assert not found.as_expected
    assert "link 7 was expected to fire and was not measured" in found.reasons


@pytest.mark.parametrize(("link", "series"), [(7, "vault_health_code"), (8, "lb_config_age_s"), (9, "deploy_ms")])
def test_what_was_asked_and_never_answered_is_unknown(link: int, series: str) -> None:
    story = histories.platform()
    for target in {target for name, target in story.samples if name == series}:
        story.series(series, target, constant(None), 2, reason="connection refused")
    assert judged(story, link).status == "unknown"
    assert judge(story.history(), histories.requests()).verdict == "unknown"


def test_a_vault_without_an_active_instance_fires_from_when_it_was_last_active() -> None:
    story = histories.platform()
    story.series("vault_health_code", "vault-0", between(100, 140, constant(None), constant(200)), 2, reason="timed out after 5 s")
    found = judged(story, 7)
    assert (found.status, found.fired_at_s, found.recovered_at_s, found.peak) == ("fired", 99, 141, 40)
    assert "no instance was active for up to 40 s" in found.reason


def test_a_take_over_by_the_other_instance_ends_it() -> None:
    story = histories.platform()
    story.series("vault_health_code", "vault-0", between(100, END, constant(429), constant(200)), 2)
    story.series("vault_health_code", "vault-1", between(131, END, constant(200), constant(429)), 2)
    assert (judged(story, 7).fired_at_s, judged(story, 7).recovered_at_s) == (99, 131)


def test_one_lost_look_at_the_active_instance_is_none() -> None:
    story = histories.platform()
    story.series("vault_health_code", "vault-0", between(100, 102, constant(None), constant(200)), 2)
    assert judged(story, 7).status == "quiet"


def test_an_instance_that_seals_itself_fires_even_while_the_other_leads() -> None:
    story = histories.platform().series("vault_sealed", "vault-1", between(120, END, constant(1), constant(0)), 2)
    found = judged(story, 7)
    assert (found.status, found.fired_at_s, found.recovered_at_s) == ("fired", 121, None)


def test_an_instance_that_was_sealed_all_along_is_the_steady_state() -> None:
    assert judged(histories.platform().series("vault_sealed", "vault-1", constant(1), 2), 7).status == "quiet"


def test_logins_that_fail_at_both_instances_fire_and_at_one_alone_do_not() -> None:
    hang = between(100, 130, constant(None), constant(30.0))
    one = histories.platform().series("vault_login_ms", "vault-0", hang, 6)
    one.series("vault_login_ms", "vault-1", lambda at_s: 30.0, 5)
    assert judged(one, 7).status == "quiet"
    both = histories.platform()
    for target in ("vault-0", "vault-1"):
        both.series("vault_login_ms", target, hang, 6)
    found = judged(both, 7)
    assert (found.status, found.evidence["logins_failed_after"]) == ("fired", 10)
    assert found.recovered_at_s == 133


def test_a_configuration_that_stands_still_fires_from_when_it_was_the_catalogs() -> None:
    stands = between(100, 150, lambda at_s: at_s - 99.5, constant(0.01))
    found = judged(histories.platform().series("lb_config_age_s", "balancer", stands, 2), 8)
    assert (found.status, found.fired_at_s, found.recovered_at_s) == ("fired", 99.5, 151)
    assert "configuration was up to 50 s old" in found.reason


def test_a_configuration_that_follows_within_seconds_is_fresh() -> None:
    follows = between(100, 250, lambda at_s: at_s % 9, constant(0.01))
    assert judged(histories.platform().series("lb_config_age_s", "balancer", follows, 2), 8).status == "quiet"


@pytest.mark.parametrize(("left", "status"), [(PODS * 0.8, "quiet"), (PODS * 0.4, "fired"), (0, "fired")])
def test_half_of_the_backends_gone_is_an_outage(left: float, status: str) -> None:
    story = histories.platform().series("lb_backends_live", "balancer", between(100, 160, constant(left), constant(PODS)), 2)
    assert judged(story, 8).status == status


def test_requests_that_time_out_through_the_balancer_fire_by_their_share() -> None:
    story = histories.platform()
    story.series("lb_answer_ms", "balancer", between(100, 140, lambda at_s: None if at_s % 3 < 1 else 6.0, constant(6.0)))
    found = judged(story, 8)
    assert (found.status, found.evidence["answer_ms_p99_after"]) == ("fired", 10_000)
    assert found.recovered_at_s is not None


def test_renderings_are_counted_per_minute_over_a_restart_of_the_balancer() -> None:
    story = histories.platform().series("lb_rerenders", "balancer", lambda at_s: at_s // 2 if at_s < 150 else (at_s - 150) // 2, 2)
    assert judged(story, 8).evidence["rerenders_per_min_after"] == pytest.approx(30, abs=0.5)


def test_two_deploys_in_a_row_that_fail_fire_from_the_first_and_name_the_step() -> None:
    found = judged(fail_deploys(histories.platform(), 100, 140, "failed at serve: not served after 15 s"), 9)
    assert (found.status, found.fired_at_s, found.recovered_at_s, found.peak) == ("fired", 101, 141, 10)
    assert found.evidence["failed_at"] == {"serve": 10}
    assert "10 at serve" in found.reason


def test_single_failed_deploys_are_told_and_fire_nothing() -> None:
    shape = lambda at_s: None if at_s in (101, 201) else 1800.0  # noqa: E731
    found = judged(histories.platform().series("deploy_ms", "canary", shape, 4, reason="failed at token: status 500"), 9)
    assert (found.status, found.evidence["failed"], found.peak) == ("quiet", 2, 1)


def test_deploys_that_were_not_tried_are_no_failures() -> None:
    assert judged(fail_deploys(histories.platform(), 100, 140, "this lab has no credentials for Vault"), 9).status == "quiet"


def test_the_end_of_the_chain_has_its_causes_and_its_place_in_the_page() -> None:
    story = histories.cascade()
    story.samples |= {key: told for key, told in histories.platform().samples.items() if key not in story.samples}
    story.series("vault_health_code", "vault-0", between(130, END, constant(None), constant(200)), 2)
    story.series("lb_config_age_s", "balancer", between(126, END, lambda at_s: at_s - 125, constant(0.0)), 2)
    fail_deploys(story, 140, END, "failed at token: timed out after 5 s")
    history = story.history()
    found = judge(history, histories.requests())
    assert [(result.link, result.status, result.after) for result in found.links[7:10]] == [
        (7, "fired", 5),
        (8, "fired", 4),
        (9, "fired", 7),
    ]
    assert (found.as_expected, found.link(10).evidence["still_out"][-3:]) == (True, [7, 8, 9])
    jsonschema.validate(json.loads(found.to_json()), json.loads(SCHEMA.read_text()))
    sentence, page = what_happened(history, found), render(history, found)
    assert "Vault was down" in sentence
    assert "deploys failed" in sentence
    assert 'id="panel-vault"' in page
    assert 'id="panel-deploys"' in page
