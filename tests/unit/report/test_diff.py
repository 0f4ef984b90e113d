"""Two runs, one over the other, aligned on the release."""

import re
from functools import cache

import pytest

from lab.checkers.judge import judge
from lab.checkers.series import Point
from lab.core.errors import Refused
from lab.report import diff
from lab.report.sides import Side, common_axis, highest, overlaid, side
from tests import histories
from tests.histories import FLOOD, Story


@cache
def of(letter: str, name: str) -> Side:
    history = getattr(histories, name)().history()
    return side(letter, f"runs/{name}", history, judge(history, histories.requests()))


def pair() -> tuple[Side, Side]:
    return of("A", "cascade"), of("B", "contained")


def row(title: str, what: str, sides: tuple[Side, Side] | None = None) -> diff.Row:
    table = next(table for table in diff.tables(*(sides or pair())) if table.title == title)
    return next(row for row in table.rows if row.what.endswith(what))


def test_moments_are_told_from_the_release() -> None:
    assert of("A", "cascade").origin_s == FLOOD
    fired = row("Links: when they fired", "3 Nodes NotReady")
    assert (fired.first, fired.second, fired.change) == ("+17.0 s", "+19.0 s", "+2.0 s")


def test_a_run_without_a_release_is_aligned_on_its_flood_phase() -> None:
    baseline = of("B", "baseline")
    assert baseline.origin_s == FLOOD
    assert "nothing was released" in baseline.aligned_on
    assert row("Links: when they fired", "3 Nodes NotReady", (pair()[0], baseline)).second == "quiet"


def test_a_run_later_on_its_own_clock_is_laid_under_the_same_moment() -> None:
    late = histories.cascade()
    late.events = [(at_s + 40 if at_s > 0 else at_s, kind, fields) for at_s, kind, fields in late.events]
    late.samples = {key: [(at_s + 40, kind, fields) for at_s, kind, fields in told] for key, told in late.samples.items()}
    history = late.history()
    moved = side("B", "late", history, judge(history, None))
    assert row("Links: when they fired", "3 Nodes NotReady", (pair()[0], moved)).change == "+0.0 s"
    panel, _ = next(found for found in overlaid((pair()[0], moved)) if found[0].id == "shipped")
    assert [(round(p.at_s, 3), p.value) for p in panel.lines[0].points] == [(round(p.at_s, 3), p.value) for p in panel.lines[1].points]
    assert (common_axis((pair()[0], moved)).begin_s, common_axis((pair()[0], moved)).end_s) == (-90, 195)


def test_what_was_never_seen_again_is_not_given_a_time() -> None:
    back = row("Links: back in the steady range", "3 Nodes NotReady")
    assert (back.first, back.second, back.change) == ("not in the watch", "+47.0 s", "")


def test_only_settings_that_differ_are_listed() -> None:
    table = next(table for table in diff.tables(*pair()) if table.title == "Settings that differ")
    assert [(row.what, row.first, row.second) for row in table.rows] == [
        ("experiment.name", "cascade", "contained"),
    ]
    same = (pair()[0], of("B", "cascade"))
    assert "Settings that differ" not in [table.title for table in diff.tables(*same)]


def test_the_text_is_a_table_with_a_warning_about_chance() -> None:
    text = diff.lines(*pair())
    heads = [line for line in text if "A cascade" in line and "B contained" in line]
    assert len(heads) >= 6
    assert len({line.index("B contained") for line in heads}) == 1
    assert text[-1] == diff.CAVEAT
    assert max(map(len, text)) < 160


def test_the_lines_of_many_nodes_become_the_highest_of_them() -> None:
    points = [[Point(0.1, 1.0), Point(2.1, None, "away")], [Point(0.3, 5.0), Point(2.2, None, "away")], [Point(1.9, 2.0)]]
    assert [(point.at_s, point.value, point.reason) for point in highest(points)] == [(1.0, 5.0, ""), (3.0, None, "away")]


def test_every_chart_of_the_report_is_laid_over() -> None:
    charts = overlaid(pair())
    assert {"kafka", "shipped", "cpu", "pods", "pods-1", "members", "agents", "servers"} <= {panel.id for panel, _ in charts}
    assert len({panel.id for panel, _ in charts}) == len(charts)
    assert all([line.label for line in panel.lines] == ["A cascade", "B contained"] for panel, _ in charts)
    pods, words = next(found for found in charts if found[0].title == "Pods by state: running")
    assert max(point.value or 0 for point in pods.lines[0].points) == 50
    assert words[1]["peak"] == "50\u00a0pods"


def test_only_series_of_the_nodes_are_put_together() -> None:
    notes = {panel.title: panel.note for panel, _ in overlaid(pair())}
    assert {title for title, note in notes.items() if "Highest of all nodes" in note} == {
        "CPU of the nodes",
        "CPU of the loggers",
        "Throttled",
        "Lease gap",
        "Container runtime's answer",
    }
    assert "Gossip pool: failed, yet running" in notes


def test_the_page_is_small_silent_and_the_same_each_time() -> None:
    page = diff.render(*pair())
    assert page == diff.render(*pair())
    assert len(page.encode()) < 2_000_000
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert page.count("<circle") > 14


def test_a_run_without_a_steady_phase_cannot_be_compared() -> None:
    history = Story().add(0, "run", **histories.header("baseline", "held", [], [])).history()
    with pytest.raises(Refused, match="steady phase never ended"):
        side("A", "x", history, judge(history, None))
