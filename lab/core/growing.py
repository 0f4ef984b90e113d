"""A history that is still being written: its new events, each once."""

import json
from pathlib import Path

from lab.core.history import Event


class Growing:
    """Reads one history file from its beginning, as far as whole lines go. Only reads; not safe for threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._torn = b""

    def read(self) -> list[Event]:
        """The events written since the last call. A line that is no event is passed over: judging a history is not this class's affair.

        Raises:
            OSError: the file is gone or cannot be read.
        """
        with self._path.open("rb") as file:
            file.seek(self._offset)
            written = file.read()
        self._offset += len(written)
        *lines, self._torn = (self._torn + written).split(b"\n")
        return [event for line in lines if (event := event_of_line(line)) is not None]


def event_of_line(line: bytes) -> Event | None:
    """The event of one line of a history; None if it is none, or not whole."""
    try:
        raw = json.loads(line)
        return Event(raw.pop("seq"), raw.pop("at_s"), raw.pop("kind"), raw.pop("cause"), raw)
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
