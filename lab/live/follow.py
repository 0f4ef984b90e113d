"""Read a history that grows, and refuse one that is broken."""

from pathlib import Path

from lab.core.errors import Refused
from lab.core.growing import WholeLines
from lab.core.history import HISTORY_FILE, Event, event_of


class Follower:
    """One history file, from its beginning."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = WholeLines(path)
        self._read = 0

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
        return [self._event(line) for line in self._lines.read()]

    def _event(self, line: bytes) -> Event:
        self._read += 1
        try:
            return event_of(line)
        except ValueError as error:
            raise Refused(f"read the history {self._path}", f"line {self._read} is not an event: {error}", "restore the file") from error
