"""What the site answers, without a socket."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lab.checkers.judge import judge
from lab.core.history import HISTORY_FILE
from lab.report.newest import Newest
from lab.report.shelf import FRESH_S, Shelf
from lab.report.site import Site
from lab.report.template import FOLDER
from tests import histories

NOW_S = 1_800_000_000.0


class Still:
    """A clock that stands still."""

    def utc(self) -> datetime:
        return datetime.fromtimestamp(NOW_S, UTC)

    def now_s(self) -> float:
        return NOW_S

    def sleep(self, seconds: float) -> None:
        raise AssertionError


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for number, name in enumerate(("baseline", "cascade")):
        history = getattr(histories, name)().history()
        folder = histories.store(history, tmp_path / "runs" / f"2026011{number}T000000Z-{name}")
        (folder / "verdict.json").write_text(judge(history, None).to_json(), encoding="utf-8")
        os.utime(folder / HISTORY_FILE, (NOW_S - 3600, NOW_S - 3600))
    return tmp_path / "runs"


@pytest.fixture
def site(runs: Path) -> Site:
    return Site(Shelf(runs, Still()))


def begun(runs: Path, until_s: float = 200.0, age_s: float = 1.0) -> Path:
    """A run that goes on: its history has no end yet."""
    folder = histories.store(histories.cascade().stop(until_s).drop_kind("end").history(), runs / "20260112T000000Z-cascade")
    os.utime(folder / HISTORY_FILE, (NOW_S - age_s, NOW_S - age_s))
    return folder


def metrics(site: Site) -> dict[str, dict[str, float]]:
    """Name -> the labels that differ between the samples of a metric, joined -> value."""
    text = site.answer("/metrics").body.decode()
    return {
        sample.name: {
            ",".join(value for label, value in other.labels.items() if label not in {"experiment", "run", "world"}): other.value
            for other in family.samples
        }
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_first_page_lists_the_runs_newest_first(site: Site) -> None:
    page = site.answer("/").body.decode()
    assert re.findall(r'href="/runs/([^/"]+)/report.html"', page) == ["20260111T000000Z-cascade", "20260110T000000Z-baseline"]
    assert "deviated" in page
    assert "goes on" not in page


def test_an_empty_folder_says_how_to_start(tmp_path: Path) -> None:
    assert "lab run cascade" in Site(Shelf(tmp_path / "none", Still())).answer("/").body.decode()


def test_a_run_that_has_no_page_yet_gets_one(site: Site) -> None:
    answer = site.answer("/runs/20260111T000000Z-cascade/report.html")
    assert answer.status == 200
    assert b"Pods evicted and moved" in answer.body


def test_stored_files_are_given_with_their_type(site: Site) -> None:
    answer = site.answer("/runs/20260111T000000Z-cascade/verdict.json")
    assert (answer.status, answer.kind) == (200, "application/json")
    assert json.loads(answer.body)["verdict"] == "deviated"


@pytest.mark.parametrize(
    "address",
    [
        "/nothing",
        "/runs/x/report.html",
        "/runs/../runs/verdict.json",
        "/runs/%2e%2e/history.jsonl",
        "/runs/..%2f20260111T000000Z-cascade/verdict.json",
        "/runs/20260111T000000Z-cascade/../../secret",
        "/runs/20260111T000000Z-cascade/%2e%2e%2fsecret.txt",
        "/runs/20260111T000000Z-cascade/locust.csv",
        "/diff?a=20260111T000000Z-cascade",
        "/diff?a=20260111T000000Z-cascade&b=..",
        "//etc/passwd",
    ],
)
def test_nothing_but_the_files_of_a_run_is_given_away(site: Site, runs: Path, address: str) -> None:
    (runs.parent / "secret.txt").write_text("secret")
    answer = site.answer(address)
    assert answer.status == 404
    assert b"secret\n" not in answer.body


def test_what_was_asked_for_cannot_become_markup(site: Site) -> None:
    assert b"<script>alert" not in site.answer("/<script>alert(1)</script>").body


def test_two_runs_are_compared_by_their_names(site: Site) -> None:
    answer = site.answer("/diff?a=20260110T000000Z-baseline&b=20260111T000000Z-cascade")
    assert answer.status == 200
    assert b"A baseline and B cascade" in answer.body


def test_no_run_is_a_metric_too(site: Site) -> None:
    assert metrics(site) == {"cascade_lab_run_active": {"": 0.0}}


def test_a_run_that_goes_on_is_told_as_metrics_in_base_units(site: Site, runs: Path) -> None:
    begun(runs)
    found = metrics(site)
    assert found["cascade_lab_run_active"] == {"": 1.0}
    assert found["cascade_lab_run_phase"] == {"recovery": 1.0}
    assert found["cascade_lab_run_clock_seconds"][""] == pytest.approx(199.5, abs=1)
    assert found["cascade_lab_evictions_total"] == {"lab": 40.0}
    assert found["cascade_lab_fault_open"] == {"pause-broker,kafka": 0.0}
    assert found["cascade_lab_node_ready"]["cascade-lab-worker2"] == 0.0
    assert 0.0001 < found["cascade_lab_kafka_answer_seconds"]["broker"] < 0.1
    assert found["cascade_lab_samples_missing_total"]["kafka_answer_ms"] == 45.0


def test_a_value_that_is_missing_now_is_not_told_as_its_last(site: Site, runs: Path) -> None:
    begun(runs, until_s=80.0)
    found = metrics(site)
    assert "cascade_lab_kafka_answer_seconds" not in found
    assert found["cascade_lab_fault_open"] == {"pause-broker,kafka": 1.0}


def test_metrics_follow_a_history_as_it_grows(site: Site, runs: Path) -> None:
    folder = begun(runs)
    assert metrics(site)["cascade_lab_run_active"] == {"": 1.0}
    with (folder / HISTORY_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"seq": 10**6, "at_s": 201.0, "kind": "end", "cause": None, "status": "completed", "reason": ""}) + "\n")
    os.utime(folder / HISTORY_FILE, (NOW_S, NOW_S))
    assert metrics(site) == {"cascade_lab_run_active": {"": 0.0}}


def test_a_run_that_was_killed_is_not_held_for_alive(site: Site, runs: Path) -> None:
    begun(runs, age_s=FRESH_S + 1)
    assert metrics(site) == {"cascade_lab_run_active": {"": 0.0}}
    assert "goes on" not in site.answer("/").body.decode()


def test_a_run_that_goes_on_is_marked_on_the_first_page(site: Site, runs: Path) -> None:
    begun(runs)
    assert "goes on" in site.answer("/").body.decode()


def test_the_dashboard_asks_only_for_metrics_that_are_served() -> None:
    served: set[str] = set()
    for story in (histories.cascade(), histories.platform()):
        newest = Newest("x")
        for event in story.history().events:  # at the end of a cascade not every question has an answer
            if event.kind == "phase":
                served |= {sample.name for family in newest.families() for sample in family.samples}
            newest.see([event])
    board = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    asked = set(re.findall(r"cascade_lab_[a-z_]+", json.dumps([panel["targets"] for panel in board["panels"]])))
    assert len(asked) > 20
    assert asked <= served


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    board = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    cells = [
        (place["x"] + x, place["y"] + y)
        for place in (panel["gridPos"] for panel in board["panels"])
        for x in range(place["w"])
        for y in range(place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_a_simulated_run_is_labelled_wherever_it_is_listed(site: Site, runs: Path) -> None:
    story = histories.baseline().drop_kind("run").add(0.0, "run", **histories.header("baseline", "held", [], []), world="simulated")
    histories.store(story.history(), runs / "20260113T000000Z-baseline-sim")
    page = site.answer("/").body.decode()
    assert page.count("<small>simulated</small>") == 1
    compared = site.answer("/diff?a=20260110T000000Z-baseline&b=20260113T000000Z-baseline-sim").body.decode()
    assert "B baseline (simulated)" in compared
