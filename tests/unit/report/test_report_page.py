"""The page and its parts, without a browser."""

import json
import re
from functools import cache

import pytest

from lab.checkers.judge import judge
from lab.checkers.series import Point
from lab.checkers.verdict import Verdict
from lab.checkers.watch import Watch
from lab.core.history import History
from lab.report import chain, kube_log, words
from lab.report.page import render, settings
from lab.report.panels import embedded, figures, panels, tone_of
from lab.report.sentence import what_happened
from lab.report.thin import column, thin
from tests import histories, neighbours
from tests.histories import APP_NODES, NODES, Story

PAGE_BYTES_MAX = 2_000_000


@cache
def told(name: str) -> tuple[History, Verdict, str]:
    """A story, its verdict and its page."""
    history = getattr(histories, name)().history()
    verdict = judge(history, histories.requests())
    return history, verdict, render(history, verdict)


def drawn(page: str) -> dict:
    """What the script gets."""
    found = re.search(r'<script type="application/json" id="told">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


STORIES = ["baseline", "cascade", "contained", "unknown"]


@pytest.mark.parametrize("name", STORIES)
def test_a_page_is_small_and_asks_nothing_of_the_network(name: str) -> None:
    page = told(name)[2]
    assert len(page.encode()) < PAGE_BYTES_MAX
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.parametrize("name", STORIES)
def test_every_link_within_the_page_leads_somewhere_and_the_head_to_what_the_run_stands_for(name: str) -> None:
    page = told(name)[2]
    asked = re.findall(r'href="#([^"]+)"', page)
    assert set(asked) <= set(re.findall(r'id="([^"]+)"', page))
    assert "fidelity-title" in asked


def test_the_same_run_gives_the_same_bytes() -> None:
    history, verdict, page = told("cascade")
    assert render(history, verdict) == page


SENTENCES = {
    "baseline": ["Nothing left its steady state in 240 s", "7 nodes stayed Ready"],
    "cascade": [
        "Kafka was away for 45 s and the logs piled up",
        "4 nodes became NotReady (the first 17 s after Kafka's return)",
        "40 of 50 pods",
        "to the end",
    ],
    "contained": ["1 node became NotReady (19 s after", "10 of 50 pods", "all was back by"],
    "unknown": ["cannot be judged", "the disk is full"],
}


@pytest.mark.parametrize(("name", "parts"), SENTENCES.items())
def test_one_sentence_says_what_happened(name: str, parts: list[str]) -> None:
    sentence = what_happened(*told(name)[:2])
    assert all(part in sentence for part in parts), sentence
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0


def test_the_sentence_and_the_key_figures_tell_the_same_latencies() -> None:
    history, verdict, page = told("cascade")
    claims = verdict.evidence.claims
    assert claims is not None
    before, after = (words.number(value, "ms") for value in (claims.agent_read_ms_p99_steady, claims.agent_read_ms_p99_after_release))
    assert f"rose from {before} to {after}" in what_happened(history, verdict)
    assert f"{before} before, {after} after" in page


def test_a_flood_without_an_outage_is_told_as_one() -> None:
    story = histories.baseline().series("shipped_lines_per_s", "logs", histories.between(95, 170, lambda _: 2000.0, lambda _: 25.0))
    history = story.add(95, "locust", change="start", profile="flood").add(170, "locust", change="stop", profile="flood").history()
    assert what_happened(history, judge(history, histories.requests())).startswith("The broker answered all along")


def test_what_others_wrote_cannot_become_markup() -> None:
    story = histories.baseline().drop_kind("run")
    opening = histories.header("baseline", "held", [], [])
    opening["experiment"]["title"] = "<script>alert(1)</script>"
    story.add(0, "run", **opening).series("members_alive", "</script><b>", lambda _: 1.0)
    history = story.history()
    page = render(history, judge(history, histories.requests()))
    assert "<script>alert(1)" not in page
    assert "</script><b>" not in page


def test_every_setting_is_on_the_page() -> None:
    history, _, page = told("cascade")
    names = {name: dict(rows) for name, rows in settings(history)}
    assert names["experiment"]["faults.0.fault"] == "pause-broker"
    assert names["settings"]["caps.app_cap_cores"] == "0.22"
    assert names["run"]["command"] == "lab run cascade"
    assert names["git"]["dirty"] == "False"
    assert "0123456789abcdef" in page


def test_what_was_set_while_preparing_wins_over_the_opening() -> None:
    story = histories.baseline().add(4, "phase", phase="prepare", state="end", settings={"caps": {"app_cap_cores": 0.31}})
    assert dict(dict(settings(story.history()))["settings"]) == {"caps.app_cap_cores": "0.31"}


def test_fault_and_flood_are_shaded_where_they_were() -> None:
    spans = drawn(told("cascade")[2])["shades"]
    assert [(span["kind"], span["begin_s"], span["end_s"]) for span in spans] == [("fault", 50.2, 95.3), ("flood", 95, 170)]
    assert drawn(told("baseline")[2])["shades"] == []


def test_a_fault_that_was_never_healed_is_shaded_to_the_end() -> None:
    story = histories.cascade().drop_kind("fault", change="healed")
    history = story.history()
    watch = Watch.of(history)
    time = chain.axis(history, watch)
    assert chain.shades(history, watch, time)[0]["end_s"] == histories.END


def test_two_faults_at_once_are_two_stretches_and_each_goes_by_its_own_name() -> None:
    story = histories.baseline()
    for at_s, fault, change in ((50, "kill-agents", "injected"), (60, "churn-pods", "injected"), (70, "kill-agents", "healed")):
        story.add(at_s, "fault", fault=fault, target="t", change=change)
    spans = chain.shades(story.history(), None, chain.Axis(0.0, 290.0))
    assert [(span["label"], span["begin_s"], span["end_s"]) for span in spans] == [("Agents killed", 50, 70), ("Pods come and go", 60, 290)]


def test_missing_samples_are_gaps() -> None:
    kafka = next(panel for panel in drawn(told("cascade")[2])["panels"] if panel["id"] == "kafka")
    known = dict(zip(kafka["lines"][0]["x"], kafka["lines"][0]["y"], strict=True))
    assert known[60.0] is None
    assert known[40.0] is not None


def test_peaks_and_gaps_survive_thinning() -> None:
    points = [Point(at_s / 10, 1000.0 if at_s == 7777 else None if at_s == 5000 else 1.0) for at_s in range(20_000)]
    at_s, known = thin(points, 0, 2000, buckets=100)
    assert len(at_s) <= 300
    assert max(value for value in known if value is not None) == 1000
    assert None in known
    assert at_s == sorted(at_s)


def test_answers_of_the_same_moment_are_all_kept() -> None:
    assert column([Point(1, 5.0), Point(1, 6.0), Point(1.004, 7.0)]) == ([1, 1.01, 1.02], [5, 6, 7])


def test_the_timeline_draws_each_link_after_its_cause() -> None:
    history, verdict, _ = told("cascade")
    marks = chain.marks(verdict, chain.axis(history, Watch.of(history)))
    assert [mark.link for mark in marks] == list(range(11))
    assert [mark.text for mark in marks[7:10]] == ["not measured"] * 3
    assert all(mark.from_row is None or (mark.from_row < mark.row and mark.from_x <= mark.x) for mark in marks)
    assert all(0 <= mark.x <= mark.x + mark.width <= 100.01 for mark in marks)
    assert marks[4].text == "122 s, +10 s after 3"


def test_strips_cover_the_time_of_every_node() -> None:
    history, _, _ = told("cascade")
    rows = chain.strips(history, chain.axis(history, Watch.of(history)))
    assert len(rows) == len(NODES)
    lost = next(row for row in rows if row["node"] == "worker3")
    assert [part["ready"] for part in lost["parts"]] == ["True", "Unknown", "True"]
    assert sum(part["width"] for part in lost["parts"]) == pytest.approx(100, abs=0.1)


def test_of_very_many_nodes_the_first_have_a_strip_and_the_others_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "STRIPS_MAX", 2)
    history, _, _ = told("cascade")
    rows = chain.strips(history, chain.axis(history, Watch.of(history)))
    assert len(rows) == 3
    assert rows[2]["node"] == f"{len(NODES) - 2} more"
    assert rows[2]["words"].endswith("of them not Ready at some time")


def test_ticks_are_round_and_few() -> None:
    for end_s in (30, 290, 1000, 9000):
        ticks = chain.Axis(5, end_s).ticks()
        assert 2 <= len(ticks) <= 13
        assert all(0 <= x <= 100 for x, _ in ticks)


def test_a_chart_is_told_in_words_too() -> None:
    history, _, _ = told("cascade")
    watch = Watch.of(history)
    assert watch
    pods = next(panel for panel in panels(history) if panel.id == "pods")
    rows = {row["label"]: row for row in figures(pods, watch)}
    assert (rows["running"]["steady"], rows["running"]["peak"]) == ("50\u00a0pods", "50\u00a0pods")
    assert rows["terminating"]["peak"] == "40\u00a0pods"


def test_stacked_areas_add_up() -> None:
    history, _, _ = told("cascade")
    shown = embedded(next(panel for panel in panels(history) if panel.id == "pods"), 5, 290)["lines"]
    place = shown[0]["x"].index(150.0)
    assert [line["y"][place] for line in shown[:3]] == [14 + 26 + 20, 14 + 26, 14]


def test_a_series_that_was_not_sampled_has_no_chart() -> None:
    assert "agents" not in {panel.id for panel in panels(told("unknown")[0])}


def test_a_run_without_a_steady_phase_still_has_a_page() -> None:
    history = histories.unknown().drop_kind("phase").history()
    assert "cannot be judged" in render(history, judge(history, None))


def test_what_another_program_said_at_length_does_not_fill_the_sentence() -> None:
    story = (
        Story()
        .add(0, "run", **histories.header("baseline", "held", [], []))
        .add(9, "end", status="aborted", reason="no engine:\nline 2\nline 3")
    )
    history = story.history()
    assert what_happened(history, judge(history, None)) == "This run cannot be judged: the run was aborted: no engine."


def test_an_empty_run_still_has_a_page() -> None:
    history = Story().add(0, "run", **histories.header("baseline", "held", [], [])).history()
    assert "unknown" in render(history, judge(history, None))


def test_nodes_keep_their_colours() -> None:
    assert [tone_of(node, NODES) for node in NODES] == ["grey", "grey", "n1", "n2", "n3", "n4", "n5"]
    assert tone_of(APP_NODES[0], APP_NODES[:1]) == "n1" or tone_of(APP_NODES[0], APP_NODES[:1]).startswith("n")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ms", "-"),
        (2.345, "ms", "2.35 ms"),
        (10_400, "ms", "10.4 s"),
        (12_375_000, "B", "12.4 MB"),
        (0.8, "share", "80 %"),
        (1, "nodes", "1 node"),
        (2, "nodes", "2 nodes"),
        (3375, "lines/s", "3,375 lines/s"),
        (0, "", "0"),
    ],
)
def test_numbers_are_short_and_keep_their_unit(value: float | None, unit: str, text: str) -> None:
    assert words.number(value, unit).replace(words.GAP, " ") == text


def test_lists_read_like_sentences() -> None:
    assert [words.listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_each_line_says_how_many_samples_there_were() -> None:
    panel = next(panel for panel in panels(told("cascade")[0]) if panel.id == "cpu")
    line = embedded(panel, 5, 290)["lines"][0]
    assert line["n"] == len(line["x"])
    assert embedded(panel, 5, 6)["lines"][0]["n"] <= 2


def test_the_log_of_kubernetes_names_the_node_of_a_pod() -> None:
    history = told("cascade")[0]
    rows = kube_log.rows(history, chain.axis(history, Watch.of(history)))
    assert len(rows) == 44
    pod = next(row for row in rows if row.about == "Pod app-00")
    assert (pod.node, pod.reason) == ("worker2", "Unhealthy")
    assert next(row for row in rows if row.reason == "NodeNotReady").about == "Node worker2"


def test_events_that_fall_together_are_one_mark_on_the_strip_of_their_node() -> None:
    history = told("cascade")[0]
    time = chain.axis(history, Watch.of(history))
    rows = kube_log.rows(history, time)
    marks = kube_log.marks(rows, time)
    assert set(marks) == {"worker2", "worker3", "worker4", "worker5"}
    assert any(" more" in said for _, said in marks["worker2"])
    assert len(marks["worker2"]) < 11


def test_a_long_log_is_cut_and_the_page_says_so() -> None:
    story = histories.baseline()
    for number in range(kube_log.ROWS_MAX + 7):
        story.add(60 + number / 50, "kube_event", reason="Unhealthy", object="Pod/app-00", message="x" * 300)
    history = story.history()
    page = render(history, judge(history, None))
    assert f"The first {kube_log.ROWS_MAX} of {kube_log.ROWS_MAX + 7}" in page
    assert "x" * (kube_log.MESSAGE_MAX - 4) + " ..." in page
    assert len(page.encode()) < PAGE_BYTES_MAX


def test_what_led_to_each_link_is_on_the_page() -> None:
    page = told("cascade")[2]
    assert page.count('class="path"') == 8
    assert "node worker2 was lost: Ready became Unknown" in page


def test_a_neighbour_has_a_part_of_the_page_with_its_own_charts_and_links() -> None:
    history = neighbours.churned(neighbours.story()).history()
    verdict = judge(history, histories.requests())
    page = render(history, verdict)
    assert "The neighbour, in the same pool: poisoned" in page
    assert "The neighbour, in the same pool, was poisoned; its own living agents were held for failed 0 times" in page
    assert re.findall(r'id="neighbour-link-(\d+)"', page) == ["2", "3", "5", "6"]
    ids = [panel["id"] for panel in drawn(page)["panels"]]
    assert {"agents", "neighbour-agents", "neighbour-members"} <= set(ids)
    assert len(ids) == len(set(ids))
    shown = {panel["id"]: panel["lines"] for panel in drawn(page)["panels"]}
    assert max(shown["neighbour-members"][0]["y"]) == 33  # its own samples, not the first cluster's
    assert [(line["label"], line["tone"]) for line in shown["neighbour-lease"]] == [
        ("neighbour-control", "grey"),
        ("neighbour-worker", "n1"),
    ]
    assert "The pool: calm" in page


def test_a_page_without_a_neighbour_names_none() -> None:
    assert "neighbour" not in told("cascade")[2]
