"""Whether a run may be judged at all: did it finish, did the fault bite, is every log line accounted for, did the lab keep out of the way."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from lab.checkers.requests import Request
from lab.checkers.result import Strict
from lab.checkers.watch import Watch
from lab.core.history import History

LATE_SHARE_MAX = 0.01
"""Late samples beyond this share are a warning, not a doubt: they are marked and still true (the issue's own figure)."""
CPU_CORES_MAX = 0.05
"""The lab's own processes, in cores on average (the issue's own figure); above it the lab may disturb what it measures."""


class Logs(Strict):
    """Where every log line went. `lost` = gone_with_pod + unaccounted; `delivered` counts distinct lines."""

    written: int
    delivered: int
    lost: int
    backlog: int
    gone_with_pod: int
    unaccounted: int
    duplicates: int


class LabCost(Strict):
    """What the lab itself used, and how many of its samples came late (more than 20 % off their interval)."""

    cpu_cores_mean: float | None
    samples: int
    samples_late: int
    late_share: float = Field(ge=0, le=1)


def logs(history: History) -> Logs | None:
    """The accounting event, None if there is none."""
    events = list(history.of("accounting"))
    if not events:
        return None
    number = {
        name: int(events[-1].get(name) or 0) for name in ("written", "delivered", "backlog", "gone_with_pod", "unaccounted", "duplicates")
    }
    return Logs(lost=number["gone_with_pod"] + number["unaccounted"], **number)


def lab_cost(history: History) -> LabCost:
    """From the `lab` event, else counted from the samples."""
    event = next(reversed(list(history.of("lab"))), None)
    samples = list(history.of("sample"))
    total = int(event["samples"]) if event and event.get("samples") is not None else len(samples)
    late = int(event["samples_late"]) if event and event.get("samples_late") is not None else sum(bool(s.get("late")) for s in samples)
    cpu = event.get("cpu_cores_mean") if event else None
    return LabCost(cpu_cores_mean=cpu, samples=total, samples_late=late, late_share=min(1.0, late / total) if total else 0.0)


def doubts(history: History, watch: Watch | None, requests: Sequence[Request] | None) -> list[str]:
    """Why the run cannot be judged, a sentence each; empty if it can."""
    reasons = [*_unfinished(history), *no_bite(history)]
    if watch is None:
        reasons.append("the steady phase never ended: nothing to compare with")
    if history.first("sample") is None:
        reasons.append("no samples were taken")
    if not requests:
        reasons.append("no user requests were recorded")
    return [*reasons, *_lines(logs(history))]


def no_bite(history: History) -> list[str]:
    """Faults and remedies that were asked for and never seen to bite: without a witness the experiment says nothing."""
    experiment = history.header["experiment"]
    faults = Counter(fault["fault"] for fault in experiment.get("faults", []))
    remedies = Counter(remedy["remedy"] for remedy in experiment.get("remedies", []))
    seen = Counter(event["fault"] for event in history.of("fault") if event["change"] == "witnessed")
    return [
        *(f"the fault {name} was not seen to bite" for name in sorted(faults - seen)),
        *(f"the remedy {name} was not seen to act" for name in sorted(remedies - seen)),
    ]


def warnings(cost: LabCost) -> list[str]:
    """What does not spoil the verdict and should be known."""
    found = []
    if cost.late_share > LATE_SHARE_MAX:
        found.append(f"{100 * cost.late_share:.1f} % of the samples came late ({cost.samples_late} of {cost.samples})")
    if cost.cpu_cores_mean is not None and cost.cpu_cores_mean > CPU_CORES_MAX:
        found.append(f"the lab itself used {100 * cost.cpu_cores_mean:.1f} % of one core")
    return found


def end(history: History) -> tuple[str, str]:
    """Status and reason of the last `end` event; interrupted if there is none."""
    event = next(reversed(list(history.of("end"))), None)
    known = {"completed", "aborted", "interrupted"}
    if event is None or event.get("status") not in known:
        return "interrupted", "the history has no end"
    return str(event["status"]), str(event.get("reason") or "")


def _unfinished(history: History) -> list[str]:
    status, reason = end(history)
    return [] if status == "completed" else [f"the run was {status}{': ' + reason if reason else ''}"]


def _lines(found: Logs | None) -> list[str]:
    if found is None:
        return ["the log lines were not accounted for"]
    reasons = []
    if found.unaccounted:
        reasons.append(f"{found.unaccounted:,} log lines are unaccounted for")
    balance: Any = found.written - found.delivered - found.backlog - found.gone_with_pod - found.unaccounted
    if balance:
        reasons.append(f"the log accounting does not add up by {balance:,} lines")
    return reasons
