"""The real lab for the cluster tests: brought up once, taken down by the last test, never by a fixture that a failure would skip."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

LAB = [sys.executable, "-m", "lab.cli"]


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    text: str


def lab(*arguments: str, timeout_s: float = 900) -> Answer:
    """Run the command line as a user would; its output is shown when a test fails."""
    ran = subprocess.run([*LAB, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s, check=False)
    print(f"$ lab {' '.join(arguments)}\n{ran.stdout}[exit {ran.returncode}]")
    return Answer(ran.returncode, ran.stdout)


def status() -> dict[str, list[str]]:
    """`lab status --json`."""
    return dict(json.loads(lab("status", "--json").text))


def verdict(run: Path) -> dict[str, object]:
    """The run's verdict.json."""
    return dict(json.loads((run / "verdict.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session", autouse=True)
def may_change_this_machine() -> None:
    """The lab needs root on Debian or a running engine; without either the reason is shown."""
    if os.geteuid() != 0 and not Path("/var/run/docker.sock").exists():
        pytest.skip("no container engine runs, and starting one takes root")


@pytest.fixture(scope="session")
def up() -> Callable[[], None]:
    """See to it that the lab is up."""

    def ensure() -> None:
        assert lab("up", timeout_s=3600).code == 0

    return ensure
