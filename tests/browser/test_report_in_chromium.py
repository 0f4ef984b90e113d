"""The report in a real browser: it draws, it is silent, it asks for nothing, and it fits a phone."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.checkers.judge import judge
from lab.report.page import render
from tests import histories
from tests.browser.pages import NEEDS_CHROMIUM, VIEWS, serious, shown, written

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    history = histories.cascade().history()
    return written(tmp_path_factory.mktemp("report") / "report.html", render(history, judge(history, histories.requests())))


@pytest.fixture
def opened(browser, report: Path, request: pytest.FixtureRequest) -> Iterator:
    with shown(browser, report.as_uri(), getattr(request, "param", VIEWS[0])) as page:
        yield page


BOTH = pytest.mark.parametrize("opened", VIEWS, indirect=True)


@BOTH
def test_the_page_draws_all_charts_without_a_word_or_a_request(opened, report: Path) -> None:
    charts = opened.locator(".chart").count()
    assert charts >= 12
    assert opened.locator(".chart canvas").count() == charts
    assert opened.said == []
    assert opened.asked == [report.as_uri()]


@BOTH
def test_the_page_fits_its_width(opened) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_charts_are_not_empty(opened) -> None:
    colours = """canvas => { const d = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Set(); for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i+1] << 8 | d[i+2]); return seen.size; }"""
    assert all(canvas.evaluate(colours) > 5 for canvas in opened.locator(".chart canvas").all())


def test_axes_are_aligned_with_the_timeline(opened) -> None:
    edges = (
        "selector => [...document.querySelectorAll(selector)].map(e => { const b = e.getBoundingClientRect(); return [b.left, b.right]; })"
    )
    plots = opened.evaluate(edges, ".plot") + opened.evaluate(edges, ".u-over")
    assert max(left for left, _ in plots) - min(left for left, _ in plots) <= 1.5
    assert max(right for _, right in plots) - min(right for _, right in plots) <= 1.5


def test_the_cursor_shows_the_values_of_all_charts(opened) -> None:
    over = opened.locator("#panel-pods .u-over")
    over.scroll_into_view_if_needed()
    over.hover(position={"x": 400, "y": 40})
    assert opened.locator(".clock").first.inner_text().startswith("at ")
    assert opened.locator(".value.live").count() > 20
    opened.mouse.move(5, 5)
    assert opened.locator(".value.live").count() == 0


def test_the_values_at_the_cursor_stay_clear_of_the_axis(opened) -> None:
    opened.evaluate("lab.pointAt(130)")
    reach = """[...document.querySelectorAll(".panel")].map(panel => Math.max(...[...panel.querySelectorAll(".value.live")]
        .map(value => value.getBoundingClientRect().right)) - panel.querySelector(".chart").getBoundingClientRect().left)"""
    assert max(opened.evaluate(reach)) <= 10  # pixels; the longest word at an axis leaves as much


def test_the_cursor_follows_the_keyboard_too(opened) -> None:
    opened.locator("#panel-agents .chart").focus()
    for _ in range(12):
        opened.keyboard.press("Shift+ArrowRight")
    assert opened.locator(".clock").first.inner_text() == "at 125.0 s"
    running = opened.locator("#panel-pods .legend li", has_text="running").locator(".value")
    assert running.inner_text() == "14 pods"
    opened.keyboard.press("Escape")
    assert opened.locator(".clock").first.inner_text() == "seconds on the run clock"


def test_every_chart_has_words_for_those_who_do_not_see_it(opened) -> None:
    labels = [chart.get_attribute("aria-label") or "" for chart in opened.locator(".chart").all()]
    assert all("peak" in label for label in labels)
    assert opened.locator("h1").count() == 1


PAPER = 703
"""Columns of pixels: A4 between the page's own margins."""


@pytest.mark.parametrize("opened", [(1280, "dark"), (390, "light")], indirect=True)
def test_on_paper_all_stands_in_its_place_in_the_colours_of_paper(opened) -> None:
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": PAPER, "height": 1000})
    assert opened.evaluate("document.documentElement.scrollWidth") <= PAPER
    edges = "which => [...document.querySelectorAll(which)].map(e => { const b = e.getBoundingClientRect(); return [b.left, b.right]; })"
    plots = opened.evaluate(edges, ".time .plot") + opened.evaluate(edges, ".u-over")
    for side in zip(*plots, strict=True):
        assert max(side) - min(side) <= 1.5
    rows = opened.evaluate(
        """[...document.querySelectorAll(".zooms > .row")].map(row => [row.getBoundingClientRect().top,
        Math.max(...[...row.querySelectorAll("td, canvas, li, p")].map(part => part.getBoundingClientRect().bottom))])"""
    )
    assert len(rows) > 12
    assert all(bottom <= top + 1 for (_, bottom), (top, _) in itertools.pairwise(rows))
    kept = "e => [getComputedStyle(e).printColorAdjust, getComputedStyle(document.body).color]"
    for place in (".shade", ".strip i", ".badge", ".swatch"):
        assert opened.locator(place).first.evaluate(kept) == ["exact", "rgb(29, 33, 38)"]
    assert opened.locator(".log tbody tr:visible").count() == 30
    opened.pdf()
    assert opened.said == []


@BOTH
def test_those_who_cannot_see_or_point_are_not_shut_out(opened) -> None:
    opened.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    opened.locator("#panel-pods .plain").click()
    assert serious(opened) == []


def test_a_page_that_shuts_people_out_would_be_found(opened) -> None:
    opened.evaluate(
        "document.querySelector('h1').style.color = '#ddd'; document.querySelector('.find input').parentElement.replaceWith(document.createElement('input'))"
    )
    assert {found.partition(":")[0] for found in serious(opened)} == {"color-contrast", "label"}


def shown_span(page) -> list[float]:
    return [round(float(at), 1) for at in page.evaluate("lab.view()")]


def test_a_stretch_of_time_is_shown_by_charts_strips_and_ruler_alike(opened) -> None:
    opened.get_by_role("button", name="flood", exact=True).click()
    assert shown_span(opened) == [95, 170]
    assert opened.get_by_role("button", name="flood", exact=True).get_attribute("aria-pressed") == "true"
    assert opened.evaluate("lab.charts.every(({plot}) => plot.scales.x.min === 95 && plot.scales.x.max === 170)")
    strip, lost = (opened.locator(f".strips li:nth-child(3) {part}").bounding_box() for part in (".strip", ".ready-Unknown"))
    assert (lost["x"] - strip["x"]) / strip["width"] == pytest.approx((112 - 95) / 75, abs=0.01)
    assert opened.locator(".zooms .ruler .at").first.inner_text() == "100 s"
    opened.get_by_role("button", name="all", exact=True).click()
    assert shown_span(opened) == [5, 290]


def test_dragging_over_a_chart_zooms_and_a_double_click_shows_all_again(opened) -> None:
    over = opened.locator("#panel-shipped .u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    opened.mouse.move(box["x"] + box["width"] / 4, box["y"] + 30)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30, steps=4)
    opened.mouse.up()
    begin_s, end_s = shown_span(opened)
    assert begin_s == pytest.approx(5 + 285 / 4, abs=1)
    assert end_s == pytest.approx(5 + 285 / 2, abs=1)
    over.dblclick()
    assert shown_span(opened) == [5, 290]


def test_a_chart_is_zoomed_by_keys_and_says_what_it_shows(opened) -> None:
    chart = opened.locator("#panel-members .chart")
    chart.focus()
    for key in ("Home", "Shift+ArrowRight", "+"):
        opened.keyboard.press(key)
    assert shown_span(opened) == [10, 152.5]
    assert chart.get_attribute("aria-valuenow") == "15.0"
    assert (
        chart.get_attribute("aria-valuetext")
        == "at 15.0 s: alive 53 members, failed 0 members, left 0 members, failed, yet running 0 members"
    )
    opened.keyboard.press("Escape")
    assert shown_span(opened) == [5, 290]


def test_a_name_switches_its_line_off_and_on_and_the_stack_closes(opened) -> None:
    top = "lab.charts.find(({panel}) => panel.id === 'pods').panel.lines[0].y.at(-1)"
    pending = opened.locator("#panel-pods .toggle", has_text="pending")
    assert opened.evaluate(top) == 40
    pending.click()
    assert pending.get_attribute("aria-pressed") == "false"
    assert opened.evaluate(top) == 26
    pending.click()
    assert opened.evaluate(top) == 40


def test_raw_numbers_are_one_click_away_and_can_be_saved(opened) -> None:
    opened.get_by_role("button", name="Numbers of Pods by state").click()
    table = opened.locator("#numbers-pods table")
    assert table.locator("th").all_inner_texts() == [
        "at (s)",
        "terminating (pods)",
        "pending (pods)",
        "running (pods)",
        "evicted so far (pods)",
    ]
    row = table.locator('tbody tr:has(td:first-child:text-is("150")) td').all_inner_texts()
    assert row == ["150", "20", "26", "14", "20"]
    with opened.expect_download() as saved:
        opened.get_by_role("button", name="Save as CSV").click()
    lines = Path(saved.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith('"at_s","terminating (pods)"')
    assert "150,20,26,14,20" in lines


def test_the_log_of_kubernetes_moves_the_cursor_and_is_narrowed_by_words_and_by_time(opened) -> None:
    rows = opened.locator(".log tbody tr:not([hidden])")
    assert rows.count() == 44
    opened.locator(".find input").fill("nodenotready worker2")
    assert rows.count() == 1
    rows.get_by_role("button").click()
    assert opened.locator(".clock").first.inner_text() == "at 112.1 s"
    assert opened.locator(".log .near").count() == 1
    opened.locator(".find input").fill("")
    opened.get_by_role("button", name="recovery", exact=True).click()
    assert rows.count() == 0


def test_each_link_says_what_led_to_it_back_to_the_step(opened) -> None:
    opened.locator(".chain a", has_text="Pods evicted").click()
    row = opened.locator("#link-4")
    assert row.evaluate("row => row.matches(':target')")
    row.locator("summary").click()
    told = row.locator(".path li").all_inner_texts()
    assert "evicting" in told[0]
    assert "node worker2 was lost" in told[1]
    assert "timeline step" in told[-1]
