"""A world for probes: a clock that is moved by hand, and parts that answer what they are told."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lab.core.errors import Unavailable


class HandClock:
    """Stands still until it is moved."""

    def __init__(self):
        self.at_s = 100.0

    def now_s(self):
        return self.at_s

    def sleep(self, seconds):
        self.at_s += max(0.0, seconds)

    def utc(self):
        return datetime(2019, 1, 15, tzinfo=UTC) + timedelta(seconds=self.at_s)


@dataclass
class Told:
    """An `emit` that keeps what it is given."""

    events: list = field(default_factory=list)

    def __call__(self, kind, fields):
        self.events.append((kind, fields))

    def of(self, kind, *names):
        return [tuple(fields[name] for name in names) for one, fields in self.events if one == kind]


@dataclass
class Seen:
    """What a watch says of itself."""

    problem: str | None = None


def silent(*_args, **_more):
    """A part that does not answer."""
    raise Unavailable("ask a silent part", "timed out after 2 s")


def values(readings):
    """Readings as {(series, target): value}."""
    return {(r.series, r.target): r.value for r in readings}


def reasons(readings):
    """Why each value is missing, as {(series, target): reason}."""
    return {(r.series, r.target): r.reason for r in readings}


def pod(name, node="n1", *, phase="Running", ready=True, terminating=False, disruption="", reason=""):
    """A pod as the API gives it."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    if disruption:
        conditions.append({"type": "DisruptionTarget", "status": "True", "reason": disruption})
    meta = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1"}
    if terminating:
        meta["deletionTimestamp"] = "2019-01-15T00:00:00Z"
    status = {"phase": phase, "conditions": conditions} | ({"reason": reason} if reason else {})
    return {"metadata": meta, "spec": {"nodeName": node}, "status": status}


def node(name, ready="True"):
    """A node as the API gives it."""
    return {"metadata": {"name": name, "resourceVersion": "1"}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}
