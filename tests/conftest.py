"""What every test may count on, however the tests were started."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def signals_are_heard() -> Iterator[None]:
    """A shell ignores Ctrl-C for what it runs in the background, nohup a hang-up, and the lab honours that: its tests would wait in vain."""
    heard = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in heard.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden texts anew from what is there now")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Is a golden text to be written anew?"""
    return bool(request.config.getoption("--update-golden"))
