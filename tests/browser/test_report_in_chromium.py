"""The report in a real browser: it draws, it is silent, it asks for nothing, and it fits a phone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.checkers.judge import judge
from lab.report.page import render
from tests import histories

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")]


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    history = histories.cascade().history()
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(history, judge(history, histories.requests())), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, report: Path, request: pytest.FixtureRequest) -> Iterator:
    """The page at a width and a colour scheme, with everything it said and asked for."""
    width, scheme = getattr(request, "param", (1280, "light"))
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.goto(report.as_uri())
    yield page
    page.close()


BOTH = pytest.mark.parametrize("opened", [(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")], indirect=True)


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


def test_the_page_can_be_printed(opened) -> None:
    assert len(opened.pdf()) > 20_000
    assert opened.said == []
