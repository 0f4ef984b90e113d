"""The gossip rules once more, as a plain event queue (SimPy): one object per member, one process per loop, real messages with a latency.

Written for reading, not for speed, and without looking at the arrays: it shares only the constants and the formulas with them.
"""

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from lab.sim import formulas
from lab.sim.gossip.pool import Rules
from tests.sim.plain_parts import Counts, Message, Packet, Suspicion, View

LATENCY_S = 0.00025
MESSAGE_S = 0.00002
Steps = Generator[Any, Any, Any]


class PlainPool:
    """A pool of members that know each other. `windows` are (member, begin_s, end_s) of blocked sending and receiving, `kills` (member, at_s)."""

    def __init__(
        self,
        members: int,
        rules: Rules,
        seed: int,
        windows: list[tuple[int, float, float]] = (),
        kills: list[tuple[int, float]] = (),  # type: ignore[assignment]
    ) -> None:
        self.env = simpy.Environment()
        self.rules, self.chance, self.counts = rules, np.random.default_rng(seed), Counts()
        self.anomalous = {member for member, _, _ in windows}
        self.killed = {member for member, _ in kills}
        self.members = [Member(self, name, members) for name in range(members)]
        for member, begin_s, end_s in windows:
            self.env.process(self._block(self.members[member], begin_s, end_s))
        for member, at_s in kills:
            self.env.process(self._kill(self.members[member], at_s))

    def run(self, until_s: float) -> Counts:
        self.env.run(until_s)
        return self.counts

    def _block(self, member: "Member", begin_s: float, end_s: float) -> Steps:
        yield self.env.timeout(begin_s)
        member.blocked_until_s = end_s

    def _kill(self, member: "Member", at_s: float) -> Steps:
        yield self.env.timeout(at_s)
        member.running = False

    def carry(self, packet: Packet, target: int) -> None:
        self.counts.packets += 1
        self.env.process(self._carry(packet, self.members[target]))

    def _carry(self, packet: Packet, target: "Member") -> Steps:
        yield self.env.timeout(LATENCY_S)
        if target.running:
            target.inbox.put(packet)

    def note_failure(self, observer: int, subject: int) -> None:
        if subject in self.killed or subject in self.anomalous:
            self.counts.first_failed_s.setdefault(subject, self.env.now)
            self.counts.last_failed_s[subject] = self.env.now
        else:
            self.counts.false_positives += 1
            self.counts.false_positives_healthy += observer not in self.anomalous


class Member:
    def __init__(self, pool: PlainPool, name: int, members: int) -> None:
        self.pool, self.env, self.name, self.chance = pool, pool.env, name, pool.chance
        self.rules, self.dials, self.guard = pool.rules, pool.rules.dials, pool.rules.lifeguard
        self.views = {other: View("alive", 1, 0.0) for other in range(members)}
        self.order = [int(other) for other in self.chance.permutation(members)]
        self.lap_at, self.serial, self.numbers, self.score = 0, 0, 0, 0
        self.queue: dict[int, Message] = {}
        self.running, self.blocked_until_s = True, 0.0
        self.answered: dict[int, simpy.Event] = {}
        self.relayed: dict[tuple[int, int], simpy.Event] = {}
        self.nacks: dict[int, int] = {}
        self.inbox = simpy.Store(self.env)
        self.env.process(self._ticker(self.dials.probe_interval_ms / 1000, self._probe))
        self.env.process(self._ticker(self.dials.gossip_interval_ms / 1000, self._gossip))
        self.env.process(self._exchanges())
        self.env.process(self._listen())

    # loops ---------------------------------------------------------------------------------------------------------

    def _ticker(self, interval_s: float, body: Any) -> Steps:
        """A Go ticker: one missed tick is kept, the others are dropped."""
        phase_s = self.chance.uniform(0, interval_s)
        due_s = phase_s
        while self.running:
            if due_s > self.env.now:
                yield self.env.timeout(due_s - self.env.now)
            due_s = phase_s + (np.floor((self.env.now - phase_s) / interval_s + 1e-9) + 1) * interval_s
            if self.running:
                yield from body()

    def _unblocked(self) -> Steps:
        while self.env.now < self.blocked_until_s:
            yield self.env.timeout(self.blocked_until_s - self.env.now)

    def _send(self, packet: Packet, target: int) -> Steps:
        yield from self._unblocked()
        if self.running:
            self.pool.carry(packet, target)

    def _probe(self) -> Steps:
        target = self._next_target()
        if target is None:
            return
        view = self.views[target]
        state, inc = view.state, view.inc
        self.serial += 1
        serial = self.serial
        deadline_s = self.env.now + self.dials.probe_interval_ms / 1000 * (self.score + 1)
        answered = self.answered[serial] = self.env.event()
        self.nacks[serial] = 0
        ping = Packet("ping", self.name, serial, origin=self.name)
        if self.guard.buddy and state == "suspect":
            ping.gossip = [Message("suspect", target, inc, self.name)]
        else:
            ping.gossip = self._broadcasts(self.rules.wire.ping_bytes + 2)
        yield from self._send(ping, target)
        yield answered | self.env.timeout(max(0.0, min(self.dials.probe_timeout_ms / 1000, deadline_s - self.env.now)))
        if not (answered.triggered and self.env.now <= deadline_s):
            yield from self._ask_relays(target, inc, serial, deadline_s)
        else:
            self._change_score(-1)
        del self.answered[serial]

    def _ask_relays(self, target: int, inc: int, serial: int, deadline_s: float) -> Steps:
        answered = self.answered[serial]
        relays = self._random_members(self.dials.relays, lambda other: other != target and self.views[other].state == "alive")
        for relay in relays:
            request = Packet("indirect", self.name, serial, origin=self.name, target=target)
            request.gossip = self._broadcasts(self.rules.wire.indirect_bytes + 2)
            yield from self._send(request, relay)
        contact = self.env.process(self._tcp_ping(target, deadline_s))
        yield answered | self.env.timeout(max(0.0, deadline_s - self.env.now))
        if answered.triggered and self.env.now <= deadline_s:
            self._change_score(-1)
            return
        if contact.triggered and contact.value:
            self._change_score(-1)
            return
        expected = len(relays) if self.guard.probe else 0
        self._change_score(expected - self.nacks[serial] if expected else 1)
        self._suspect(target, inc, self.name)

    def _tcp_ping(self, target: int, deadline_s: float) -> Steps:
        other = self.pool.members[target]
        yield from self._unblocked()
        while other.running and self.env.now < deadline_s:
            if self.env.now >= other.blocked_until_s:
                return True
            yield self.env.timeout(min(other.blocked_until_s, deadline_s) - self.env.now)
        return False

    def _gossip(self) -> Steps:
        for target in self._random_members(self.dials.gossip_nodes, self._hears):
            messages = self._broadcasts(0)
            if not messages:
                return
            yield from self._send(Packet("gossip", self.name, gossip=messages), target)

    def _exchanges(self) -> Steps:
        period_s = formulas.push_pull_interval_ms(len(self.order), self.dials.push_pull_ms) / 1000
        yield self.env.timeout(self.chance.uniform(0, period_s))
        while self.running:
            yield from self._unblocked()
            for partner in self._random_members(1, lambda other: self.views[other].state == "alive"):
                other = self.pool.members[partner]
                wait_s = max(0.0, other.blocked_until_s - self.env.now)
                if wait_s <= self.dials.tcp_timeout_ms / 1000:
                    yield self.env.timeout(wait_s + LATENCY_S)
                    if other.running and self.running:
                        self._exchange(other)
            yield self.env.timeout(formulas.push_pull_interval_ms(len(self.order), self.dials.push_pull_ms) / 1000)

    def _exchange(self, other: "Member") -> None:
        mine = [(name, self.views[name].state, self.views[name].inc) for name in self.order]
        theirs = [(name, other.views[name].state, other.views[name].inc) for name in other.order]
        other._merge(mine)
        self._merge(theirs)

    def _merge(self, entries: list[tuple[int, str, int]]) -> None:
        for name, state, inc in entries:
            if state == "alive":
                self._alive(name, inc)
            else:
                self._suspect(name, inc, self.name)

    def _listen(self) -> Steps:
        while True:
            packet = yield self.inbox.get()
            yield from self._unblocked()
            yield self.env.timeout(MESSAGE_S * (1 + len(packet.gossip)))
            if not self.running:
                return
            self._receive(packet)

    # messages ------------------------------------------------------------------------------------------------------

    def _receive(self, packet: Packet) -> None:
        if packet.kind == "ping":
            ack = Packet("ack", self.name, packet.serial, packet.origin, gossip=self._broadcasts(self.rules.wire.ack_bytes + 2))
            self.pool.carry(ack, packet.sender)
        elif packet.kind == "ack":
            self._ack(packet)
        elif packet.kind == "nack":
            self.nacks[packet.serial] = self.nacks.get(packet.serial, 0) + 1
        elif packet.kind == "indirect":
            self.env.process(self._relay(packet))
        for message in packet.gossip:
            if message.kind == "alive":
                self._alive(message.subject, message.inc)
            elif message.kind == "suspect":
                self._suspect(message.subject, message.inc, message.accuser)
            else:
                self._dead(message.subject, message.inc)

    def _ack(self, packet: Packet) -> None:
        if packet.origin == self.name:
            answered = self.answered.get(packet.serial)
            if answered is not None and not answered.triggered:
                answered.succeed()
            return
        relayed = self.relayed.pop((packet.origin, packet.serial), None)
        if relayed is not None:
            relayed.succeed()
            forward = Packet("ack", self.name, packet.serial, packet.origin, gossip=self._broadcasts(self.rules.wire.ack_bytes + 2))
            self.pool.carry(forward, packet.origin)

    def _relay(self, request: Packet) -> Steps:
        answered = self.relayed[request.origin, request.serial] = self.env.event()
        ping = Packet("ping", self.name, request.serial, request.origin, gossip=self._broadcasts(self.rules.wire.ping_bytes + 2))
        self.pool.carry(ping, request.target)
        yield answered | self.env.timeout(self.dials.nack_ms / 1000)
        if not answered.triggered and self.guard.probe:
            nack = Packet("nack", self.name, request.serial, request.origin, gossip=self._broadcasts(self.rules.wire.nack_bytes + 2))
            yield from self._send(nack, request.origin)

    # rules ---------------------------------------------------------------------------------------------------------

    def _alive(self, name: int, inc: int) -> None:
        if name == self.name:
            if inc > self.views[name].inc:
                self._refute(inc)
            return
        view = self.views.get(name)
        if view is None:
            view = self.views[name] = View("dead", 0, self.env.now)
            place = int(self.chance.integers(0, len(self.order)))
            self.order.append(self.order[place])
            self.order[place] = name
        if inc <= view.inc:
            return
        view.suspicion = None
        self._broadcast("alive", name, inc, name)
        self._change(view, "alive", inc)

    def _suspect(self, name: int, inc: int, accuser: int) -> None:
        view = self.views.get(name)
        if view is None or inc < view.inc:
            return
        if view.suspicion is not None:
            self._confirm(name, view, inc, accuser)
        elif view.state == "alive" and name == self.name:
            self._refute(inc)
        elif view.state == "alive":
            self._broadcast("suspect", name, inc, accuser)
            self._change(view, "suspect", inc)
            view.suspicion = Suspicion(len(self.order), [accuser])
            self._arm(name, view)

    def _confirm(self, name: int, view: View, inc: int, accuser: int) -> None:
        suspicion = view.suspicion
        assert suspicion is not None
        wanted = formulas.confirmations_wanted(suspicion.members, self.dials.suspicion_mult) if self.guard.suspicion else 0
        if len(suspicion.accusers) - 1 >= wanted or accuser in suspicion.accusers:
            return
        suspicion.accusers.append(accuser)
        self._broadcast("suspect", name, inc, accuser)
        self._arm(name, view)

    def _arm(self, name: int, view: View) -> None:
        suspicion = view.suspicion
        assert suspicion is not None
        shortest_ms = formulas.suspicion_timeout_ms(suspicion.members, self.dials.probe_interval_ms, self.dials.suspicion_mult)
        wanted = formulas.confirmations_wanted(suspicion.members, self.dials.suspicion_mult) if self.guard.suspicion else 0
        longest_ms = self.dials.suspicion_max_mult * shortest_ms
        after_ms = formulas.suspicion_after_ms(len(suspicion.accusers) - 1, wanted, shortest_ms, longest_ms)
        due_s = max(self.env.now, view.changed_s + after_ms / 1000)
        suspicion.timer = self.env.process(self._run_out(name, view, suspicion, len(suspicion.accusers), due_s))

    def _run_out(self, name: int, view: View, suspicion: Suspicion, accusers: int, due_s: float) -> Steps:
        yield self.env.timeout(due_s - self.env.now)
        if self.running and view.suspicion is suspicion and len(suspicion.accusers) == accusers:
            self._dead(name, view.inc)

    def _dead(self, name: int, inc: int) -> None:
        view = self.views.get(name)
        if view is None or inc < view.inc or view.state == "dead":
            return
        if name == self.name:
            self._refute(inc)
            return
        view.suspicion = None
        self._broadcast("dead", name, inc, self.name)
        self._change(view, "dead", inc)
        self.pool.note_failure(self.name, name)

    def _refute(self, inc: int) -> None:
        me = self.views[self.name]
        me.inc = max(me.inc, inc) + 1
        self._change_score(1)
        self._broadcast("alive", self.name, me.inc, self.name)

    def _change(self, view: View, state: str, inc: int) -> None:
        view.inc = inc
        if view.state != state:
            view.state, view.changed_s = state, self.env.now

    def _change_score(self, delta: int) -> None:
        if self.guard.probe:
            self.score = formulas.health_score(self.score, delta, 8)

    # queue and lists -----------------------------------------------------------------------------------------------

    def _broadcast(self, kind: str, name: int, inc: int, accuser: int) -> None:
        self.numbers += 1
        self.queue[name] = Message(kind, name, inc, accuser, 0, self.numbers)

    def _broadcasts(self, used: int) -> list[Message]:
        """Fewest transmissions first, then the larger, then the newer, as long as they fit."""
        room, chosen = 1400 - 2 - used, []
        limit = formulas.retransmit_limit(len(self.order), self.dials.retransmit_mult)
        for message in sorted(self.queue.values(), key=lambda m: (m.sent, m.kind != "alive", -m.number)):
            size = (self.rules.wire.alive_bytes if message.kind == "alive" else self.rules.wire.accusation_bytes) + 2
            if size <= room:
                room -= size
                message.sent += 1
                chosen.append(Message(message.kind, message.subject, message.inc, message.accuser))
                if message.sent >= limit:
                    del self.queue[message.subject]
        return chosen

    def _hears(self, other: int) -> bool:
        view = self.views[other]
        return view.state != "dead" or self.env.now - view.changed_s <= self.dials.gossip_to_dead_ms / 1000

    def _random_members(self, count: int, wanted: Any) -> list[int]:
        chosen: list[int] = []
        for _ in range(3 * len(self.order)):
            if len(chosen) >= count:
                break
            other = self.order[int(self.chance.integers(0, len(self.order)))]
            if other != self.name and other not in chosen and wanted(other):
                chosen.append(other)
        return chosen

    def _next_target(self) -> int | None:
        for _ in range(2 * len(self.order) + 1):
            if self.lap_at >= len(self.order):
                self._reset()
            name = self.order[self.lap_at]
            self.lap_at += 1
            if name != self.name and self.views[name].state != "dead":
                return name
        return None

    def _reset(self) -> None:
        kept_s = self.dials.gossip_to_dead_ms / 1000
        self.order = [n for n in self.order if self.views[n].state != "dead" or self.env.now - self.views[n].changed_s <= kept_s]
        self.views = {name: self.views[name] for name in self.order}
        self.order = [self.order[int(place)] for place in self.chance.permutation(len(self.order))]
        self.lap_at = 0
