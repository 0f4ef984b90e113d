"""A gossip pool to be run: rules and members in, counts, samples and notes of observers out."""

from collections.abc import Iterable, Sequence
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
from lab.sim.gossip.handle import handle
from lab.sim.gossip.loop import run_until
from lab.sim.gossip.script import acquaint
from lab.sim.gossip.state import NONE, Pool
from lab.sim.gossip.wheel import OWN_TIMERS

NAMES_MAX = 32_767
"""Names are numbered in 16 bits."""
INBOX_ROWS = 1024
"""Messages a socket holds at most. Chosen: 212,992 bytes of packets as the kernel accounts them hold fewer than this, unless all are full."""


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


@dataclass(frozen=True, slots=True)
class Size:
    """How much a pool may hold.

    Args:
        members: that run from the start and know each other.
        names: processes that will ever run, the first `members` included.
        samples: seconds that are sampled.
        notes: lines the observers may write; what does not fit is counted.
    """

    members: int
    names: int
    samples: int
    notes: int = 0


class GossipPool:
    """A pool of members that know each other at time 0.

    Args:
        size: how many members, names, samples and notes.
        rules: what it goes by.
        chance: where its random numbers come from; one draw is taken.
        actions: what is done to members, in any order.
        observers: members whose notes are kept.

    Raises:
        ValueError: more names than 32,767, fewer names than members, or rules that the arrays cannot hold.
    """

    def __init__(
        self, size: Size, rules: Rules, chance: np.random.Generator, actions: Iterable[Action] = (), observers: Sequence[int] = ()
    ) -> None:
        _check(size, rules)
        self.size, self.rules = size, rules
        self._pool = _allocate(size, rules, chance, _script(actions))
        for observer in observers:
            self._pool.members[observer]["observer"] = 1
        self._handle = handle(self._pool)
        acquaint(self._handle, size.members)

    def run(self, until_s: float) -> None:
        """Go on to `until_s` of simulated time."""
        run_until(self._handle, round(until_s * 1000))

    def add(self, actions: Iterable[Action]) -> None:
        """More to be done, at or after the pool's time; what was planned before and is not done yet stays."""
        rest = self._pool.script[self._pool.clock[state.SCRIPT_AT] :]
        rows = np.concatenate([rest, _script(actions)])
        self._pool = self._pool._replace(script=rows[np.argsort(rows[:, 0], kind="stable")])
        self._pool.clock[state.SCRIPT_AT] = 0
        self._handle = handle(self._pool)

    def mark_anomalous(self, members: Sequence[int]) -> None:
        """Failures of these members are true, and what they note themselves is not counted as seen by the healthy."""
        self._pool.members["anomalous"][list(members)] = 1

    @property
    def arrays(self) -> Pool:
        """The state itself, for tests and for what is not offered here."""
        return self._pool

    @property
    def counts(self) -> NDArray[np.int64]:
        """(M, len(COUNTS)) what each member counted."""
        return self._pool.counts

    @property
    def samples(self) -> NDArray[np.float64]:
        """(T, 1 + len(SAMPLES)) seconds and sums over running members."""
        return self._pool.samples[: self._pool.clock[state.SAMPLED]]

    @property
    def notes(self) -> NDArray[np.int64]:
        """(L, 5) ms, observer, subject, event, own or gossiped; in order of time."""
        return self._pool.log[: self._pool.clock[state.LOG_N]]

    def total(self, count: str, members: NDArray[np.bool_] | None = None) -> int:
        """Sum of one count over all members, or over those of a mask."""
        column = self._pool.counts[:, state.COUNTS.index(count)]
        return int(column.sum() if members is None else column[members].sum())

    def detection_s(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(D,) seconds from each end of a process until its first failure was noted, and until nobody running held it alive; NaN: not yet."""
        names = self._pool.names
        ended = names[(names["ended_ms"] != NONE) & (names["left"] == 0)]
        first, last = (
            np.where(ended[of] == NONE, np.nan, ended[of] - ended["ended_ms"]) / 1000 for of in ("first_failed_ms", "all_failed_ms")
        )
        return first, last


def _check(size: Size, rules: Rules) -> None:
    if not 1 <= size.members <= size.names <= NAMES_MAX:
        raise ValueError(f"{size.members} members of {size.names} names; at most {NAMES_MAX} names")
    dials = rules.dials
    longest_ms = dials.suspicion_max_mult * formulas.suspicion_timeout_ms(size.names, dials.probe_interval_ms, dials.suspicion_mult)
    period_ms = formulas.push_pull_interval_ms(size.names, dials.push_pull_ms)
    if (
        max(longest_ms, period_ms + dials.push_pull_ms, dials.probe_interval_ms * TIMEOUT_SCALE_MAX) >= state.WHEEL_MS
        or dials.relays > INDIRECT_NODES_MAX
    ):
        raise ValueError(f"a suspicion of {longest_ms} ms or {dials.relays} relays do not fit the arrays")
    if formulas.retransmit_limit(size.names, dials.retransmit_mult) >= state.LEVELS:
        raise ValueError("too many transmissions for the queue's lists")
    if rules.wire.alive_bytes < rules.wire.accusation_bytes:
        raise ValueError("an alive message is at least as long as a suspicion: it carries more")


def _script(actions: Iterable[Action]) -> NDArray[np.int64]:
    rows = [(each.at_ms, each.action, each.member, each.argument) for each in sorted(actions, key=lambda each: each.at_ms)]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _allocate(size: Size, rules: Rules, chance: np.random.Generator, actions: NDArray[np.int64]) -> Pool:
    total, dials = size.names, rules.dials
    seed = chance.integers(0, 2**63, dtype=np.uint64)
    by_gossip_ms, gossip_starts = _phases(total, dials.gossip_interval_ms, chance)
    by_probe_ms, probe_starts = _phases(total, dials.probe_interval_ms, chance)
    wanted = max(0, dials.suspicion_mult - 2) if rules.lifeguard.suspicion else 0
    return Pool(
        **_of_pairs(total, wanted),
        **_of_members(total),
        packets=np.zeros((2, state.ROWS, 5), np.int64),
        packet_n=np.zeros(2, np.int64),
        slots=np.full(state.WHEEL_MS, NONE, np.int32),
        tables=_tables(total, rules, wanted),
        snapshot=np.zeros((2, total, 3), np.int64),
        by_gossip_ms=by_gossip_ms,
        by_probe_ms=by_probe_ms,
        gossip_starts=gossip_starts,
        probe_starts=probe_starts,
        script=actions,
        log=np.zeros((size.notes, 5), np.int64),
        samples=np.zeros((size.samples, 1 + len(state.SAMPLES)), np.float64),
        clock=np.zeros(8, np.int64),
        chance=np.array([seed], np.uint64),
        setting=_setting(rules, wanted),
    )


def _of_pairs(total: int, wanted: int) -> dict[str, NDArray[Any]]:
    """What grows with the square of the names."""
    timers = np.zeros(total * (total + OWN_TIMERS), state.TIMER)
    timers["due_ms"] = NONE
    queued = np.zeros((total, total), state.QUEUED)
    queued["level"] = NONE
    return {
        "pairs": np.zeros((total, total), state.PAIR),
        "queued": queued,
        "order": np.zeros((total, total), np.int16),
        "accusers": np.zeros((total, total, wanted + 1), np.int16),
        "timers": timers,
    }


def _of_members(total: int) -> dict[str, NDArray[Any]]:
    """What each name has one of."""
    names = np.zeros(total, state.NAME)
    for moment in ("ended_ms", "first_suspected_ms", "first_failed_ms", "all_failed_ms"):
        names[moment] = NONE
    members = np.zeros(total, state.MEMBER)
    members["partner"] = members["home"] = NONE
    members["accepts"] = 1
    return {
        "members": members,
        "names": names,
        "ends": np.full((total, state.LEVELS, 2, 2), NONE, np.int16),
        "relays": np.zeros((total, INDIRECT_NODES_MAX), state.RELAY),
        "inbox": np.zeros((total, INBOX_ROWS, 6), np.int32),
        "handoff": np.zeros((total, 2, HANDOFF_DEPTH, 4), np.int32),
        "busy": np.zeros(total, np.int64),
        "counts": np.zeros((total, len(state.COUNTS)), np.int64),
    }


def _phases(total: int, interval_ms: int, chance: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Members by a random phase of their ticker, and where each phase begins."""
    phases = chance.integers(0, interval_ms, total)
    order = np.argsort(phases, kind="stable").astype(np.int64)
    return order, np.searchsorted(phases[order], np.arange(interval_ms + 1)).astype(np.int64)


def _tables(total: int, rules: Rules, wanted: int) -> NDArray[np.int64]:
    """The formulas by list length, (M + 1, 3 + wanted + 1) int64."""
    dials = rules.dials
    table = np.zeros((total + 1, 4 + wanted), np.int64)
    for members in range(total + 1):
        shortest_ms = formulas.suspicion_timeout_ms(members, dials.probe_interval_ms, dials.suspicion_mult)
        longest_ms = dials.suspicion_max_mult * shortest_ms
        needed = wanted if members - 2 >= wanted else 0
        lengths = [formulas.suspicion_after_ms(count, needed, shortest_ms, longest_ms) for count in range(wanted + 1)]
        table[members] = [
            shortest_ms,
            formulas.retransmit_limit(members, dials.retransmit_mult),
            formulas.push_pull_interval_ms(members, dials.push_pull_ms),
            *lengths,
        ]
    return table


def _setting(rules: Rules, wanted: int) -> NDArray[np.void]:
    known: dict[str, float] = {}
    for part in (rules.dials, rules.profile, rules.wire, rules.machine):
        known |= {name: getattr(part, name) for name in part.__dataclass_fields__}
    known |= {"probe_lha": rules.lifeguard.probe, "suspicion_lha": rules.lifeguard.suspicion, "buddy": rules.lifeguard.buddy}
    known |= {"packet_room": UDP_BUFFER_BYTES - COMPOUND_HEADER_BYTES, "wanted": wanted, "scale_max": TIMEOUT_SCALE_MAX}
    known |= {"handoff_depth": HANDOFF_DEPTH, "loss": rules.loss}
    setting = np.zeros(1, state.SETTING)
    for name in state.SETTING.names or ():
        setting[name] = known[name]
    return setting
