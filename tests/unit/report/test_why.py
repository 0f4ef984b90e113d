"""From an event back to the step that set it off, in words."""

from collections.abc import Sequence
from functools import cache

import pytest

from lab.checkers.judge import judge
from lab.checkers.links import TITLES
from lab.checkers.verdict import Verdict
from lab.core.errors import Refused
from lab.core.history import Event, History
from lab.report.events import told, unit_of
from lab.report.why import by_seq, lines, of_link, path, why
from lab.report.witness import SHOWN_BY, witness
from lab.report.words import GAP
from tests import histories
from tests.histories import APP_NODES, END, FLOOD, OUTAGE, PODS, Shape, between, constant


@cache
def run(name: str) -> tuple[History, Verdict]:
    history = getattr(histories, name)().history()
    return history, judge(history, None)


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.kind for event in events]


def test_an_eviction_leads_back_over_its_node_and_the_flood_to_the_step_of_the_timeline() -> None:
    history, verdict = run("cascade")
    found = of_link(history, verdict, 4)
    assert kinds(found.path)[:2] == ["pod", "node"]
    assert kinds(found.path)[-1] == "step"
    assert found.path[1]["node"] == APP_NODES[0]
    assert "+10.0 s after link 3" in found.answer


@pytest.mark.parametrize(
    ("link", "kind", "series"),
    [(0, "sample", "kafka_answer_ms"), (2, "sample", None), (3, "node", None), (4, "pod", None), (6, "sample", "agent_read_ms")],
)
def test_each_link_is_shown_by_an_event_of_its_own_kind(link: int, kind: str, series: str | None) -> None:
    history, verdict = run("cascade")
    shown = witness(history, verdict.link(link))
    assert shown
    assert shown.kind == kind
    assert series is None or shown["series"] == series
    assert abs(shown.at_s - (verdict.link(link).fired_at_s or 0)) <= 30


FROM, AGES = between(140, END, constant(None), constant(20.0)), between(140, END, lambda at_s: at_s - 139, constant(0.0))


@pytest.mark.parametrize(
    ("link", "series", "target", "shape", "reason", "said"),
    [
        (7, "vault_health_code", "vault-0", between(140, END, constant(None), constant(200)), "timed out after 5 s", "vault-0: no value"),
        (7, "vault_sealed", "vault-1", between(140, END, constant(1), constant(0)), "", "vault_sealed of vault-1: 1"),
        (8, "lb_config_age_s", "balancer", AGES, "", "lb_config_age_s of balancer: 16 s"),
        (8, "lb_backends_live", "balancer", between(140, END, constant(3), constant(PODS)), "", "lb_backends_live of balancer: 3"),
        (8, "lb_answer_ms", "balancer", FROM, "timed out after 10 s", "lb_answer_ms of balancer: no value"),
        (9, "deploy_ms", "canary", FROM, "failed at token: status 500", "deploy_ms of canary: no value (failed at token: status 500)"),
    ],
)
def test_the_platforms_links_are_shown_by_what_broke_and_lead_to_a_step(  # one case a row
    link: int, series: str, target: str, shape: Shape, reason: str, said: str
) -> None:
    story = histories.cascade()
    story.samples |= {key: samples for key, samples in histories.platform().samples.items() if key not in story.samples}
    history = story.series(series, target, shape, 2, reason=reason).history()
    verdict = judge(history, None)
    found = of_link(history, verdict, link)
    assert verdict.link(link).status == "fired"
    assert said in told(found.path[0]).replace(GAP, " ")
    assert found.path[-1].kind == "step"


def test_every_link_has_what_shows_it() -> None:
    assert set(SHOWN_BY) == set(TITLES)


def test_every_link_that_fired_leads_to_a_step() -> None:
    history, verdict = run("cascade")
    fired = [result.link for result in verdict.links if result.status == "fired"]
    assert fired == [0, 1, 2, 3, 4, 5, 6, 10]
    for link in fired:
        last = of_link(history, verdict, link).path[-1]
        assert (last.kind, last["state"]) == ("step", "begin"), link
        assert last.at_s in {OUTAGE, FLOOD}


def test_a_link_that_did_not_fire_is_said_to_be_quiet() -> None:
    found = of_link(*run("baseline"), 3)
    assert found.path == ()
    assert found.answer.startswith("did not fire: all 7 nodes stayed Ready")
    assert "no event of the history shows it" in lines(found)[1]


def test_a_node_is_asked_about_by_either_of_its_names() -> None:
    history, verdict = run("cascade")
    assert why(history, verdict, "worker2").path == why(history, verdict, "cascade-lab-worker2").path
    assert why(history, verdict, "worker2").path[0].at_s == 112.0


def test_the_loss_of_a_node_explains_it_and_not_the_event_that_kubernetes_wrote_before() -> None:
    story = histories.cascade().add(111.9, "kube_event", object="Node/cascade-lab-worker2", reason="NodeNotReady", message="not ready")
    history = story.history()
    found = why(history, judge(history, None), "worker2").path
    assert (found[0].kind, found[0].at_s) == ("node", 112.0)


def test_what_is_known_from_kubernetes_alone_is_the_first_trouble() -> None:
    story = histories.cascade().add(100.0, "kube_event", object="Node/cascade-lab-worker2", reason="SystemOOM", message="out of memory")
    history = story.history()
    assert why(history, judge(history, None), "worker2").path[0].kind == "kube_event"


def test_an_event_is_asked_about_by_its_number() -> None:
    history, verdict = run("cascade")
    event = next(each for each in history.of("member_change") if each["state"] == "failed")
    assert why(history, verdict, str(event.seq)).path == why(history, verdict, f"#{event.seq}").path
    assert why(history, verdict, f"#{event.seq}").path[0] == event


@pytest.mark.parametrize("asked", ["9999999", "link11", "nobody"])
def test_what_is_not_there_is_refused(asked: str) -> None:
    with pytest.raises(Refused, match="could not explain"):
        why(*run("cascade"), asked)


def test_a_path_that_turns_back_on_itself_ends() -> None:
    events = [Event(0, 0, "run", None), Event(1, 1, "node", 2, {}), Event(2, 2, "node", 1, {})]
    assert [event.seq for event in path(History(events), events[2])] == [2, 1]


def test_an_event_is_found_by_its_number_even_if_others_are_missing() -> None:
    history = History([Event(0, 0, "run", None), Event(5, 1, "node", 0, {})])
    assert [by_seq(history, seq) is not None for seq in (0, 1, 5, 6)] == [True, False, True, False]


def test_the_text_names_each_event_with_its_number_and_time() -> None:
    text = lines(of_link(*run("cascade"), 3))
    assert text[0].startswith("link 3, Nodes NotReady: fired at 112.0")
    assert text[1].endswith("node worker2 was lost: Ready became Unknown")
    assert text[-1].endswith("begins")


def test_every_event_of_a_run_can_be_told_in_words() -> None:
    for event in run("cascade")[0].events:
        words = told(event)
        assert words
        assert "{" not in words
        assert "None" not in words


@pytest.mark.parametrize(
    ("series", "unit"),
    [("kafka_answer_ms", "ms"), ("log_backlog_bytes_max", "B"), ("joins_per_s", "per s"), ("lease_gap_s", "s"), ("members_alive", "")],
)
def test_the_unit_is_the_end_of_the_name(series: str, unit: str) -> None:
    assert unit_of(series) == unit
