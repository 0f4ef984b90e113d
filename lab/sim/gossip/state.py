"""The arrays of a pool, and how they are laid out.

`M` is the number of names that will ever exist: every process that starts gets a row and a column of its own.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ABSENT, ALIVE, SUSPECT, DEAD, LEFT = 0, 1, 2, 3, 4
"""States of a view, and the kinds of messages about it. ABSENT: never known, or forgotten."""
PING, ACK, NACK, INDIRECT = 5, 6, 7, 8
"""Kinds of messages that open a packet."""

NONE = -1
LEVELS = 33
"""Transmission counts a broadcast queue holds; the limit is 4 x ceil(log10(n + 1)), so 32 serves up to 10^8 members."""
WHEEL_MS = 1 << 19
"""Horizon of the timer wheel, 524 s: a push/pull of 41,000 members comes round each 360 s, their longest suspicion is 111 s."""
ROWS = 260
"""Rows of a packet under construction: its head and up to 255 messages."""

PAIR = np.dtype(
    [
        ("inc", np.int32),
        ("changed_ms", np.int32),
        ("serf_ms", np.int32),
        ("sized", np.int16),
        ("state", np.int8),
        ("serf", np.int8),
        ("confirmed", np.int8),
    ],
    align=True,
)
"""What one member holds of another: incarnation, when the state changed, serf's state and its time, confirmations of a suspicion and the length of
the list when it began."""

QUEUED = np.dtype(
    [
        ("number", np.int32),
        ("inc", np.int32),
        ("next", np.int16),
        ("previous", np.int16),
        ("accuser", np.int16),
        ("kind", np.int8),
        ("level", np.int8),
    ]
)
"""What one member has queued about another: its number in the order of queuing, the message, times sent in `level` (NONE: not queued), neighbours
in its list. 16 bytes, and apart from the views, so that a member's whole queue stays in the processor's cache."""

MEMBER = np.dtype(
    [
        ("rate", np.float64),
        ("credit", np.float64),
        ("credit_ms", np.int64),
        ("alive_n", np.int64),
        ("failed_n", np.int64),
        ("list_n", np.int64),
        ("probe_at", np.int64),
        ("target", np.int64),
        ("target_inc", np.int64),
        ("serial", np.int64),
        ("deadline_ms", np.int64),
        ("indirect_ms", np.int64),
        ("queued_n", np.int64),
        ("queued_id", np.int64),
        ("inbox_at", np.int64),
        ("inbox_n", np.int64),
        ("inbox_bytes", np.int64),
        ("block_end_ms", np.int64),
        ("woke_ms", np.int64),
        ("served_until_ms", np.int64),
        ("partner", np.int64),
        ("handoff_at", np.int64),
        ("handoff_n", np.int64),
        ("urgent_n", np.int64),
        ("home", np.int64),
        ("key", np.int64),
        ("accepts", np.int64),
        ("running", np.int64),
        ("leaving", np.int64),
        ("anomalous", np.int64),
        ("blocked", np.int64),
        ("busy", np.int64),
        ("score", np.int64),
        ("phase", np.int64),
        ("target_state", np.int64),
        ("expected", np.int64),
        ("nacks", np.int64),
        ("tick_waits", np.int64),
        ("gossip_waits", np.int64),
        ("exchange_waits", np.int64),
        ("observer", np.int64),
    ],
    align=True,
)
"""One process. `rate`: messages its handler takes per ms, 0 without limit. `key`: 0 plaintext, else a gossip key; `accepts`: bit k set when key k
is accepted. `phase`: of its probe, see probe.py. `home`: the member it joins through."""

NAME = np.dtype(
    [
        ("ended_ms", np.int64),
        ("first_suspected_ms", np.int64),
        ("first_failed_ms", np.int64),
        ("all_failed_ms", np.int64),
        ("knowers", np.int64),
        ("left", np.int64),
    ],
    align=True,
)
"""The truth about a name: when its process ended (-1: it has not), when after that it was first suspected, when the first and the last running
member held it dead, how many running members hold it alive or suspect."""

TIMER = np.dtype([("due_ms", np.int32), ("next", np.int32), ("previous", np.int32)], align=True)
RELAY = np.dtype([("relay", np.int64), ("serial", np.int64), ("done", np.int64)])

SETTING_NAMES = [
    "probe_interval_ms",
    "probe_timeout_ms",
    "relays",
    "gossip_interval_ms",
    "gossip_nodes",
    "gossip_to_dead_ms",
    "tcp_timeout_ms",
    "nack_ms",
    "reconnect_ms",
    "reap_ms",
    "failed_kept_ms",
    "left_kept_ms",
    "scale_max",
    "probe_lha",
    "suspicion_lha",
    "buddy",
    "alive_first",
    "push_pulls_max",
    "left_state",
    "alive_bytes",
    "accusation_bytes",
    "ping_bytes",
    "ack_bytes",
    "indirect_bytes",
    "nack_bytes",
    "entry_bytes",
    "messages_per_ms",
    "socket_bytes",
    "packet_bytes",
    "entry_us",
    "relay_delay_ms",
    "packet_room",
    "wanted",
    "handoff_depth",
]
SETTING = np.dtype([*((name, np.int64) for name in SETTING_NAMES), ("loss", np.float64)])
"""The rules as numbers; see constants.py."""

COUNTS = [
    "packets",
    "bytes",
    "messages",
    "pings",
    "exchanges",
    "exchanges_refused",
    "exchanges_failed",
    "tcp_bytes",
    "suspicions",
    "refutations",
    "updates",
    "false_positives",
    "false_positives_own",
    "joins",
    "failures",
    "leaves",
    "resurrections",
    "dropped_socket",
    "dropped_handoff",
    "dropped_key",
]
"""What each member counts; `false_positives`: failures it noted of a running member that is not anomalous, `_own`: by its own suspicion timer; `updates`: newer incarnations heard of."""
(
    PACKETS,
    BYTES,
    MESSAGES,
    PINGS,
    EXCHANGES,
    EXCHANGES_REFUSED,
    EXCHANGES_FAILED,
    TCP_BYTES,
    SUSPICIONS,
    REFUTATIONS,
    UPDATES,
    FALSE_POSITIVES,
    FALSE_POSITIVES_OWN,
    JOINS,
    FAILURES,
    LEAVES,
    RESURRECTIONS,
    DROPPED_SOCKET,
    DROPPED_HANDOFF,
    DROPPED_KEY,
) = range(len(COUNTS))

SAMPLES = [
    "running",
    "alive_views",
    "failed_views",
    "phantoms",
    "queued",
    "handoff",
    "health",
    "joins",
    "failures",
    "false_positives",
]
"""Columns of a sample, sums over running members; `phantoms`: views that hold an ended process alive."""

NOW, BUSY_N, SCRIPT_AT, LOG_N, LOG_LOST, SAMPLED, RUNNING_N, TIMERS_OPEN = range(8)
"""Indices of `clock`; TIMERS_OPEN: timers of this very millisecond will still be fired."""


class Pool(NamedTuple):
    """All of a pool's state. Small arrays hold int64, so that each compiled function is compiled for one type of argument; what is M x M is narrow.

    Args:
        pairs: (M, M) PAIR, row: who holds the view, column: of whom.
        queued: (M, M) QUEUED, row: who sends, column: about whom.
        order: (M, M) int16, the member list in probing order; the first `list_n` count.
        accusers: (M, M, A) int16, who accused in a running suspicion, the first `confirmed` + 1 count.
        members: (M,) MEMBER.
        names: (M,) NAME.
        ends: (M, LEVELS, 2, 2) int16, first and last of each list of the broadcast queue: by times sent, and alive before shorter messages.
        timers: (M * M + 7 * M,) TIMER: a suspicion for each pair, then see wheel.py.
        slots: (WHEEL_MS,) int32, first timer of each ms.
        relays: (M, INDIRECT_NODES_MAX) RELAY, of the member's current probe.
        inbox: (M, R, 6) int32, a ring of what waits in the socket: kind, four arguments, bytes to release.
        handoff: (M, 2, HANDOFF_DEPTH, 4) int32, messages before the handler; list 1 is for alive messages where they go first.
        packets: (2, ROWS, 5) int64, packets under construction; row 0 is the head.
        packet_n: (2,) int64, their rows, the head included.
        tables: (M + 1, 3 + A) int64 by list length: shortest suspicion in ms, transmissions, push/pull period in ms, suspicion in ms with 0, 1 ... confirmations.
        snapshot: (2, M, 3) int64, both sides of a push/pull: name, state, incarnation.
        by_gossip_ms, by_probe_ms: (M,) int64, members by the phase of their tickers.
        gossip_starts, probe_starts: (interval + 1,) int64, where each phase begins.
        busy: (M,) int64, members with something waiting.
        script: (S, 4) int64, what is done to members: ms, action, member, argument; by time.
        log: (L, 5) int64, what the observers note: ms, observer, subject, event, own or gossiped.
        samples: (T, 1 + len(SAMPLES)) float64, seconds and sums.
        clock: (8,) int64, see NOW and following.
        chance: (1,) uint64, state of the random numbers.
        setting: (1,) SETTING.
        counts: (M, len(COUNTS)) int64.
    """

    pairs: NDArray[Any]
    queued: NDArray[Any]
    order: NDArray[np.int16]
    accusers: NDArray[np.int16]
    members: NDArray[Any]
    names: NDArray[Any]
    ends: NDArray[np.int16]
    timers: NDArray[Any]
    slots: NDArray[np.int32]
    relays: NDArray[Any]
    inbox: NDArray[np.int32]
    handoff: NDArray[np.int32]
    packets: NDArray[np.int64]
    packet_n: NDArray[np.int64]
    tables: NDArray[np.int64]
    snapshot: NDArray[np.int64]
    by_gossip_ms: NDArray[np.int64]
    by_probe_ms: NDArray[np.int64]
    gossip_starts: NDArray[np.int64]
    probe_starts: NDArray[np.int64]
    busy: NDArray[np.int64]
    script: NDArray[np.int64]
    log: NDArray[np.int64]
    samples: NDArray[np.float64]
    clock: NDArray[np.int64]
    chance: NDArray[np.uint64]
    setting: NDArray[Any]
    counts: NDArray[np.int64]
