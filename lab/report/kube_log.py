"""Kubernetes' own words about a run: the rows of the log beside the nodes' strips, and a mark on the strip of the node each is about."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.core.history import Event, History
from lab.report.chain import Axis
from lab.report.words import short_node

ROWS_MAX = 1000
"""Chosen: a quarter of a megabyte of page; the watch tells up to 10 events a second, so a long storm is cut, and the page says so."""
MESSAGE_MAX = 160
"""Characters. Chosen: two lines on a screen."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event. `node` is the short name of the node it is about, empty where that is not known."""

    seq: int
    at_s: float
    reason: str
    about: str
    node: str
    message: str


def rows(history: History, time: Axis) -> list[Row]:
    """Kubernetes' events within the watch, in the order of time."""
    return [_row(event, node) for event, node in _with_nodes(history) if time.begin_s <= event.at_s <= time.end_s]


def marks(told: list[Row], time: Axis) -> dict[str, list[tuple[float, str]]]:
    """Per node (short name), where on the axis something was said about it, and what; what falls within a quarter of a percent is one mark."""
    found: dict[str, dict[float, list[str]]] = {}
    for row in told:
        if row.node:
            found.setdefault(row.node, {}).setdefault(round(4 * time.at(row.at_s)) / 4, []).append(f"{row.reason} {row.about}")
    return {node: [(x, _together(said)) for x, said in sorted(places.items())] for node, places in found.items()}


def _together(said: list[str]) -> str:
    return said[0] if len(said) == 1 else f"{said[0]} and {len(said) - 1} more"


def _with_nodes(history: History) -> Iterator[tuple[Event, str]]:
    """Each event with its node: the node itself, or the one that the pod was last seen on."""
    node_of: dict[str, str] = {}
    for event in history.events:
        if event.kind == "pod" and event.get("node"):
            node_of[event["pod"]] = event["node"]
        elif event.kind == "kube_event":
            kind, _, name = str(event["object"]).partition("/")
            yield event, name if kind == "Node" else node_of.get(name, "")


def _row(event: Event, node: str) -> Row:
    kind, _, name = str(event["object"]).partition("/")
    message = str(event["message"]).replace("\n", " ")
    short = message if len(message) <= MESSAGE_MAX else message[: MESSAGE_MAX - 4].rstrip() + " ..."
    return Row(event.seq, event.at_s, event["reason"], f"{kind} {short_node(name)}", short_node(node), short)
