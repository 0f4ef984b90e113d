"""The ledger: what must be healed, on disk before anything is injected.

One JSON object per line, fsynced; `open` carries enough for another process to heal, `closed` says that the healed state was seen.
"""

import errno
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One open fault.

    Args:
        id: unique in the ledger.
        fault: name in the fault table.
        record: what the fault's `from_record` needs.
        heal_by_s: monotonic seconds (system clock) by when the watchdog heals even if the runner seems alive.
    """

    id: str
    fault: str
    record: dict[str, Any]
    heal_by_s: float


class Ledger:
    """Append-only file of opened and closed faults."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, entry: Entry) -> None:
        """Write `entry` and reach the disk; only then may the fault be injected.

        Raises:
            OSError: it could not be written; nothing may be injected.
        """
        self._append({"change": "open", **asdict(entry)})

    def close(self, entry_id: str) -> None:
        """Say that the fault of `entry_id` was seen healed. Closing twice does no harm: runner and watchdog may both heal.

        Raises:
            OSError: it could not be written; the fault stays listed as open until the next heal.
        """
        self._append({"change": "closed", "id": entry_id})

    def open_entries(self) -> list[Entry]:
        """Faults opened and not closed, oldest first.

        A line cut short by a crash or a full disk is skipped: its `open` never returned, so nothing was injected after it.
        """
        entries: dict[str, Entry] = {}
        if not self._path.exists():
            return []
        for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                raw = json.loads(line)
                if raw.pop("change") == "open":
                    entries[raw["id"]] = Entry(**raw)
                else:
                    entries.pop(raw["id"], None)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        return list(entries.values())

    def _append(self, line: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = ("\n" if self._torn() else "") + json.dumps(line) + "\n"
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            written = os.write(file, text.encode())
            if written < len(text):
                raise OSError(errno.ENOSPC, f"only {written} of {len(text)} bytes reached {self._path}")
            os.fsync(file)
        finally:
            os.close(file)
        self._sync_folder()

    def _torn(self) -> bool:
        if not self._path.exists() or self._path.stat().st_size == 0:
            return False
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"

    def _sync_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
