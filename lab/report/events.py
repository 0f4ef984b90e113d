"""Each kind of event of the history in words: one short line that a person reads."""

from collections.abc import Callable

from lab.core.history import Event
from lab.report.words import number, short_node

_UNITS = (("_ms", "ms"), ("_bytes", "B"), ("_bytes_max", "B"), ("_per_s", "per s"), ("_s", "s"), ("_cores", "cores"), ("_ratio", "share"))
"""Ending of a series' name -> its unit. The longest ending that fits counts."""

_READY = {"True": "became Ready", "False": "became NotReady", "Unknown": "was lost: Ready became Unknown"}


def unit_of(series: str) -> str:
    """The unit that a series' name ends with; empty for a plain count."""
    fitting = [(len(ending), unit) for ending, unit in _UNITS if series.endswith(ending)]
    return max(fitting, default=(0, ""))[1]


def told(event: Event) -> str:
    """What happened, without when."""
    tell = _TOLD.get(event.kind)
    return tell(event) if tell else event.kind


def _node(event: Event) -> str:
    return f"node {short_node(event['node'])} {_READY.get(event['ready'], event['ready'])}"


def _pod(event: Event) -> str:
    place = f" on {short_node(event['node'])}" if event.get("node") else ""
    reason = f" ({event['reason']})" if event.get("reason") else ""
    return f"pod {event['pod']}{place}: {event['change']}{reason}"


def _sample(event: Event) -> str:
    target = short_node(str(event["target"]))
    if event["value"] is None:
        return f"{event['series']} of {target}: no value ({event.get('reason') or 'no reason given'})"
    return f"{event['series']} of {target}: {number(event['value'], unit_of(event['series']))}"


def _kube_event(event: Event) -> str:
    return f"Kubernetes about {event['object']}: {event['reason']}, {event['message']}"


def _fault(event: Event) -> str:
    return f"fault {event['fault']} on {event['target']}: {event['change']}"


def _locust(event: Event) -> str:
    return f"load generator: {event.get('profile', 'load')} {'starts' if event['change'] == 'start' else 'stops'}"


def _run(event: Event) -> str:
    return f"the run: {event.get('command') or event['experiment']['name']}"


_TOLD: dict[str, Callable[[Event], str]] = {
    "run": _run,
    "phase": lambda event: f"phase {event['phase']} {'begins' if event['state'] == 'begin' else 'ends'}",
    "step": lambda event: f"timeline step {event['step']} {'begins' if event['state'] == 'begin' else 'ends'}",
    "fault": _fault,
    "sample": _sample,
    "node": _node,
    "pod": _pod,
    "kube_event": _kube_event,
    "member_change": lambda event: f"gossip member {event['member']}: {event['state']}",
    "locust": _locust,
    "accounting": lambda event: f"log lines counted: {event['delivered']:,} of {event['written']:,} delivered",
    "lab": lambda event: f"the lab's own cost: {event['samples']:,} samples",
    "end": lambda event: f"the run {event['status']}{': ' if event.get('reason') else ''}{event.get('reason') or ''}",
}
