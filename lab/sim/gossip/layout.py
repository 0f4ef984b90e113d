"""The inputs of a pool, and its arrays at the beginning."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.sim import formulas
from lab.sim.constants import (
    COMPOUND_HEADER_BYTES,
    FROM_2018_08_08,
    HANDOFF_DEPTH,
    INDIRECT_NODES_MAX,
    LAN,
    TIMEOUT_SCALE_MAX,
    UDP_BUFFER_BYTES,
    Dials,
    Lifeguard,
    Machine,
    Profile,
    Wire,
)
from lab.sim.gossip import state
from lab.sim.gossip.state import NONE, Pool
from lab.sim.gossip.wheel import OWN_TIMERS

INBOX_ROWS = 1024
"""Messages a socket holds at most. Chosen: 212,992 bytes of packets as the kernel accounts them hold fewer than this, unless all are full."""
RUMOURS = 1 << 22
"""Rumours on their way to the rows at once. Chosen: some millions are in the storm of one pool of 41,000 members; memory is taken as they are made, 32 bytes each."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a pool goes by.

    Args:
        dials: timing.
        lifeguard: which parts of Lifeguard are on.
        profile: version of memberlist.
        wire: sizes of messages.
        machine: speed of an agent.
        loss: share of packets lost on the way, in [0, 1).
    """

    dials: Dials = LAN
    lifeguard: Lifeguard = field(default_factory=Lifeguard)
    profile: Profile = FROM_2018_08_08
    wire: Wire = field(default_factory=Wire)
    machine: Machine = field(default_factory=Machine)
    loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Action:
    """One thing done to one member.

    Args:
        at_ms: when.
        action: START, KILL ... of script.py.
        member: to whom.
        argument: see script.py.
    """

    at_ms: int
    action: int
    member: int
    argument: int = 0


Actions = Iterable[Action] | NDArray[np.int64]
"""Actions, or (S, 4) int64 with the same columns: a second of a large pool has tens of thousands of them."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a pool may hold.

    Args:
        members: that run from the start and know each other.
        names: processes that will ever run, the first `members` included.
        samples: seconds that are sampled.
        notes: lines the observers may write; what does not fit is counted.
        times: names of the whole pool that each name stands for, see thinned.py.
    """

    members: int
    names: int
    samples: int
    notes: int = 0
    times: int = 1


def script_of(actions: Actions) -> NDArray[np.int64]:
    """(S, 4) ms, action, member, argument; by time, in the order given within a millisecond."""
    if isinstance(actions, np.ndarray):
        return actions[np.argsort(actions[:, 0], kind="stable")].astype(np.int64)
    rows = [(each.at_ms, each.action, each.member, each.argument) for each in sorted(actions, key=lambda each: each.at_ms)]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def allocate(size: Size, rules: Rules, chance: np.random.Generator, followed: NDArray[np.int64] | None, actions: NDArray[np.int64]) -> Pool:
    """A pool in which nobody runs yet.

    Args:
        size: how much it holds.
        rules: what it goes by.
        chance: where its random numbers come from.
        followed: (R,) the members that have rows, NONE for an empty row; None: each name has the row of its number.
        actions: (S, 4) by time.
    """
    total = size.names
    rows = total if followed is None else len(followed)
    seed = chance.integers(0, 2**63, dtype=np.uint64)
    by_gossip_ms, gossip_starts = _phases(rows, rules.dials.gossip_interval_ms, chance)
    by_probe_ms, probe_starts = _phases(rows, rules.dials.probe_interval_ms, chance)
    wanted = max(0, rules.dials.suspicion_mult - 2) if rules.lifeguard.suspicion else 0
    follows = np.arange(total, dtype=np.int64) if followed is None else followed
    return Pool(
        **_of_pairs(rows, total, wanted, sampled=followed is not None),
        **_of_rows(follows),
        **_of_members(total, follows),
        **_of_sample(total, rules, sampled=followed is not None),
        packets=np.zeros((2, state.ROWS, 6), np.int64),
        packet_n=np.zeros(2, np.int64),
        news=np.zeros((2, state.ROWS), np.int64),
        chosen=np.zeros(state.CHOSEN_MAX, np.int64),
        slots=np.full(state.WHEEL_MS, NONE, np.int32),
        tables=_tables(total, size.times, rules, wanted),
        snapshot=np.zeros((2, total, 2), np.int64),
        by_gossip_ms=by_gossip_ms,
        by_probe_ms=by_probe_ms,
        gossip_starts=gossip_starts,
        probe_starts=probe_starts,
        script=actions,
        log=np.zeros((size.notes, 5), np.int64),
        samples=np.zeros((size.samples, 1 + len(state.SAMPLES)), np.float64),
        clock=np.zeros(state.CLOCK, np.int64),
        chance=np.array([seed], np.uint64),
        setting=_setting(size, rules, wanted, rows, sampled=followed is not None),
    )


def _of_pairs(rows: int, total: int, wanted: int, *, sampled: bool) -> dict[str, NDArray[Any]]:
    """What grows with rows times names. Zeros, so that the memory of what is never touched is never taken."""
    pairs = rows * total
    others = OWN_TIMERS * rows + (2 * total if sampled else 0)
    timers = np.zeros(others + (RUMOURS if sampled else 0) + pairs, state.TIMER)
    timers["due_ms"][:others] = NONE
    return {
        "heard": _on_lines(pairs, np.int32).reshape(rows, total),
        "pairs": np.zeros((rows, total), state.PAIR),
        "order": np.zeros((rows, total), np.int32),
        "queued": _on_lines(pairs + state.BLOCK * rows, state.QUEUED),
        "suspicions": _on_lines(pairs * (state.ACCUSERS + wanted + 1), np.int32).reshape(pairs, -1),
        "timers": timers,
    }


def _on_lines(count: int, kind: Any) -> NDArray[Any]:
    """(count,) zeros that begin on a line of the processor's cache, 64 bytes."""
    kind = np.dtype(kind)
    room = np.zeros(count * kind.itemsize + 64, np.uint8)
    begin = -room.ctypes.data % 64
    return room[begin : begin + count * kind.itemsize].view(kind)


def _of_rows(follows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """What each followed process has one of."""
    rows = len(follows)
    owners = _on_lines(rows, state.ROW)
    owners["partner"] = NONE
    return {
        "rows": owners,
        "follows": follows,
        "ends": np.full((rows, state.LEVELS, 2, 3), NONE, np.int32),
        "relays": np.zeros((rows, INDIRECT_NODES_MAX), state.RELAY),
        "inbox": np.zeros((rows, INBOX_ROWS, 6), np.int32),
        "handoff": np.zeros((rows, 2, HANDOFF_DEPTH, 4), np.int32),
        "busy": np.zeros(rows, np.int64),
        "counts": np.zeros((rows, len(state.COUNTS)), np.int64),
        "flushed": np.zeros((rows, len(state.COUNTS)), np.int64),
    }


def _of_members(total: int, follows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """What each name has one of."""
    names = np.zeros(total, state.NAME)
    for moment in ("ended_ms", "first_suspected_ms", "first_failed_ms", "all_failed_ms"):
        names[moment] = NONE
    members = _on_lines(total, state.MEMBER)
    for absent in ("home", "row", "hindered_ms", "ear"):
        members[absent] = NONE
    members["accepts"] = 1
    taken = follows != NONE
    members["row"][follows[taken]] = np.flatnonzero(taken)
    return {"members": members, "names": names, "sums": np.zeros((2, len(state.COUNTS)), np.float64)}


def _of_sample(total: int, rules: Rules, *, sampled: bool) -> dict[str, NDArray[Any]]:
    """What only a sampled pool needs; empty otherwise."""
    names = total if sampled else 0
    pace = np.ones((state.TONGUES, state.PACES), np.float64)
    pace[:, state.PROBES_PER_S] = 1000 / rules.dials.probe_interval_ms
    return {
        "groups": np.zeros((state.GROUPS, 2), np.int64),
        "tongues": np.zeros((state.TONGUES, 4), np.int64),
        "held": np.zeros((names, state.GROUPS, 3), np.int16),
        "rumours": np.zeros((RUMOURS if sampled else 0, 5), np.int32),
        "watch": np.zeros(names, np.int64),
        "pace": pace,
    }


def _phases(total: int, interval_ms: int, chance: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Members by a random phase of their ticker, and where each phase begins."""
    phases = chance.integers(0, interval_ms, total)
    order = np.argsort(phases, kind="stable").astype(np.int64)
    return order, np.searchsorted(phases[order], np.arange(interval_ms + 1)).astype(np.int64)


def _tables(total: int, times: int, rules: Rules, wanted: int) -> NDArray[np.int64]:
    """The formulas by list length, (M + 1, 3 + wanted + 1) int64; the whole list is as long as one name and `times` of each of the others.

    None of them falls as the list grows: what is the same at both ends of a span is the same within it, so a million lengths take few evaluations.
    """
    table = np.zeros((total + 1, 4 + wanted), np.int64)
    spans = [(0, total)]
    while spans:
        low, high = spans.pop()
        table[low], table[high] = (_table_line(1 + times * (each - 1) if each else 0, rules.dials, wanted) for each in (low, high))
        if (table[low] == table[high]).all():
            table[low:high] = table[low]
        elif high - low > 1:
            spans += [(low, (low + high) // 2), ((low + high) // 2, high)]
    return table


def _table_line(members: int, dials: Dials, wanted: int) -> list[int]:
    shortest_ms = formulas.suspicion_timeout_ms(members, dials.probe_interval_ms, dials.suspicion_mult)
    longest_ms = dials.suspicion_max_mult * shortest_ms
    needed = wanted if members - 2 >= wanted else 0
    return [
        shortest_ms,
        formulas.retransmit_limit(members, dials.retransmit_mult),
        formulas.push_pull_interval_ms(members, dials.push_pull_ms),
        *(formulas.suspicion_after_ms(count, needed, shortest_ms, longest_ms) for count in range(wanted + 1)),
    ]


def _setting(size: Size, rules: Rules, wanted: int, rows: int, *, sampled: bool) -> NDArray[np.void]:
    joins_from, names = OWN_TIMERS * rows, size.names if sampled else 0
    known: dict[str, float] = {"sampled": sampled, "joins_from": joins_from, "wakes_from": joins_from + names}
    known |= {"rumours_from": joins_from + 2 * names, "suspicions_from": joins_from + 2 * names + (RUMOURS if sampled else 0)}
    for part in (rules.dials, rules.profile, rules.wire, rules.machine):
        known |= {name: getattr(part, name) for name in part.__dataclass_fields__}
    known |= {"probe_lha": rules.lifeguard.probe, "suspicion_lha": rules.lifeguard.suspicion, "buddy": rules.lifeguard.buddy}
    known |= {"packet_room": UDP_BUFFER_BYTES - COMPOUND_HEADER_BYTES, "wanted": wanted, "scale_max": TIMEOUT_SCALE_MAX}
    known |= {"handoff_depth": max(1, HANDOFF_DEPTH // size.times), "loss": rules.loss, "times": size.times}
    setting = np.zeros(1, state.SETTING)
    for name in state.SETTING.names or ():
        setting[name] = known[name]
    return setting
