"""Consul through its HTTP API on 127.0.0.1: members, telemetry, leader, key-value reads and writes.

py-consul does the asking. Every call has a time-out, and every failure becomes `Unavailable` with a reason that a history can carry.
"""

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from consul import base
from consul.exceptions import ConsulException

from lab.adapters.consul_http import PlainHttp
from lab.core.errors import Unavailable

HOST: Final = "127.0.0.1"
SERVERS_PORT: Final = 18500
"""Reaches one of the servers."""
AGENTS_PORT: Final = 18501
"""Reaches the agent of a pod, another one for each new connection."""
NEIGHBOURS_PORT: Final = 18502
"""Reaches the agent of a pod of the neighbour (kind-neighbour.yaml), another one for each new connection."""

STATES: Final[Mapping[int, str]] = {0: "none", 1: "alive", 2: "leaving", 3: "left", 4: "failed"}
"""serf's MemberStatus, in the order of hashicorp/serf serf.go."""

_ASIDE_MAX: Final = 200
CANARY_NODE: Final = "canary"
"""Name that canaries stand under in the catalog: a node without an agent, so no member of the pool."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class View:
    """The pool as one agent sees it.

    Args:
        name: of the agent.
        health_score: its own measure of how late its probes are; 0 is well, 8 is worst. None where it does not tell.
        members: name to state.
    """

    name: str
    health_score: int | None
    members: Mapping[str, str]


class _Client(base.Consul):
    """py-consul over a transport of our choice."""

    def __init__(self, transport: base.HTTPClient) -> None:
        self._transport = transport
        super().__init__(transport.host, transport.port, scheme=transport.scheme, verify=True)

    def http_connect(self, *_: Any) -> base.HTTPClient:
        return self._transport


class Consul:
    """One HTTP client.

    Args:
        port: which agents it reaches.
        timeout_s: how long an answer may take to begin.
        keep: keep the connection, and so one and the same agent behind a Service; then it serves one thread at a time.
            Without it every question takes a new connection, and threads may share the client.
    """

    def __init__(self, port: int = SERVERS_PORT, *, timeout_s: float = 5.0, keep: bool = True, host: str = HOST) -> None:
        self._where = f"{host}:{port}"
        self._address = (host, port)
        self._timeout_s = timeout_s
        self._client = _Client(PlainHttp(host, port, timeout_s, keep=keep))

    def read(self, key: str, *, consistent: bool = False) -> bytes | None:
        """The value of `key`, or None when there is none.

        Raises:
            Unavailable: no answer in time, or an error (such as no leader). So do all questions here.
        """
        asked = "consistent" if consistent else "default"
        _, found = self._ask(f"read {key}", lambda: self._client.kv.get(key, consistency=asked))
        return None if found is None else found["Value"]

    def write(self, key: str, value: str) -> None:
        """Set `key` through the leader."""
        if not self._ask(f"write {key}", lambda: self._client.kv.put(key, value)):
            raise Unavailable(f"write {key} to Consul at {self._where}", "refused")

    def members(self) -> dict[str, str]:
        """Name to state of every member that the asked agent knows: alive, leaving, left or failed."""
        found = self._ask("list the members", self._client.agent.members)
        return {member["Name"]: STATES.get(member["Status"], "none") for member in found}

    def leader(self) -> str:
        """Address of the leader, empty when there is none."""
        return str(self._ask("ask for the leader", self._client.status.leader))

    def peers(self) -> list[str]:
        """Addresses of the raft peers."""
        return list(self._ask("ask for the peers", self._client.status.peers))

    def telemetry(self) -> dict[str, Any]:
        """`/v1/agent/metrics`: the last complete interval of 10 s of the asked agent."""
        return dict(self._ask("read the telemetry", self._client.agent.metrics))

    def gossip_stats(self) -> dict[str, str]:
        """`serf_lan` of `/v1/agent/self`, as now: `health_score`, `intent_queue`, `members`, `failed`, ... in text."""
        found = self._ask("ask an agent about itself", self._client.agent.self)
        return dict(found["Stats"]["serf_lan"])

    def node_name(self) -> str:
        """Name of the agent that answers."""
        return str(self._ask("ask an agent its name", self._client.agent.self)["Config"]["NodeName"])

    def nodes(self) -> list[str]:
        """Names in the catalog."""
        _, found = self._ask("list the catalog", self._client.catalog.nodes)
        return [node["Node"] for node in found]

    def view(self) -> View:
        """Name, health and members of one and the same agent, another one for each call behind a Service: on a connection of its own."""
        host, port = self._address
        one = Consul(port, timeout_s=self._timeout_s, host=host)
        try:
            found = one._ask("ask an agent about itself", one._client.agent.self)
            score = found["Stats"]["serf_lan"].get("health_score")
            return View(str(found["Config"]["NodeName"]), None if score is None else int(score), one.members())
        finally:
            one.close()

    def passing(self, service: str) -> set[str]:
        """Instances of a service that pass their checks, as `NODE:ID`."""
        _, found = self._ask(f"list what passes of {service}", lambda: self._client.health.service(service, passing=True))
        return {f"{entry['Node']['Node']}:{entry['Service']['ID']}" for entry in found}

    def register(self, instance: str, service: str, address: tuple[str, int]) -> None:
        """Put an instance into the catalog, as a deploy engine does from outside; it passes as it has no check."""
        place, port = address
        entry = {"ID": instance, "Service": service, "Address": place, "Port": port}
        self._ask(f"register {instance}", lambda: self._client.catalog.register(CANARY_NODE, place, entry))

    def deregister(self, instance: str) -> None:
        """Take it out again; fine if it is not there."""
        self._ask(f"deregister {instance}", lambda: self._client.catalog.deregister(CANARY_NODE, instance))

    def close(self) -> None:
        """Drop the connections; the next question makes a new one."""
        self._client.http.close()

    def _ask(self, what: str, call: Callable[[], Answer]) -> Answer:
        with self._translated(what):
            return call()

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        tried = f"{what} at Consul {self._where}"
        try:
            yield
        except TimeoutError as error:
            raise Unavailable(tried, f"timed out after {self._timeout_s:g} s") from error
        except (OSError, http.client.HTTPException, ConsulException, ValueError, KeyError) as error:
            raise Unavailable(tried, f"{type(error).__name__}: {error}"[:_ASIDE_MAX]) from error
