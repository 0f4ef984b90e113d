"""A history that is still being written: its new events, each once."""

from collections.abc import Iterator
from pathlib import Path

from lab.core.history import Event, event_of

CHUNK_BYTES = 4 * 1024 * 1024
"""Chosen: a run writes some 7 kB a second; this takes in a whole stored run at once."""


class WholeLines:
    """The lines of a file that grows, from its beginning; one that is not whole yet waits. Only reads; not safe for threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._torn = b""

    def read(self) -> Iterator[bytes]:
        """The lines written since the last call.

        Raises:
            OSError: the file is gone or cannot be read.
        """
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while chunk := file.read(CHUNK_BYTES):
                self._offset += len(chunk)
                *lines, self._torn = (self._torn + chunk).split(b"\n")
                yield from lines


class Growing:
    """The events of one history. A line that is no event is passed over: judging a history is not this class's affair."""

    def __init__(self, path: Path) -> None:
        self._lines = WholeLines(path)

    def read(self) -> list[Event]:
        """The events written since the last call.

        Raises:
            OSError: the file is gone or cannot be read.
        """
        return [event for line in self._lines.read() if (event := event_of_line(line)) is not None]


def event_of_line(line: bytes) -> Event | None:
    """The event of one line of a history; None if it is none, or not whole."""
    try:
        return event_of(line)
    except ValueError:
        return None
