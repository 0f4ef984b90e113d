"""The page of two runs in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.checkers.judge import judge
from lab.report.diff import render
from lab.report.sides import side
from tests import histories
from tests.browser.pages import NEEDS_CHROMIUM, VIEWS, serious, shown, written

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def page_of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    told = [getattr(histories, name)().history() for name in ("cascade", "contained")]
    sides = [side(letter, f"run-{letter}", history, judge(history, None)) for letter, history in zip("AB", told, strict=True)]
    return written(tmp_path_factory.mktemp("diff") / "diff.html", render(*sides))


@pytest.fixture
def opened(browser, page_of_two: Path, request: pytest.FixtureRequest) -> Iterator:
    with shown(browser, page_of_two.as_uri(), getattr(request, "param", VIEWS[0])) as page:
        yield page


@pytest.mark.parametrize("opened", VIEWS, indirect=True)
def test_two_runs_are_drawn_without_a_word_a_request_or_a_barrier(opened, page_of_two: Path) -> None:
    charts = opened.locator(".chart").count()
    assert charts >= 20
    assert opened.locator(".chart canvas").count() == charts
    assert opened.said == []
    assert opened.asked == [page_of_two.as_uri()]
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(opened) == []


def test_the_cursor_tells_both_runs_at_the_same_moment_after_the_release(opened) -> None:
    opened.locator("#panel-pods-2 .chart").focus()
    opened.evaluate("lab.pointAt(60)")
    assert opened.locator(".clock").first.inner_text() == "at 60.0 s"
    assert opened.locator("#panel-pods-2 .value").all_inner_texts() == ["14 pods", "50 pods"]
