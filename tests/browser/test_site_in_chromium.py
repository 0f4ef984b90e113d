"""The pages of `lab serve` in a real browser: the list of runs, and what is shown where there is nothing."""

from pathlib import Path

import pytest

from lab.adapters.clock import SystemClock
from lab.checkers.judge import judge
from lab.report.shelf import Shelf
from lab.report.site import Site
from tests import histories
from tests.browser.pages import NEEDS_CHROMIUM, VIEWS, serious, shown, written

pytestmark = NEEDS_CHROMIUM
ADDRESSES = {"list": "/", "nothing": "/runs/none/report.html"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("site")
    for number, name in enumerate(("baseline", "cascade", "unknown")):
        history = getattr(histories, name)().history()
        run = histories.store(history, place / "runs" / f"2026011{number}T000000Z-{name}")
        written(run / "verdict.json", judge(history, None).to_json())
    site = Site(Shelf(place / "runs", SystemClock()))
    return {name: written(place / f"{name}.html", site.answer(address).body.decode()) for name, address in ADDRESSES.items()}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_of_the_site_is_without_a_word_a_request_or_a_barrier(browser, pages: dict[str, Path], name: str, view) -> None:
    with shown(browser, pages[name].as_uri(), view) as page:
        assert page.said == []
        assert page.asked == [pages[name].as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert serious(page) == []


def test_two_runs_are_chosen_with_the_keyboard(browser, pages: dict[str, Path]) -> None:
    with shown(browser, pages["list"].as_uri()) as page:
        first = page.locator("input[name=a]").first
        first.focus()
        page.keyboard.press("Space")
        assert first.is_checked()
        assert page.locator("input[name=b]:checked").count() == 1
