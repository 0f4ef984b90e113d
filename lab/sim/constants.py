"""Constants of memberlist and serf as values, each with its source line. Times are whole milliseconds: the simulator counts in them.

Sources are read at memberlist 1b4c746, serf a24f620 and consul 1332f72; "derived" means arithmetic shown here; "chosen" is ours.
"""

from dataclasses import dataclass

UDP_BUFFER_BYTES = 1400
"""Bytes of one packet. Source: memberlist config.go UDPBufferSize."""
COMPOUND_HEADER_BYTES = 2
"""Source: memberlist net.go compoundHeaderOverhead."""
COMPOUND_MESSAGE_BYTES = 2
"""Per message of a compound. Source: memberlist net.go compoundOverhead."""
COMPOUND_MESSAGES_MAX = 255
"""Source: memberlist net.go, the count of parts is one byte."""
ENCRYPTION_BYTES = 29
"""Per packet: version 1, nonce 12, tag 16. Source: memberlist security.go encryptOverhead."""
HANDOFF_DEPTH = 1024
"""Messages waiting between listener and handler. Source: memberlist config.go HandoffQueueDepth."""
PUSH_PULLS_MAX = 128
"""Concurrent push/pulls from 2018-08-08 on. Source: memberlist net.go maxPushPullRequests (PR #158)."""
INDIRECT_NODES_MAX = 4
"""Most relays the arrays hold; the largest default is 3."""
TIMEOUT_SCALE_MAX = 8
"""Health score 0..7. Source: memberlist config.go AwarenessMaxMultiplier."""


@dataclass(frozen=True, slots=True)
class Dials:
    """memberlist's and serf's timing, in ms unless the name says otherwise.

    Args:
        probe_interval_ms: between two probes; raising it detects death later and costs less.
        probe_timeout_ms: wait for a direct ack before relays are asked.
        relays: members asked for an indirect ping.
        suspicion_mult: raising it forgives slow members and detects death later.
        suspicion_max_mult: longest suspicion over shortest.
        retransmit_mult: raising it spreads surer and costs packets.
        gossip_interval_ms: between two gossip rounds.
        gossip_nodes: packets of a round.
        gossip_to_dead_ms: the dead get gossip for so long, and are remembered at least so long.
        push_pull_ms: between two push/pulls of a pool of up to 32; scaled above.
        tcp_timeout_ms: of a push/pull.
        nack_ms: a relay that got no ack says so after this time. Source: memberlist net.go handleIndirectPing waits ProbeTimeout.
        reconnect_ms: serf tries one failed member each. Source: serf config.go ReconnectInterval.
        reap_ms: serf looks for members to forget. Source: serf config.go ReapInterval.
        failed_kept_ms: Consul lists a failed member so long (72 h). Source: consul agent/consul/config.go.
        left_kept_ms: and one that left (24 h). Source: serf config.go TombstoneTimeout.
    """

    probe_interval_ms: int
    probe_timeout_ms: int
    relays: int
    suspicion_mult: int
    suspicion_max_mult: int
    retransmit_mult: int
    gossip_interval_ms: int
    gossip_nodes: int
    gossip_to_dead_ms: int
    push_pull_ms: int
    tcp_timeout_ms: int
    nack_ms: int
    reconnect_ms: int = 30_000
    reap_ms: int = 15_000
    failed_kept_ms: int = 72 * 3_600_000
    left_kept_ms: int = 24 * 3_600_000


LAN = Dials(1000, 500, 3, 4, 6, 4, 200, 3, 30_000, 30_000, 10_000, 500)
"""Source: memberlist config.go:302-341 DefaultLANConfig; Consul leaves it as it is."""
WAN = Dials(5000, 3000, 3, 6, 6, 4, 500, 4, 60_000, 60_000, 30_000, 3000)
"""Source: memberlist config.go DefaultWANConfig."""
LOCAL = Dials(1000, 200, 1, 3, 6, 2, 100, 3, 15_000, 15_000, 1000, 200)
"""Source: memberlist config.go DefaultLocalConfig."""


@dataclass(frozen=True, slots=True)
class Lifeguard:
    """The three parts of Lifeguard, each alone (arXiv 1707.00788); all off is SWIM as memberlist had it before.

    Args:
        probe: LHA-Probe: probe interval scaled by the health score, nacks.
        suspicion: LHA-Suspicion: suspicion starts at its maximum and shrinks with confirmations; without it, the minimum at once.
        buddy: a ping to a member that is not alive carries the suspicion.
    """

    probe: bool = True
    suspicion: bool = True
    buddy: bool = True


SWIM = Lifeguard(probe=False, suspicion=False, buddy=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs between versions of memberlist.

    Args:
        alive_first: hand-off in two last-in-first-out lists, alive messages first; otherwise one queue in order of arrival.
        push_pulls_max: concurrent push/pulls a member serves; 0 is no limit.
        left_state: a member that left is known as such in memberlist; otherwise as dead.
    """

    alive_first: bool
    push_pulls_max: int
    left_state: bool


UP_TO_2018_08_07 = Profile(alive_first=False, push_pulls_max=0, left_state=False)
"""Consul up to 1.2.2. Source: memberlist before PR #158 and #159."""
FROM_2018_08_08 = Profile(alive_first=True, push_pulls_max=PUSH_PULLS_MAX, left_state=False)
"""Consul from 1.2.3. Source: memberlist PR #158, #159."""
FROM_2020_01 = Profile(alive_first=True, push_pulls_max=PUSH_PULLS_MAX, left_state=True)
"""Source: memberlist 237d410 (StateLeft)."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Sizes in bytes of what is sent, for a Consul client with a name of 24 characters.

    Derived from msgpack: one type byte, a map of field names and values. Alive: 217 with 123 bytes of tags; suspect and dead: 75; push/pull
    entry: 253 with serf's user state. Ping {SeqNo, Node}: 42. Ack {SeqNo, Payload}: 130, of which 110 are serf's coordinate. Indirect ping: 72. Nack: 12.
    """

    alive_bytes: int = 217
    accusation_bytes: int = 75
    ping_bytes: int = 42
    ack_bytes: int = 130
    indirect_bytes: int = 72
    nack_bytes: int = 12
    entry_bytes: int = 253


@dataclass(frozen=True, slots=True)
class Machine:
    """How fast an agent works and what its sockets hold. None of this is published; all is chosen.

    Args:
        messages_per_ms: messages an unhindered agent takes from its socket in a millisecond. Chosen: 20 us each for decoding and a lock.
        socket_bytes: receive buffer. Chosen: Linux' default maximum of 212,992, which the kernel doubles for its own accounting.
        packet_bytes: what the kernel charges for one packet beside its payload. Chosen: 768, the smallest accounted size of a datagram.
        entry_us: work on one entry of a push/pull, both ways. Chosen: as for a message.
        relay_delay_ms: extra time of an indirect ping and its nack. Chosen: two hops; it makes a nack after 500 ms miss a deadline of 1 s.
    """

    messages_per_ms: int = 50
    socket_bytes: int = 425_984
    packet_bytes: int = 768
    entry_us: int = 20
    relay_delay_ms: int = 2
