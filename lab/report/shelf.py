"""The stored runs in a folder, newest first, and the one that goes on now."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from lab.checkers.verdict import Verdict
from lab.core.clock import Clock
from lab.core.growing import Growing, event_of_line
from lab.core.history import HISTORY_FILE
from lab.report.folder import REQUESTS_FILES
from lab.report.newest import Newest

FRESH_S = 15.0
"""A history that was written to within so long is that of a run that goes on. Chosen: its slowest probe writes every 10 s."""

FILES = {
    "report.html": "text/html; charset=utf-8",
    "verdict.json": "application/json",
    "experiment.json": "application/json",
    HISTORY_FILE: "application/x-ndjson",
    **dict.fromkeys(REQUESTS_FILES, "text/csv; charset=utf-8"),
}
"""What of a run's folder may be read, and its type. Nothing else leaves it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One run. `verdict` is None where it was not judged; `files` are those of `FILES` that are there."""

    name: str
    simulated: bool
    verdict: Verdict | None
    goes_on: bool
    files: tuple[str, ...]


class Shelf:
    """Looks at the folder anew at each question. Not safe for threads: the site asks from one."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._growing: tuple[str, Growing, Newest] | None = None

    def entries(self) -> list[Entry]:
        """All runs, newest first (a run's folder is named by its start)."""
        now = self._current()
        return [self._entry(path.parent, path.parent.name == now) for path in sorted(self._histories(), reverse=True)]

    def place(self, name: str) -> Path | None:
        """The folder of a run; None if there is none of that name. A name with a separator is never one."""
        return next((path.parent for path in self._histories() if path.parent.name == name), None)

    def newest(self) -> Newest | None:
        """The state of the run that goes on; None if none does. Reads only what was written since the last call."""
        name = self._current()
        if name is None:
            self._growing = None
            return None
        if self._growing is None or self._growing[0] != name:
            self._growing = (name, Growing(self._folder / name / HISTORY_FILE), Newest(name))
        _, growing, newest = self._growing
        newest.see(growing.read())
        return newest

    def _histories(self) -> list[Path]:
        return list(self._folder.glob(f"*/{HISTORY_FILE}")) if self._folder.is_dir() else []

    def _current(self) -> str | None:
        """Name of the run whose history was written to last, if that was just now."""
        written = [(path.stat().st_mtime, path.parent.name) for path in self._histories()]
        if not written:
            return None
        at_s, name = max(written)
        return name if self._clock.utc().timestamp() - at_s <= FRESH_S else None

    @staticmethod
    def _entry(folder: Path, goes_on: bool) -> Entry:
        try:
            verdict = Verdict.from_json((folder / "verdict.json").read_text(encoding="utf-8"))
        except (OSError, ValidationError):
            verdict = None
        files = tuple(name for name in FILES if (folder / name).is_file())
        return Entry(folder.name, _is_simulated(folder / HISTORY_FILE), verdict, goes_on and verdict is None, files)


def _is_simulated(path: Path) -> bool:
    """By the opening event, the first line."""
    with path.open("rb") as file:
        opening = event_of_line(file.readline())
    return opening is not None and opening.get("world") == "simulated"
