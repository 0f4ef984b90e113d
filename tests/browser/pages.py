"""A real browser, and a page in it with everything it says and asks for."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

CHROMIUM = shutil.which("chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
NEEDS_CHROMIUM = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")]
VIEWS = [(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")]


@contextmanager
def shown(browser: Any, address: str, view: tuple[int, str] = (1280, "light")) -> Iterator[Any]:
    """The page at a width and a colour scheme; `said` and `asked` hold what it wrote to the console and what it requested."""
    width, scheme = view
    page = browser.new_page(viewport={"width": width, "height": 900 if width > 400 else 844}, color_scheme=scheme)
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.goto(address)
    yield page
    page.close()


def serious(page: Any) -> list[str]:
    """What axe-core finds of impact serious or critical, each with the place and the reason."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]


def written(path: Path, text: str) -> Path:
    """`path` with this text in it."""
    path.write_text(text, encoding="utf-8")
    return path
