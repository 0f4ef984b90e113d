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
