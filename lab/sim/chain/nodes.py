"""App nodes: how a capped CPU is shared, and what kubelet and runtime make of their part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.sim.chain.parameters import Costs, Timers

Floats = NDArray[np.float64]
ROUNDS = 8
"""Of water filling. Chosen: each round leaves at most the few whose wish lay between two levels; the rest is below a thousandth of a core."""


@dataclass(slots=True)
class Nodes:
    """(N,) arrays, one row a node.

    Args:
        names: as Kubernetes would call them.
        cap_cores: most CPU that all of a node may use.
        ready: as the node controller sees it.
        renewed_at_s: last renewal of its lease.
        lost_at_s: when the controller last lost it.
        lease_left_s: undisturbed seconds until the lease is renewed next.
        status_left_s: the same for the node's status, which alone makes a lost node Ready again.
        pace, status_pace: how fast a full node is at the renewal under way, against the mean.
        system_share: what kubelet and runtime got of what they asked for, in (0, 1].
        rigid_share: the same for all containers that ask for little.
        full: more was asked for than the cap.
        load: CPU used over the cap.
    """

    names: list[str]
    cap_cores: float
    ready: NDArray[np.bool_]
    renewed_at_s: Floats
    lost_at_s: Floats
    lease_left_s: Floats
    status_left_s: Floats
    pace: Floats
    status_pace: Floats
    system_share: Floats
    rigid_share: Floats
    full: NDArray[np.bool_]
    load: Floats

    @classmethod
    def at_rest(cls, count: int, cap_cores: float, timers: Timers, chance: np.random.Generator) -> "Nodes":
        """All Ready, anywhere between two renewals."""
        names = ["cascade-lab-worker" + str(number) for number in range(2, 2 + count)]
        left_s, status_s = chance.uniform(0, timers.lease_renew_s, count), chance.uniform(0, timers.status_s, count)
        ones, zeros = np.ones(count), np.zeros(count)
        return cls(
            names=names,
            cap_cores=cap_cores,
            ready=np.ones(count, bool),
            renewed_at_s=left_s - timers.lease_renew_s,
            lost_at_s=zeros.copy(),
            lease_left_s=left_s,
            status_left_s=status_s,
            pace=ones.copy(),
            status_pace=ones.copy(),
            system_share=ones.copy(),
            rigid_share=ones.copy(),
            full=np.zeros(count, bool),
            load=zeros.copy(),
        )

    def share_cpu(self, system_asks: Floats, rigid_asks: Floats, of: NDArray[np.int64], greedy_asks: Floats, costs: Costs) -> Floats:
        """Split the caps for a second; what each greedy container got, in cores.

        With the cap c, the system's wish s, the wishes p of small containers and e of greedy ones (loggers with a backlog, starting pods): the system
        gets min(s, max(k c, c - p - e)), k being `system_share`; small containers, each below a fair share, get min(p, rest); greedy ones split what
        is left evenly, none more than it asked for.

        Args:
            system_asks: (N,) cores that kubelet and runtime could use.
            rigid_asks: (N,) cores of all small containers.
            of: (E,) node of each greedy container.
            greedy_asks: (E,) cores.
            costs: for k.
        """
        count = len(self.names)
        greedy = per_node(of, greedy_asks, count)
        left = self.cap_cores - rigid_asks - greedy
        system = np.minimum(system_asks, np.maximum(costs.system_share * self.cap_cores, left))
        self.full = left < system_asks
        rigid = np.minimum(rigid_asks, self.cap_cores - system)
        got = water_fill(self.cap_cores - system - rigid, of, greedy_asks)
        self.system_share = system / system_asks
        self.rigid_share = np.divide(rigid, rigid_asks, out=np.ones(count), where=rigid_asks > 0)
        self.load = np.minimum(1.0, (system + rigid + per_node(of, got, count)) / self.cap_cores)
        return got

    def run_kubelets(
        self, at_s: float, timers: Timers, costs: Costs, chance: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """A second of every kubelet: nodes whose lease was renewed, and nodes whose status was.

        A renewal takes `lease_renew_s` of undisturbed time. Progress per second is 1, on a full node the system's share times a pace that is drawn
        anew for each renewal, log-normal with median 1.
        """
        self.lease_left_s -= self._progress(self.pace)
        self.status_left_s -= self._progress(self.status_pace)
        renewed, posted = np.flatnonzero(self.lease_left_s <= 1e-9), np.flatnonzero(self.status_left_s <= 1e-9)
        self.lease_left_s[renewed] += timers.lease_renew_s
        self.renewed_at_s[renewed] = at_s
        self.pace[renewed] = chance.lognormal(0, costs.share_spread, len(renewed))
        self.status_left_s[posted] += timers.status_s
        self.status_pace[posted] = chance.lognormal(0, costs.share_spread, len(posted))
        return renewed, posted

    def throttled(self, costs: Costs) -> Floats:
        """(N,) share of scheduler periods in which a node ran into its cap: load ** throttle_power; an empirical law, see `Costs`."""
        return np.asarray(self.load**costs.throttle_power)

    def _progress(self, pace: Floats) -> Floats:
        return np.where(self.full, np.minimum(1.0, self.system_share * pace), 1.0)


def per_node(of: NDArray[np.int64], amounts: Floats, count: int) -> Floats:
    """(N,) sums of (E,) amounts over the `count` nodes that they belong to."""
    return np.asarray(np.bincount(of, amounts, count), np.float64)


def water_fill(room: Floats, of: NDArray[np.int64], asks: Floats) -> Floats:
    """(E,) what each of those who ask gets of the room of its node: the same for all, but none more than it asks for."""
    got, left, room = np.zeros(len(asks)), asks.copy(), np.maximum(room, 0.0)
    for _ in range(ROUNDS):
        waiting = left > 1e-9
        many = np.bincount(of[waiting], minlength=len(room))
        if not waiting.any() or not (room[many > 0] > 1e-9).any():
            break
        level = np.divide(room, many, out=np.zeros(len(room)), where=many > 0)
        take = np.where(waiting, np.minimum(left, level[of]), 0.0)
        got, left = got + take, left - take
        room = room - per_node(of, take, len(room))
    return got
