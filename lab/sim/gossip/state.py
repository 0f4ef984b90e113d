"""The arrays of a pool, and how they are laid out.

`M` is the number of names that will ever exist: every process that starts gets a number of its own. `R` is the number of rows: a row holds all that
one followed process knows and does. In the exact pool every name has the row of its number; in the sampled one few have a row, see sampled.py.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ABSENT, ALIVE, SUSPECT, DEAD, LEFT = 0, 1, 2, 3, 4
"""States of a view, and the kinds of messages about it. ABSENT: never known, or forgotten."""
STATE_BITS, SETTLED, INC_SHIFT = 7, 8, 4
"""A view in one number: its state in the low bits, whether a suspicion wants no more confirmations, the incarnation above."""
PING, ACK, NACK, INDIRECT = 5, 6, 7, 8
"""Kinds of messages that open a packet."""

NONE = -1
LEVELS = 33
"""Transmission counts a broadcast queue holds; the limit is 4 x ceil(log10(n + 1)), so 32 serves up to 10^8 members."""
WHEEL_MS = 1 << 19
"""Horizon of the timer wheel, 524 s: a push/pull of 41,000 members comes round each 360 s, their longest suspicion is 111 s."""
ROWS = 260
"""Rows of a packet under construction: its head and up to 255 messages."""
CHOSEN_MAX = 16
"""Most packets of one round of gossip; the largest default is 4."""

PAIR = np.dtype(
    [
        ("changed_ms", np.int32),
        ("serf_ms", np.int32),
        ("message", np.int32),
        ("suspicion", np.int32),
        ("serf", np.int8),
    ],
    align=True,
)
"""What one member holds of another beside the view itself: when its state changed, serf's state and its time, and 1 + the place of the message
queued about it and of the suspicion that runs against it (0: none)."""

QUEUED = np.dtype(
    [
        ("number", np.int32),
        ("inc", np.int32),
        ("next", np.int32),
        ("previous", np.int32),
        ("subject", np.int32),
        ("accuser", np.int32),
        ("kind", np.int8),
        ("level", np.int8),
    ],
    align=True,
)
"""A queued message: its number in the order of queuing, what it says, times sent in `level`, neighbours in its list. Each member takes places in
blocks as it needs them and uses freed ones again first: what is queued at any time is little, lies together and stays in the processor's cache."""
BLOCK = 16
"""Places of `queued` in a block. Chosen: 512 bytes; a pool at peace has about as many messages queued at each member."""

SUSPECTING, SUSPECTED, SIZED, CONFIRMED, FLAGS, ACCUSERS = range(6)
TOLD, MISTAKEN = 1, 2
"""Columns of a running suspicion: whose row, against whom, the length of the list when it began, its confirmations, flags; from ACCUSERS
on who accused. Flags, of effect in a sampled pool alone: TOLD, others know of it; MISTAKEN, the accuser was blocked while the accused could have answered. A free place holds the next free one in SUSPECTING."""

MEMBER = np.dtype(
    [
        ("running", np.int64),
        ("blocked", np.int64),
        ("waiting", np.int64),
        ("accepts", np.int64),
        ("key", np.int64),
        ("rate", np.float64),
        ("row", np.int64),
        ("leaving", np.int64),
        ("anomalous", np.int64),
        ("block_end_ms", np.int64),
        ("woke_ms", np.int64),
        ("served_until_ms", np.int64),
        ("home", np.int64),
        ("inc", np.int64),
        ("score", np.int64),
        ("observer", np.int64),
        ("group", np.int64),
        ("known", np.int64),
        ("blocked_ms", np.int64),
        ("hindered_ms", np.int64),
        ("accused_inc", np.int64),
        ("ear", np.int64),
        ("watched", np.int64),
        ("spare", np.int64),
    ],
    align=True,
)
"""One process, as it is; what a packet's arrival asks for stands in the first 64 bytes. `waiting`: its socket holds something. `rate`: messages its handler takes per ms, 0 without limit. `key`: 0 plaintext, else a gossip key; `accepts`: bit k set when
key k is accepted. `row`: where its knowledge is held, NONE if nowhere. `home`: the member it joins through. `inc`: its own incarnation. `score`: its health.
In a sampled pool also: `group` of groups.py; `known`: it has joined; `blocked_ms`: when its blocked window began; `hindered_ms`: when it was last
hindered; `accused_inc`: 1 + the incarnation it will find itself accused at when it wakes; `ear`: the row that hears for it; `watched`: see hazards.py."""

ROW = np.dtype(
    [
        ("list_n", np.int64),
        ("queued_n", np.int64),
        ("long_levels", np.int64),
        ("short_levels", np.int64),
        ("packets", np.int64),
        ("bytes", np.int64),
        ("messages", np.int64),
        ("queued_id", np.int64),
        ("free_place", np.int64),
        ("inbox_n", np.int64),
        ("handoff_n", np.int64),
        ("urgent_n", np.int64),
        ("credit", np.float64),
        ("credit_ms", np.int64),
        ("phase", np.int64),
        ("probe_at", np.int64),
        ("target", np.int64),
        ("target_inc", np.int64),
        ("target_state", np.int64),
        ("serial", np.int64),
        ("deadline_ms", np.int64),
        ("indirect_ms", np.int64),
        ("expected", np.int64),
        ("nacks", np.int64),
        ("tick_waits", np.int64),
        ("gossip_waits", np.int64),
        ("exchange_waits", np.int64),
        ("partner", np.int64),
        ("alive_n", np.int64),
        ("failed_n", np.int64),
        ("inbox_at", np.int64),
        ("inbox_bytes", np.int64),
        ("handoff_at", np.int64),
        ("busy", np.int64),
        ("was_pings", np.int64),
        ("was_packets", np.int64),
        ("was_bytes", np.int64),
        ("was_queued_id", np.int64),
        ("laps", np.int64),
        ("owing", np.float64),
    ],
    align=True,
)
"""The loops and queues of one followed process. `long_levels`, `short_levels`: bit k set when its queue holds alive or shorter messages sent k times.
`packets`, `bytes`, `messages`: sent, not yet in `counts`. `was_...`: a second ago. Of a thinned
pool: `laps` over the list since it was last reset, `owing` room of packets, 0 or less.
`free_place`: 1 + a free place of its own in `queued`. `phase`: of its probe, see probe.py."""

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
member held it dead, how many running rows hold it alive or suspect."""

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
    "sampled",
    "joins_from",
    "wakes_from",
    "rumours_from",
    "suspicions_from",
    "times",
]
SETTING = np.dtype([*((name, np.int64) for name in SETTING_NAMES), ("loss", np.float64)])
"""The rules as numbers, see constants.py; where the kinds of timers begin, see wheel.py; `times`: names that each name stands for, see thinned.py."""

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

_OF_NAMES = "messages suspicions updates false_positives false_positives_own joins failures leaves resurrections dropped_handoff"
OF_NAMES = tuple(COUNTS.index(name) for name in _OF_NAMES.split())
"""Counted for each name, so that where a name stands for several there are as many more."""

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

(
    NOW,
    BUSY_N,
    SCRIPT_AT,
    LOG_N,
    LOG_LOST,
    SAMPLED,
    RUNNING_N,
    TIMERS_OPEN,
    PHANTOMS,
    PLACES_MADE,
    SUSPICIONS_MADE,
    SUSPICIONS_FREE,
    RUMOURS_MADE,
    RUMOURS_FREE,
    WATCHED_N,
    RETUNED,
    NAMES_USED,
) = range(17)
"""Indices of `clock`. TIMERS_OPEN: timers of this very millisecond will still be fired. PHANTOMS: views in rows that hold an ended process alive. _MADE:
places of a shared array that were ever used; _FREE: 1 + the place that is used again next. RETUNED: gossip keys have changed in this second.
NAMES_USED: names up to the last that ever ran; of an exact pool all."""
CLOCK = 17

STEADY, HINDERED = 0, 1
TONGUES = 8
GROUPS = 2 * TONGUES
"""Groups of members that are alike: of one tongue (a gossip key and the keys that are accepted), steady or hindered. Group 2 t + s: tongue t, s as above."""
MEMBERS_N, ROWS_N = 0, 1
"""Columns of `groups`: members and rows, without observers."""
KEY, ACCEPTS, ALL_MEMBERS, ALL_ROWS = range(4)
"""Columns of `tongues`: what makes one, its members and rows with observers."""
HOLD_ALIVE, HOLD_SUSPECT, HOLD_ENDED = range(3)
"""Columns of `held`: views of a name by rows of a group."""
RUMOUR_KIND, RUMOUR_SUBJECT, RUMOUR_INC, RUMOUR_ACCUSER, RUMOUR_TONGUE = range(5)
"""Columns of `rumours`; a free place holds the next free one in RUMOUR_KIND."""
PROBES_PER_S, LISTED, FAILED, PERIOD_S, CONTACTS_PER_S, TRANSMISSIONS_EACH, FILL_MS, QUEUED_EACH = range(8)
PACES = 8
"""Measured at the rows each second, see hazards.py: probes of a steady member, members that it holds alive and failed, its push/pull period, packets
it sends, how often it sends a message, how long a blocked member's socket takes to fill, and
the messages in its queue. The names and messages are those of the arrays, see thinned.py."""


class Pool(NamedTuple):
    """All of a pool's state. Small arrays hold int64, so that each compiled function is compiled for one type of argument; what is R x M is narrow.

    Args:
        heard: (R, M) int32, each row's view of each name: incarnation, SETTLED, state.
        pairs: (R, M) PAIR.
        order: (R, M) int32, the member list in probing order; the first `list_n` count.
        queued: (Q,) QUEUED, the messages of all queues.
        suspicions: (S, ACCUSERS + A) int32, the running ones of all members.
        members: (M,) MEMBER.
        names: (M,) NAME.
        rows: (R,) ROW.
        follows: (R,) int64, the name whose row it is; NONE: nobody's.
        ends: (R, LEVELS, 2, 3) int32, first and last of each list of the broadcast queue, and where one was put in last: by times sent, and alive before
            shorter messages.
        timers: (T,) TIMER, see wheel.py.
        slots: (WHEEL_MS,) int32, first timer of each ms.
        relays: (R, INDIRECT_NODES_MAX) RELAY, of the row's current probe.
        inbox: (R, I, 6) int32, a ring of what waits in the socket: kind, four arguments, bytes to release.
        handoff: (R, 2, HANDOFF_DEPTH, 4) int32, messages before the handler; list 1 is for alive messages where they go first.
        packets: (2, ROWS, 6) int64, packets under construction; row 0 is the head.
        packet_n: (2,) int64, their rows, the head included.
        news: (2, ROWS) int64, rows of an arrived packet that tell something new.
        chosen: (CHOSEN_MAX,) int64, targets of a round of gossip.
        tables: (M + 1, 3 + A) int64 by list length: shortest suspicion in ms, transmissions, push/pull period in ms, suspicion in ms with 0, 1 ... confirmations.
        snapshot: (2, M, 2) int64, both sides of a push/pull: name, view.
        by_gossip_ms, by_probe_ms: (R,) int64, rows by the phase of their tickers.
        gossip_starts, probe_starts: (interval + 1,) int64, where each phase begins.
        busy: (R,) int64, rows with something waiting.
        script: (S, 4) int64, what is done to members: ms, action, member, argument; by time.
        log: (L, 5) int64, what the observers note: ms, observer, subject, event, own or gossiped.
        samples: (T, 1 + len(SAMPLES)) float64, seconds and sums.
        clock: (len(CLOCK),) int64, see NOW and following.
        chance: (1,) uint64, state of the random numbers.
        setting: (1,) SETTING.
        counts: (R, len(COUNTS)) int64.
        flushed: (R, len(COUNTS)) int64, what of `counts` is in `sums`.
        sums: (2, len(COUNTS)) float64, counts of healthy and of anomalous members, each row's times the members it stands for.
        groups: (GROUPS, 2) int64, tongues: (TONGUES, 4) int64, held: (M, GROUPS, 3) int16, rumours: (U, 5) int32, watch: (M,) int64,
            pace: (TONGUES, PACES) float64, of a sampled pool; (0, ...) or unused in an exact one.
    """

    heard: NDArray[np.int32]
    pairs: NDArray[Any]
    order: NDArray[np.int32]
    queued: NDArray[Any]
    suspicions: NDArray[np.int32]
    members: NDArray[Any]
    names: NDArray[Any]
    rows: NDArray[Any]
    follows: NDArray[np.int64]
    ends: NDArray[np.int32]
    timers: NDArray[Any]
    slots: NDArray[np.int32]
    relays: NDArray[Any]
    inbox: NDArray[np.int32]
    handoff: NDArray[np.int32]
    packets: NDArray[np.int64]
    packet_n: NDArray[np.int64]
    news: NDArray[np.int64]
    chosen: NDArray[np.int64]
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
    flushed: NDArray[np.int64]
    sums: NDArray[np.float64]
    groups: NDArray[np.int64]
    tongues: NDArray[np.int64]
    held: NDArray[np.int16]
    rumours: NDArray[np.int32]
    watch: NDArray[np.int64]
    pace: NDArray[np.float64]
