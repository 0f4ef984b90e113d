"""Link 5: the gossip pool as one server sees it, and where it is wrong."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lab.core.clock import Clock
from lab.core.errors import Unavailable
from lab.core.protocols import Emit, Reading
from lab.probes.ask import Paced, Rate, reason

_SERIES = (
    "members_alive",
    "members_failed",
    "members_left",
    "joins_per_s",
    "gossip_false_positives",
    "gossip_missing",
    "members_returned",
    "gossip_phantoms",
)
_TOLD = {"alive": "alive", "failed": "failed", "left": "left", "leaving": "left"}


class Members(Protocol):
    """A client that stays with one server, as two servers may differ for a while."""

    def members(self) -> Mapping[str, str]: ...


class MemberWatch:
    """`Watch` that asks one server for its members and tells what changed.

    Args:
        client: keeps its connection, so that changes are one server's changes of mind.
        interval_s: chosen: a member flaps within seconds, and 300 members cost 2 ms of CPU a time; more misses flaps.
        living: names of the agents whose processes run on this host; looked up when something changed, 1 ms of CPU. With it a change tells
            whether the process lives: a member that fails while it does is a false positive, one that comes back while it does not a phantom.
    """

    name = "members"

    def __init__(self, client: Members, interval_s: float = 1.0, living: Callable[[], set[str]] | None = None) -> None:
        self._client = client
        self._interval_s = interval_s
        self._living = living
        self._gone: set[str] = set()
        self._back: set[str] = set()
        self._returned = 0
        self._states: dict[str, str] | None = None
        self._joins = 0
        self._problem: str | None = "not read yet"

    @property
    def problem(self) -> str | None:
        """Why the last question failed; None when it did not."""
        return self._problem

    @property
    def joins(self) -> int:
        """Members that came, or came back from failed or left, since the watch began."""
        return self._joins

    @property
    def returned(self) -> int:
        """How often a member came back after it was gone, since the watch began: the waves of one member count each."""
        return self._returned

    def back(self) -> set[str]:
        """Members that came back at some time."""
        return set(self._back)

    def states(self) -> dict[str, str]:
        """Member to alive, failed or left, as last seen."""
        return dict(self._states or {})

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Ask until `stop`. A question may hang on a starved server; this leaves in time without it."""
        worker = threading.Thread(target=self._poll, args=(emit, stop), name="watch-members", daemon=True)
        worker.start()
        stop.wait()
        worker.join(1.5)

    def _poll(self, emit: Emit, stop: threading.Event) -> None:
        while not stop.wait(self._interval_s):
            self.look(emit, stop)

    def look(self, emit: Emit, stop: threading.Event) -> None:
        """Ask once."""
        try:
            found = {name: _TOLD[state] for name, state in self._client.members().items() if state in _TOLD}
        except Unavailable as error:
            self._problem = reason(error)
            return
        before, self._states, self._problem = self._states, found, None
        if before is None:
            self._gone = {name for name, state in found.items() if state != "alive"}
        if before is None or stop.is_set():
            return
        changed = {name: state for name, state in found.items() if before.get(name) != state}
        self._joins += sum(state == "alive" for state in changed.values())
        self._note_returns(changed)
        living = self._living() if self._living and changed else None
        for name, state in sorted(changed.items()):
            emit("member_change", {"member": name, "state": state, **({} if living is None else {"living": name in living})})

    def _note_returns(self, changed: Mapping[str, str]) -> None:
        came = {name for name, state in changed.items() if state == "alive"}
        returned = came & self._gone
        self._gone |= changed.keys() - came
        self._back |= returned
        self._returned += len(returned)


@dataclass(slots=True)
class GossipProbe:
    """The pool in numbers.

    Args:
        watch: has the members.
        living: names of the agents whose processes run on this host.
        interval_s: chosen: a scan of the process table every 2 s is 1 to 2 ms of CPU; false positives last seconds to minutes.
        timeout_s: nothing is waited for.
    """

    watch: MemberWatch
    living: Callable[[], set[str]]
    clock: Clock
    interval_s: float = 2.0
    timeout_s: float = 2.0
    name: str = "gossip"
    _joined: Rate = field(init=False)

    def __post_init__(self) -> None:
        self._joined = Rate(self.clock)

    def sample(self) -> Sequence[Reading]:
        """`members_*`, `joins_per_s`, and where the pool is wrong.

        `gossip_false_positives` are members failed while their process lives, `gossip_missing` agents whose process lives and that are not alive
        for the server: those, and who left or is not known; `members_returned` counts how often one came back after it was
        gone; `gossip_phantoms` are those that came back, are alive for the server, and have no process.
        """
        if self.watch.problem:
            return [Reading(series, "pool", None, self.watch.problem) for series in _SERIES]
        states = self.watch.states()
        counts = Counter(states.values())
        rate = self._joined.of(self.watch.joins)
        failed = {name for name, state in states.items() if state == "failed"}
        back = {name for name in self.watch.back() if states.get(name) == "alive"}
        living = self.living()
        return [
            *(Reading(f"members_{state}", "pool", float(counts[state])) for state in ("alive", "failed", "left")),
            Reading("joins_per_s", "pool", rate, None if rate is not None else "a rate needs two readings"),
            Reading("gossip_false_positives", "pool", float(len(failed & living))),
            Reading("gossip_missing", "pool", float(sum(states.get(name) != "alive" for name in living))),
            Reading("members_returned", "pool", float(self.watch.returned)),
            Reading("gossip_phantoms", "pool", float(len(back - living))),
        ]


class Stats(Protocol):
    """Gossip counters of the agent that answers."""

    def gossip_stats(self) -> Mapping[str, str]: ...


@dataclass(slots=True)
class StatsProbe:
    """Health score and queue of intents of a server and of a random pod's agent.

    Args:
        server: a client of the servers.
        agent: a client that takes a new connection each time, and so another agent.
        interval_s: chosen: memberlist moves its score once a second at most, and the answer is 20 kB to read; 5 s follow it.
        timeout_s: of the clients.
    """

    server: Stats
    agent: Stats
    interval_s: float = 5.0
    timeout_s: float = 10.0
    name: str = "gossip_stats"
    _servers: Paced = field(init=False)
    _agents: Paced = field(init=False)

    def __post_init__(self) -> None:
        self._servers = Paced(1, self.interval_s * 0.2)
        self._agents = Paced(2, self.interval_s * 0.2)

    def sample(self) -> Sequence[Reading]:
        """`serf_queue_intent` of a server, `memberlist_health_score` of a server and of an agent (0 is well, 8 is worst)."""
        return [
            *self._servers.ask(self._of_server, "server-stats"),
            *self._agents.ask(self._of_agent, "agent-stats"),
        ]

    def _of_server(self) -> Sequence[Reading]:
        stats = _stats(self.server)
        return [
            _number(stats, "intent_queue", "serf_queue_intent", "server"),
            _number(stats, "health_score", "memberlist_health_score", "server"),
        ]

    def _of_agent(self) -> Sequence[Reading]:
        return [_number(_stats(self.agent), "health_score", "memberlist_health_score", "agent")]


def _stats(client: Stats) -> Mapping[str, str] | str:
    """The counters, or why there are none."""
    try:
        return client.gossip_stats()
    except Unavailable as error:
        return reason(error)


def _number(stats: Mapping[str, str] | str, field_name: str, series: str, target: str) -> Reading:
    if isinstance(stats, str):
        return Reading(series, target, None, stats)
    if field_name not in stats:
        return Reading(series, target, None, f"the agent does not report {field_name}")
    return Reading(series, target, float(stats[field_name]))
