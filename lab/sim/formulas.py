"""Closed formulas of memberlist, serf and SWIM: what the simulator's tables are made of, and what it is held against."""

import math

from lab.sim.constants import COMPOUND_HEADER_BYTES, COMPOUND_MESSAGE_BYTES, UDP_BUFFER_BYTES


def suspicion_timeout_ms(members: int, interval_ms: int, mult: int) -> int:
    """Shortest time a member stays suspect before it is declared dead.

    The scale is cut to thousandths before it is multiplied, as the code does.

    Args:
        members: length of the member's list, the dead that it remembers included.
        interval_ms: between two probes.
        mult: higher forgives slow members and detects death later.

    Raises:
        ValueError: negative members, or an interval or multiplier below 1.

    Source: memberlist util.go:70 suspicionTimeout at 1b4c746. The comment in config.go says log(N+1); the code is log10(N), at least 1.
    """
    if members < 0 or interval_ms < 1 or mult < 1:
        raise ValueError(f"suspicion of {members} members, interval {interval_ms} ms, multiplier {mult}")
    scale = max(1.0, math.log10(max(1.0, float(members))))
    return mult * int(scale * 1000) * interval_ms // 1000


def retransmit_limit(members: int, mult: int) -> int:
    """How often one member sends one message.

    Source: memberlist util.go:78 retransmitLimit.
    """
    return mult * math.ceil(math.log10(members + 1))


def push_pull_interval_ms(members: int, interval_ms: int) -> int:
    """Time between two push/pulls of one member.

    Source: memberlist util.go:95 pushPullScale.
    """
    if members <= 32:
        return interval_ms
    return (math.ceil(math.log2(members) - math.log2(32)) + 1) * interval_ms


def confirmations_wanted(members: int, mult: int) -> int:
    """Independent confirmations that drive a suspicion to its minimum; 0 when the pool is too small to give them.

    Source: memberlist state.go:1210 suspectNode: k = mult - 2, and 0 if n - 2 < k.
    """
    wanted = mult - 2
    return 0 if members - 2 < wanted else wanted


def suspicion_after_ms(confirmations: int, wanted: int, min_ms: int, max_ms: int) -> int:
    """Whole length of a suspicion once it has `confirmations`; never below `min_ms`.

    Source: memberlist suspicion.go:89 remainingSuspicionTime; with `wanted` 0 the timer starts at the minimum (newSuspicion).
    """
    if wanted < 1:
        return min_ms
    share = math.log(confirmations + 1.0) / math.log(wanted + 1.0)
    raw_s = max_ms / 1000 - share * (max_ms - min_ms) / 1000
    return max(min_ms, math.floor(1000 * raw_s))


def health_score(score: int, delta: int, scale_max: int) -> int:
    """The awareness after `delta`, kept in 0 .. scale_max - 1.

    Source: memberlist awareness.go:32 ApplyDelta.
    """
    return min(scale_max - 1, max(0, score + delta))


def messages_per_packet(message_bytes: int, packet_bytes: int = UDP_BUFFER_BYTES) -> int:
    """Messages of one size that fit one gossip packet.

    Source: memberlist queue.go GetBroadcasts: each costs its length and an overhead of 2.
    """
    return (packet_bytes - COMPOUND_HEADER_BYTES) // (message_bytes + COMPOUND_MESSAGE_BYTES)


def capacity_per_s(members: int, message_bytes: int, packets_per_s: float, mult: int = 4) -> float:
    """Distinct updates per second that a pool spreads in full: packets/s x messages/packet / transmissions of each message.

    Derived: every member must send every update `retransmit_limit` times. Independent of the size but for the logarithm.
    """
    return packets_per_s * messages_per_packet(message_bytes) / retransmit_limit(members, mult)


def coverage(transmissions: float) -> float:
    """Share of a large pool that a rumour reaches when each carrier sends it `transmissions` times to random members.

    The root of z = 1 - exp(-T z) above 0, found by iteration; 0 for T up to 1. Derived: final size of a branching process. It takes T as given; in an
    overloaded pool T itself depends on the coverage, see `coverage_at_load`.
    """
    share = 1.0
    for _ in range(10_000):
        following = 1 - math.exp(-transmissions * share)
        if abs(following - share) < 1e-12:
            break
        share = following
    return share if transmissions > 1 else 0.0


def coverage_at_load(messages_per_s: float, updates_per_s: float) -> float:
    """Share of a large pool that an update reaches when members send all the messages they can: 1 - exp(-c / u).

    Derived: a member carries only what it heard, z u of u updates per second, and so sends each c / (z u) times; with that for T,
    z = 1 - exp(-T z) is 1 - exp(-c / u). There is no load at which coverage collapses to nothing: fewer carriers have more room for each rumour.

    Args:
        messages_per_s: c, messages that one member can send.
        updates_per_s: u, distinct updates of the pool.
    """
    return 1 - math.exp(-messages_per_s / updates_per_s)


def first_detection_periods() -> float:
    """Mean periods until some member first probes a dead one: e / (e - 1) = 1.58, whatever the size of the pool.

    Source: SWIM (DSN 2002) section 3; each period a given member is probed by someone with probability 1 - 1/e.
    """
    return math.e / (math.e - 1)
