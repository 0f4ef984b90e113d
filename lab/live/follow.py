"""Read a history that grows: whole lines as they come, nothing twice. Only reads."""

from pathlib import Path

from lab.core.errors import Refused
from lab.core.history import HISTORY_FILE, Event, event_of

CHUNK_BYTES = 4 * 1024 * 1024
"""Chosen: a run writes some 7 kB a second; this takes in a whole stored run at once."""


class Follower:
    """One history file, from its beginning."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""
        self._lines = 0

    @classmethod
    def of(cls, run: Path) -> "Follower":
        """The history of the run in that folder.

        Raises:
            Refused: it holds no history.
        """
        path = run / HISTORY_FILE
        if not path.is_file():
            raise Refused(f"watch the run {run}", f"there is no {HISTORY_FILE} in it", "name the folder of a run: lab watch runs/RUN")
        return cls(path)

    def read(self) -> list[Event]:
        """The events written since the last call. A line that is not whole yet waits for the next call.

        Raises:
            Refused: a whole line is not an event.
        """
        events: list[Event] = []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while chunk := file.read(CHUNK_BYTES):
                self._offset += len(chunk)
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                events += [self._event(line) for line in lines]
        return events

    def _event(self, line: bytes) -> Event:
        self._lines += 1
        try:
            return event_of(line)
        except (ValueError, KeyError, AttributeError) as error:
            raise Refused(f"read the history {self._path}", f"line {self._lines} is not an event: {error}", "restore the file") from error
