"""What the watch said of each node, as stretches of time: used by link 3 and by the report's strips."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.core.history import History

NAMED_MAX = 10
"""Nodes that a sentence names. Chosen: all of the lab's seven; a simulated cluster has thousands."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A node was in one state (True, False, Unknown) from `begin_s` to `end_s`."""

    begin_s: float
    end_s: float
    ready: str


def stretches(history: History, end_s: float) -> dict[str, list[Stretch]]:
    """Per node, in name order, its states up to `end_s`; equal neighbours are one stretch."""
    changes: dict[str, list[tuple[float, str]]] = {}
    for event in history.of("node"):
        known = changes.setdefault(event["node"], [])
        if event.at_s < end_s and (not known or known[-1][1] != event["ready"]):
            known.append((event.at_s, event["ready"]))
    return {node: _join(known, end_s) for node, known in sorted(changes.items())}


def named(nodes: Sequence[str]) -> str:
    """Their names in words; of very many the first, and how many more."""
    more = len(nodes) - NAMED_MAX
    return ", ".join([*nodes[:NAMED_MAX], *([f"and {more:,} more"] if more > 0 else [])])


def _join(changes: list[tuple[float, str]], end_s: float) -> list[Stretch]:
    ends = [at_s for at_s, _ in changes[1:]] + [end_s]
    return [Stretch(begin_s, until_s, ready) for (begin_s, ready), until_s in zip(changes, ends, strict=True)]
