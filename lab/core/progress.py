"""How long work tells a person where it stands, without knowing about terminals.

The command line implements this with Rich; tests with a list.
"""

from contextlib import AbstractContextManager
from typing import Protocol


class Step(Protocol):
    """One piece of work under way."""

    def say(self, text: str) -> None:
        """Replace the step's detail: what it waits for, what it last saw, which log file it writes."""


class Progress(Protocol):
    """Opens steps. A step that its block leaves by an exception is shown as failed."""

    def step(self, title: str, allowed_s: float | None = None) -> AbstractContextManager[Step]:
        """Show `title` with elapsed time, and with the allowed time where there is one."""
        ...
