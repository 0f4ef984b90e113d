"""A world whose broker is a real process: the one whose number is in CHILD. Imported by the watchdog under test."""

import os
import signal

import psutil

from tests.fakes import FakeWorld


class ProcessWorld(FakeWorld):
    """Freezes by SIGSTOP, as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.child = int(os.environ["CHILD"])

    def freeze_broker(self) -> None:
        os.kill(self.child, signal.SIGSTOP)

    def thaw_broker(self) -> None:
        os.kill(self.child, signal.SIGCONT)

    def broker_frozen(self) -> bool:
        return psutil.Process(self.child).status() == psutil.STATUS_STOPPED

    def broker_answers(self, timeout_s: float) -> bool:
        return not self.broker_frozen()


def open_world() -> ProcessWorld:
    return ProcessWorld()


def open_flaky_world() -> ProcessWorld:
    """Cannot be opened the first two times, as an engine that restarts."""
    counter = os.environ["CHILD_COUNTER"]
    with open(counter, "a+") as file:  # noqa: PTH123
        file.write("x")
        file.seek(0)
        if len(file.read()) <= 2:
            raise ConnectionError("no engine")
    return ProcessWorld()
