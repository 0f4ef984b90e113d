"""Reads the folder of a stored run: its history, and the verdict on it as it is judged today. Writes nothing."""

from pathlib import Path

from lab.checkers.judge import judge
from lab.checkers.requests import parse
from lab.checkers.verdict import Verdict
from lab.core.history import HISTORY_FILE, History

REQUESTS_FILES = ("locust.csv", "requests.csv")
"""Users' requests, one line each: as Locust wrote them, or as the simulator did."""


def read(folder: Path) -> tuple[History, Verdict]:
    """Both.

    Raises:
        Refused: it holds no history, or a broken one.
    """
    history = History.read(folder / HISTORY_FILE)
    raw = next((folder / name for name in REQUESTS_FILES if (folder / name).is_file()), None)
    return history, judge(history, parse(raw.read_text(encoding="utf-8").splitlines()) if raw else None)
