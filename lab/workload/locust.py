"""Locust as a process of its own: the users' requests and the flood.

`lab` never imports `locust`, which patches the whole process. Locust ends by itself after its duration, when told to, and when we are gone.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from lab.adapters.leashed import Leashed
from lab.core.errors import Refused
from lab.core.experiment import Workload
from lab.core.paths import project

Profile = Literal["steady", "flood"]

HOSTS = {"pods": "http://127.0.0.1:18080", "balancer": "http://127.0.0.1:18090"}
"""By `workload.through`: the app's NodePort, or the load balancer (kind-config.yaml)."""

GRACE_S = 5.0
"""Chosen: Locust ends within 0.5 s of SIGTERM on a free machine; then SIGKILL. More would hold up a heal."""


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """What to ask, how often, and where to write it down.

    Args:
        csv: raw lines are appended here: at_s, epoch_s, profile, name, latency_ms, status, error.
        requests_per_s: page requests over all pods, in both profiles.
        flood_lines_per_s: log lines asked for over all pods, in the flood.
        zero_s: monotonic clock at the start of the run; `at_s` counts from there.
        host: URL that stands for all pods, one of `HOSTS`.
        lines_each: log lines per flood request. Chosen 200: fewer and larger requests hit the pods unevenly, more of them cost CPU.
    """

    csv: Path
    requests_per_s: float
    flood_lines_per_s: float
    zero_s: float
    host: str = HOSTS["pods"]
    lines_each: int = 200

    @classmethod
    def of(cls, workload: Workload, folder: Path, zero_s: float) -> "LoadSettings":
        """As an experiment's workload asks for it, the raw lines into `folder`."""
        return cls(folder / "locust.csv", workload.requests_per_s, workload.flood_lines_per_s, zero_s, HOSTS[workload.through])


class Load:
    """At most one Locust at a time."""

    def __init__(self, settings: LoadSettings) -> None:
        self._settings = settings
        self._running: Leashed | None = None

    @property
    def pid(self) -> int | None:
        """Process id, and process group, of the Locust that was started last; None when none is held."""
        return self._running.pid if self._running else None

    def start(self, profile: str, duration_s: float) -> None:
        """Start `profile` for `duration_s`; one that runs is ended first.

        Raises:
            Refused: no such profile.
            Unavailable: Locust cannot be started.
        """
        if profile not in get_args(Profile):
            raise Refused(f"start the load profile {profile!r}", "no such profile", f"known: {', '.join(get_args(Profile))}")
        self.stop()
        self._running = Leashed(
            argv(profile, self._settings.host),
            log=self._settings.csv.with_suffix(".log"),
            env=environment(self._settings, duration_s),
            leash_variable="LOAD_LEASH_FD",
        )

    def stop(self) -> None:
        """End Locust and wait for it, at most twice `GRACE_S`; fine if none runs."""
        if self._running:
            self._running.end(GRACE_S)
            self._running = None

    def unanswered(self) -> str:
        """What is seen so far; empty once a request was answered well."""
        try:
            with self._settings.csv.open(encoding="utf-8", newline="") as lines:
                answers = [row["status"] for row in csv.DictReader(lines)]
        except FileNotFoundError:
            return "no request yet"
        return "" if "200" in answers else f"{len(answers)} requests, none of them answered well"

    def problem(self) -> str | None:
        """Why Locust ended before its time, in its own words; None while all is well."""
        if self._running is None or not self._running.code:
            return None
        return f"Locust ended with exit code {self._running.code}: {self._running.tail()}"


def argv(profile: str, host: str) -> list[str]:
    """The command. Failed requests are a finding, not an error of Locust's; its own tables are not wanted."""
    file = str(project() / "loadtests" / f"{profile}.py")
    options = ["--headless", "--only-summary", "--loglevel", "WARNING", "--exit-code-on-error", "0", "--stop-timeout", "0"]
    return [sys.executable, "-m", "locust", "-f", file, "--host", host, *options]


def environment(settings: LoadSettings, duration_s: float) -> dict[str, str]:
    """The settings as loadtests/shared.py reads them."""
    return {
        "LOAD_CSV": str(settings.csv),
        "LOAD_REQUESTS": f"{settings.requests_per_s:g}",
        "LOAD_LINES": f"{settings.flood_lines_per_s:g}",
        "LOAD_LINES_EACH": str(settings.lines_each),
        "LOAD_DURATION_S": f"{duration_s:g}",
        "LOAD_ZERO_S": f"{settings.zero_s:.6f}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
