"""The built documentation (`make docs`): whole, and silent: it opens from a folder and asks nobody for anything."""

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lab.cli.reference import commands
from lab.core.fields import fields
from lab.core.paths import project
from tests.browser.pages import serious

SITE = project() / "site"
PAGES = sorted(page for page in SITE.rglob("*.html") if page.name != "404.html")
"""All but the one that a server shows for what is not there."""
CHROMIUM = shutil.which("chromium")
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}

pytestmark = [pytest.mark.docs, pytest.mark.skipif(not PAGES, reason="not built: make docs")]


class Fetches(HTMLParser):
    """What a browser would fetch for a page; links that a reader follows are not among it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        place = given.get(FETCHED.get(tag, ""))
        if place and not (tag == "link" and given.get("rel") in {"canonical", "prev", "next"}):
            self.found.append(place)


def fetches(page: Path) -> list[str]:
    parser = Fetches()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.found


def test_every_page_of_the_sources_was_built() -> None:
    built = {page.relative_to(SITE).with_suffix(".md") for page in PAGES}
    assert {page.relative_to(project() / "docs") for page in (project() / "docs").rglob("*.md")} <= built


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(SITE)))
def test_a_page_fetches_only_what_lies_beside_it(page: Path) -> None:
    for place in fetches(page):
        assert not re.match(r"(https?:)?//", place), place
        if not place.startswith(("data:", "#")):
            assert (page.parent / place.split("?")[0].split("#")[0]).resolve().is_file(), place


def test_the_style_sheets_fetch_nothing() -> None:
    sheets = [sheet.read_text(encoding="utf-8") for sheet in SITE.rglob("*.css")]
    assert sheets
    assert [place for sheet in sheets for place in re.findall(r"url\(['\"]?((?:https?:)?//[^)]+)\)", sheet)] == []


def test_every_mark_was_replaced_by_what_the_code_says() -> None:
    assert [page for page in PAGES if "<!-- lab:" in page.read_text(encoding="utf-8")] == []
    told = (SITE / "reference" / "commands.html").read_text(encoding="utf-8")
    assert [path for path, _ in commands() if f">{path}<" not in told] == []
    listed = (SITE / "reference" / "fields.html").read_text(encoding="utf-8")
    assert [field.path for field in fields() if f">{field.path}<" not in listed] == []


@pytest.fixture(scope="module")
def browser() -> Iterator:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"])
        yield opened
        opened.close()


@pytest.mark.parametrize("name", ["index.html", "tutorial/7-asks-consul.html", "howto/report.html", "reference/commands.html"])
@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_browser_it_asks_nobody_is_no_wider_than_the_window_and_shuts_nobody_out(browser, name: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((SITE / name).as_uri())
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious(page) == []
    page.close()
