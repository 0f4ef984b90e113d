"""Users' requests, one raw line each, and their percentiles: computed here, from raw lines, since the load generator rounds its own."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import Field

from lab.checkers.result import Strict
from lab.checkers.series import percentile

COLUMNS = ("at_s", "profile", "name", "latency_ms", "status", "error")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `latency_ms` is None where there was no answer to time; `at_s` is as written (run clock or epoch)."""

    at_s: float
    profile: str
    name: str
    latency_ms: float | None
    failed: bool


class ProfileSummary(Strict):
    """Requests of one load profile. Percentiles (nearest rank) are over all that have a latency, failed ones too."""

    n: int
    failed: int
    latency_ms_p50: float | None
    latency_ms_p99: float | None


class RequestSummary(Strict):
    """All requests of a run, by profile."""

    n: int
    failed: int
    profiles: dict[str, ProfileSummary] = Field(default_factory=dict)


def parse(lines: Iterable[str]) -> list[Request]:
    """Requests of a CSV with the columns at_s, profile, name, latency_ms, status, error, in any order; a torn line is dropped."""
    requests: list[Request] = []
    rows = csv.reader(lines)
    heads = next(rows, [])
    at, profile, name, latency, status, error = (heads.index(head) if head in heads else len(heads) for head in COLUMNS)
    for cells in rows:
        if len(cells) < len(heads) or not cells:
            continue
        row = [*cells[: len(heads)], ""]
        try:
            at_s = float(row[at])
            latency_ms = float(row[latency]) if row[latency] else None
        except ValueError:
            continue
        failed = bool(row[error].strip()) or not _ok(row[status])
        requests.append(Request(at_s, row[profile] or "steady", row[name], latency_ms, failed))
    return requests


def summary(requests: Sequence[Request]) -> RequestSummary:
    """Counts and percentiles by profile."""
    by_profile: dict[str, list[Request]] = {}
    for request in requests:
        by_profile.setdefault(request.profile, []).append(request)
    profiles = {profile: _of_profile(rows) for profile, rows in sorted(by_profile.items())}
    return RequestSummary(n=len(requests), failed=sum(request.failed for request in requests), profiles=profiles)


def _of_profile(rows: Sequence[Request]) -> ProfileSummary:
    latencies = [row.latency_ms for row in rows if row.latency_ms is not None]
    return ProfileSummary(
        n=len(rows),
        failed=sum(row.failed for row in rows),
        latency_ms_p50=percentile(latencies, 0.5) if latencies else None,
        latency_ms_p99=percentile(latencies, 0.99) if latencies else None,
    )


def _ok(status: str | None) -> bool:
    """An HTTP status below 400; where none was written, the error column alone decides."""
    text = (status or "").strip()
    if not text:
        return True
    try:
        return 0 < int(float(text)) < 400
    except ValueError:
        return text.lower() in {"ok", "success", "true"}
