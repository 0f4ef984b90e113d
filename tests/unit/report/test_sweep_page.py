"""The page of a sweep: a dot a run in its place, the median and its interval, and nothing that was not measured."""

import math

import pytest

from lab.checkers.judge import judge
from lab.checkers.verdict import Verdict
from lab.report.sweep_page import Figure, Measure, Shown, figure, measures, render_page
from tests import histories
from tests.pools import pool

BARE = judge(histories.baseline().history(), histories.requests())
CALM = Measure("calm", "s", lambda verdict: math.inf if (calm := verdict.evidence.pool.calm_after_s) is None else calm)  # type: ignore[union-attr]


def shown(number: int, calm_after_s: float | None, href: str = "") -> Shown:
    evidence = BARE.evidence.model_copy(update={"pool": pool(calm_after_s)})
    return Shown(f"round {number}", BARE.model_copy(update={"evidence": evidence}), href)


def drawn(runs: dict[tuple[str, ...], list[Shown]], measure: Measure = CALM) -> Figure:
    found = figure(measure, runs)
    assert found is not None
    return found


def test_a_run_stands_where_its_value_is_and_leads_to_its_report() -> None:
    found = drawn({("old",): [shown(n, calm, f"{n}/report.html") for n, calm in enumerate((50, 10, 20, 30, 40))], ("new",): []})
    old, new = found.rows
    assert [(dot.x, dot.open, dot.href) for dot in old.dots[:2]] == [(94, False, "0/report.html"), (18.8, False, "1/report.html")]
    assert old.dots[0].words == "round 0: 50\u00a0s"
    assert (old.middle, old.band, old.words) == (56.4, (18.8, 75.2), "30\u00a0s (10\u00a0s to 50\u00a0s)")
    assert (found.most, new.dots, new.band, new.words) == ("50\u00a0s", [], None, "-")


def test_an_end_that_was_not_seen_is_a_ring_beyond_all_that_were() -> None:
    (row,) = drawn({(): [shown(1, 10), shown(2, None), shown(3, None)]}).rows
    assert [(dot.x, dot.open) for dot in row.dots] == [(94, False), (100, True), (100, True)]
    assert (row.arm, row.middle, row.words) == ("all runs", 100, "not seen (10\u00a0s to not seen)")
    (alone,) = drawn({(): [shown(1, None)]}).rows
    assert (alone.words, alone.dots[0].x) == ("not seen", 100)


@pytest.mark.parametrize("runs", [{("old",): [shown(1, 0), shown(2, 0)]}, {("old",): []}])
def test_what_no_run_knows_and_what_never_happened_is_not_drawn(runs: dict[tuple[str, ...], list[Shown]]) -> None:
    assert figure(CALM, runs) is None


def test_every_figure_of_the_table_has_a_title_of_its_own() -> None:
    titles = [measure.title for measure in measures()]
    assert len(set(titles)) == len(titles)


def test_the_page_names_arms_and_links_and_is_the_same_each_time() -> None:
    runs = {("old",): [shown(1, 10, "01-old/report.html")], ("<new>",): [shown(1, None, "01-new/report.html")]}
    page = render_page("gossip-poison", ["steady_s=20"], ["arm"], runs)
    assert page == render_page("gossip-poison", ["steady_s=20"], ["arm"], runs)
    assert "gossip-poison, 2 arms compared" in page
    assert ("steady_s=20" in page, "&lt;new&gt;" in page, "<new>" in page) == (True, True, False)
    assert '<a href="01-new/report.html" title="round 1: not seen"' in page
    assert "simulated" not in page.split("</style>")[1]


def test_a_link_that_no_run_could_tell_has_no_share() -> None:
    links = [link.model_copy(update={"status": "unknown" if link.link == 3 else "fired"}) for link in BARE.links]
    told: Verdict = BARE.model_copy(update={"links": links})
    page = render_page("cascade", [], ["arm"], {("one",): [Shown("seed 1", told)]}, simulated=True)
    assert page.count('style="--share:1.0">1 of 1</td>') == len(links) - 1
    assert page.count("<td>-</td>") == 1
    assert '<b class="badge simulated">simulated</b>' in page
    assert "leads to its report" not in page
