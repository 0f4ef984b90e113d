"""One browser for all tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.pages import ARGS, CHROMIUM


@pytest.fixture(scope="session")
def browser() -> Iterator:
    with sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield opened
        opened.close()
