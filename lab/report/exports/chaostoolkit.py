"""Chaos Toolkit: the experiment as one that `chaos run` can carry out with the lab's own commands, and the journal of the run that was.

Its steady-state hypothesis is what can be asked at any time, before and after: no fault of the lab is open on this machine. The lab's own
hypothesis is in the description, and how it was judged is in the journal, as the output of the activity that ran it.
"""

import json
from typing import Any

from lab.core.history import Event
from lab.report.exports.stored import Files, Stored
from lab.report.sentence import what_happened

MARGIN_S = 600.0
"""Allowed beyond the phases, for setting up and healing. Chosen: a slow machine renews a worn cluster within it."""

_STATUS = {"completed": "completed", "aborted": "aborted", "interrupted": "interrupted"}


def chaostoolkit(run: Stored) -> Files:
    """`experiment.json`, `journal.json`, and the lab's own experiment file, which the first one names."""
    experiment = experiment_of(run)
    return {
        "experiment.json": _text(experiment),
        "journal.json": _text(journal_of(run, experiment)),
        file_name(run): _text(run.experiment),
    }


def file_name(run: Stored) -> str:
    """Of the lab's own experiment file. JSON is YAML, so the lab reads it."""
    return f"{run.verdict.experiment}.yaml"


def experiment_of(run: Stored) -> dict[str, Any]:
    """As Chaos Toolkit's open specification has it, version 1.0.0."""
    own = run.experiment
    phases_s = sum(float(own.get(name, 0)) for name in ("steady_s", "outage_s", "flood_s", "recovery_s"))
    return {
        "version": "1.0.0",
        "title": own["title"],
        "description": f"{own['hypothesis']} Carried out by the Cascade Lab; run it where {file_name(run)} lies.",
        "tags": ["cascade-lab", own["name"], *sorted({fault["fault"] for fault in own.get("faults", ())})],
        "steady-state-hypothesis": {"title": "No fault of the lab is open on this machine", "probes": [_nothing_open()]},
        "method": [_carried_out(run, phases_s + MARGIN_S)],
        "rollbacks": [_activity("action", "heal whatever is open", ["heal"], MARGIN_S)],
    }


def journal_of(run: Stored, experiment: dict[str, Any]) -> dict[str, Any]:
    """What `chaos run` would have written about this run. A simulated one is labelled so in its output."""
    whole = not _open_faults(run)
    begun, ended = run.started, run.utc(run.history.end_s)
    probe = experiment["steady-state-hypothesis"]["probes"][0]
    end_s = run.history.end_s
    before = {**_entry(run, probe, 0.0, 0.0, {"open_faults": []}), "tolerance_met": True}
    after = {**_entry(run, probe, end_s, end_s, {"open_faults": _open_faults(run)}), "tolerance_met": whole}
    states = {
        "before": {"steady_state_met": True, "probes": [before]},
        "after": {"steady_state_met": whole, "probes": [after]},
        "during": [],
    }
    told = {
        "status": _exit_code(run),
        "stdout": what_happened(run.history, run.verdict),
        "stderr": "",
        "verdict": run.verdict.verdict,
        "world": run.world,
    }
    entry = _entry(run, experiment["method"][0], 0.0, end_s, told)
    entry["status"] = "succeeded" if run.verdict.status == "completed" else "failed"
    return {
        "platform": str((run.history.header.get("host") or {}).get("kernel", "unknown")),
        "node": "cascade-lab",
        "experiment": experiment,
        "start": begun.isoformat(),
        "status": _STATUS[run.verdict.status],
        "deviated": not whole,
        "steady_states": states,
        "run": [entry],
        "rollbacks": [],
        "end": ended.isoformat(),
        "duration": round(run.history.end_s, 3),
    }


def _nothing_open() -> dict[str, Any]:
    probe = _activity("probe", "no fault is open", ["status", "--json"], 60.0)
    return {**probe, "tolerance": {"type": "regex", "pattern": '"open_faults":\\s*\\[\\]', "target": "stdout"}}


def _carried_out(run: Stored, timeout_s: float) -> dict[str, Any]:
    return _activity("action", f"run {run.verdict.experiment}", ["run", file_name(run)], timeout_s)


def _activity(kind: str, name: str, arguments: list[str], timeout_s: float) -> dict[str, Any]:
    provider = {"type": "process", "path": "lab", "arguments": " ".join(arguments), "timeout": int(timeout_s)}
    return {"type": kind, "name": name, "provider": provider}


def _entry(run: Stored, activity: dict[str, Any], begin_s: float, end_s: float, output: object) -> dict[str, Any]:
    return {
        "activity": activity,
        "output": output,
        "status": "succeeded",
        "start": run.utc(begin_s).isoformat(),
        "end": run.utc(end_s).isoformat(),
        "duration": round(end_s - begin_s, 3),
    }


def _open_faults(run: Stored) -> list[str]:
    changes: dict[str, Event] = {f"{event['fault']} on {event['target']}": event for event in run.history.of("fault")}
    return [name for name, event in changes.items() if event["change"] != "closed"]


def _exit_code(run: Stored) -> int:
    if run.verdict.status != "completed":
        return 4
    return 0 if run.verdict.as_expected else 3 if run.verdict.verdict == "unknown" else 1


def _text(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
