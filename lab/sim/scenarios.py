"""Small runs of the pool with one question each; the validation table and the tests are made of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lab.sim.constants import LAN, SWIM, Lifeguard
from lab.sim.gossip import script
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size

PAPER_MEMBERS = 128
"""Source: Lifeguard (arXiv 1707.00788): 128 agents."""
PAPER_ALPHA = 5
"""Suspicion multiplier of the paper's tables; beta 6 is `suspicion_max_mult`."""
PAPER_RUN_S = 120.0
"""Length of one run. From memory of the paper ("about two minutes"), not verified."""
PAPER_START_S = 5.0
"""Chosen: anomalies begin when the first probes are under way."""

CONFIGURATIONS = {
    "SWIM": SWIM,
    "LHA-Probe": Lifeguard(probe=True, suspicion=False, buddy=False),
    "LHA-Suspicion": Lifeguard(probe=False, suspicion=True, buddy=False),
    "Buddy System": Lifeguard(probe=False, suspicion=False, buddy=True),
    "Lifeguard": Lifeguard(),
}
"""The rows of the paper's tables."""


def paper_rules(lifeguard: Lifeguard) -> Rules:
    """LAN timing with the paper's suspicion multiplier."""
    return Rules(dials=replace(LAN, suspicion_mult=PAPER_ALPHA), lifeguard=lifeguard)


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Members that are blocked again and again, all at the same time.

    Args:
        blocked_ms: length of a blocked window (the paper's D).
        free_ms: between two windows (the paper's I).
        members: how many at once (the paper's C).
    """

    blocked_ms: int
    free_ms: int
    members: int


def grid(blocked_ms: Sequence[int], free_ms: Sequence[int], members: Sequence[int]) -> list[Anomaly]:
    """Every combination."""
    return [Anomaly(blocked, free, count) for blocked in blocked_ms for free in free_ms for count in members]


@dataclass(frozen=True, slots=True)
class Tally:
    """What is compared of one or more runs. Sums.

    Args:
        false_positives: failures noted about healthy members, at any member.
        false_positives_healthy: of these, noted at healthy members.
        false_positives_own: of the first, noted because the member's own suspicion ran out, not because it was told.
        packets: UDP packets sent.
        packet_bytes: their bytes.
    """

    false_positives: int = 0
    false_positives_healthy: int = 0
    false_positives_own: int = 0
    packets: int = 0
    packet_bytes: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def windows(anomaly: Anomaly, until_s: float) -> Iterator[Action]:
    """The blocked windows of the first `anomaly.members` members."""
    period_ms = anomaly.blocked_ms + anomaly.free_ms
    for begin_ms in range(round(PAPER_START_S * 1000), round(until_s * 1000), period_ms):
        for member in range(anomaly.members):
            yield Action(begin_ms, script.BLOCK, member, begin_ms + anomaly.blocked_ms)


def interval_run(anomaly: Anomaly, lifeguard: Lifeguard, chance: np.random.Generator) -> Tally:
    """One run of the paper's interval experiment."""
    size = Size(members=PAPER_MEMBERS, names=PAPER_MEMBERS, samples=0)
    pool = GossipPool(size, paper_rules(lifeguard), chance, windows(anomaly, PAPER_RUN_S))
    anomalous = np.arange(PAPER_MEMBERS) < anomaly.members
    pool.mark_anomalous(range(anomaly.members))
    pool.run(PAPER_RUN_S)
    return Tally(
        pool.total("false_positives"),
        pool.total("false_positives", ~anomalous),
        pool.total("false_positives_own"),
        pool.total("packets"),
        pool.total("bytes"),
    )


def swim_rules() -> Rules:
    """SWIM as its paper ran it: period 2 s, one relay, news only on pings and acks. Source: DSN 2002 section 5."""
    dials = replace(LAN, probe_interval_ms=2000, probe_timeout_ms=500, relays=1, gossip_nodes=0, retransmit_mult=3)
    return Rules(dials=dials, lifeguard=SWIM)


def packets_per_period(members: int, periods: int, chance: np.random.Generator) -> NDArray[np.int64]:
    """(periods, members) packets sent by each member in each protocol period of a quiet pool."""
    pool = GossipPool(Size(members, members, 0), swim_rules(), chance)
    period_s = pool.rules.dials.probe_interval_ms / 1000
    sent = [pool.counts[:, 0].copy()]
    for period in range(1, periods + 1):
        pool.run(period * period_s)
        sent.append(pool.counts[:, 0].copy())
    totals = np.array(sent)
    return totals[1:] - totals[:-1]


def detection(members: int, rules: Rules, chance: np.random.Generator, watch_s: float) -> tuple[float, float, float]:
    """Seconds from the death of one member until it is first suspected, first held dead, and held dead by all; NaN where it is not."""
    at_s = 2.0 + float(chance.uniform(0, rules.dials.probe_interval_ms / 1000))
    actions = [Action(round(at_s * 1000), script.KILL, 0)]
    pool = GossipPool(Size(members, members, 0), rules, chance, actions)
    pool.run(at_s + watch_s)
    name = pool.arrays.names[0]
    moments = (int(name[of]) for of in ("first_suspected_ms", "first_failed_ms", "all_failed_ms"))
    first, failed, spread = (float("nan") if at_ms < 0 else at_ms / 1000 - at_s for at_ms in moments)
    return first, failed, spread


@dataclass(frozen=True, slots=True)
class Spread:
    """How well a pool keeps up with news.

    Args:
        coverage: share of (update, other member) pairs that were heard.
        queued_middle: messages queued per member half way.
        queued_end: and at the end.
    """

    coverage: float
    queued_middle: float
    queued_end: float


def news(members: int, updates_per_s: float, seconds: int, chance: np.random.Generator) -> Spread:
    """Members announce themselves anew in turn, `updates_per_s` in all; what do the others hear of it?"""
    count = round(updates_per_s * seconds)
    actions = [Action(round(1000 * number / updates_per_s), script.UPDATE, number % members) for number in range(count)]
    pool = GossipPool(Size(members, members, seconds), Rules(), chance, actions)
    pool.run(seconds)
    queued = pool.samples[:, 5] / members
    heard = pool.total("updates") / (count * (members - 1))
    return Spread(float(heard), float(queued[seconds // 2]), float(queued[-1]))


def exchanges_per_s(members: int, seconds: int, chance: np.random.Generator) -> float:
    """Push/pulls of a quiet pool, per second of simulated time."""
    pool = GossipPool(Size(members, members, 0), Rules(), chance)
    pool.run(seconds)
    return pool.total("exchanges") / seconds
