"""Link 6: Consul as its users feel it: reads and writes at the servers, reads through the agents of pods, changes of the leader."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lab.core.clock import Clock
from lab.core.errors import Unavailable
from lab.core.protocols import Reading
from lab.probes.ask import Paced, reason
from lab.probes.latency import Latency

KEY = "lab/probe"


class KeyValue(Protocol):
    """Reads and writes of one client."""

    def read(self, key: str, *, consistent: bool = False) -> bytes | None: ...
    def write(self, key: str, value: str) -> None: ...


class Leadership(Protocol):
    """Who leads."""

    def leader(self) -> str: ...


def server_reads(client: KeyValue, clock: Clock) -> Latency:
    """Consistent reads: the leader asks its quorum before it answers. `client` takes a new connection each time.

    Interval 1 s chosen: 60 values a minute give a p90, and cost half a millisecond of CPU each. Time-out 10 s chosen: Consul itself holds a
    request for 7 s when there is no leader (`rpc_hold_timeout`), so less would hide its own answer.
    """
    return Latency("consul_read_ms", "servers", lambda: client.read(KEY, consistent=True), clock, 1.0, 10.0, most=10)


def server_writes(client: KeyValue, clock: Clock) -> Latency:
    """Writes of one small key through the leader, at the pace of `server_reads`."""
    return Latency("consul_write_ms", "servers", lambda: client.write(KEY, "1"), clock, 1.0, 10.0, most=10)


def agent_reads(client: KeyValue, clock: Clock) -> Latency:
    """Reads through the agent of a random pod. `client` takes a new connection each time, so that each request meets another agent.

    Interval 0.5 s chosen: 50 agents are each asked every 25 s on average, and a p99 over a minute has 120 values. Time-out 10 s: style of the servers'.
    """
    return Latency("agent_read_ms", "agents", lambda: client.read(KEY), clock, 0.5, 10.0, most=20)


@dataclass(slots=True)
class LeaderProbe:
    """Changes of the leader since the probe began: another leader, or the same after an interval without one.

    Args:
        interval_s: chosen: an election takes at least 1 s with raft's default multiplier, so few are missed; less costs CPU.
        timeout_s: of the client; the question is answered without the leader's help.
    """

    client: Leadership
    interval_s: float = 2.0
    timeout_s: float = 5.0
    name: str = "consul_leader"
    _leader: str | None = None
    _changes: int = 0
    _paced: Paced = field(init=False)

    def __post_init__(self) -> None:
        self._paced = Paced(1, self.interval_s * 0.8)

    def sample(self) -> Sequence[Reading]:
        """`leader_changes`."""
        return self._paced.ask(self._ask, self.name)

    def _ask(self) -> Sequence[Reading]:
        try:
            leader = self.client.leader()
        except Unavailable as error:
            return [Reading("leader_changes", "servers", None, reason(error))]
        self._changes += self._leader is not None and leader not in ("", self._leader)
        self._leader = leader if leader or self._leader is not None else None
        if not leader:
            return [Reading("leader_changes", "servers", None, "no leader")]
        return [Reading("leader_changes", "servers", float(self._changes))]
