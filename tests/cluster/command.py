"""The command line as a user drives it, for the cluster tests."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LAB = [sys.executable, "-m", "lab.cli"]


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    text: str


def lab(*arguments: str, timeout_s: float = 900) -> Answer:
    """Run the command line as a user would; its output is shown when a test fails."""
    ran = subprocess.run([*LAB, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s, check=False)
    return Answer(ran.returncode, ran.stdout)


def status() -> dict[str, list[str]]:
    """`lab status --json`."""
    return dict(json.loads(lab("status", "--json").text))


def verdict(run: Path) -> dict[str, object]:
    """The run's verdict.json."""
    return dict(json.loads((run / "verdict.json").read_text(encoding="utf-8")))
