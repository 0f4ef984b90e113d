"""App nodes: how a capped CPU is shared, and how the kubelet's loops fare."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.sim.chain.kubelets import Loop
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
        lease: the loop that renews it.
        status: the loop that posts the node's status, which alone makes a lost node Ready again.
        kubelet_share: what containers leave of the kubelet's need at rest, in (0, 1].
        work_share: what the runtime got of what it asked for, in (0, 1].
        rigid_share: the same for all containers that ask for little.
        full: more was asked for than the cap.
        load: CPU used over the cap.
    """

    names: list[str]
    cap_cores: float
    ready: NDArray[np.bool_]
    renewed_at_s: Floats
    lost_at_s: Floats
    lease: Loop
    status: Loop
    kubelet_share: Floats
    work_share: Floats
    rigid_share: Floats
    full: NDArray[np.bool_]
    load: Floats

    @classmethod
    def at_rest(cls, count: int, cap_cores: float, timers: Timers, chance: np.random.Generator) -> "Nodes":
        """All Ready, anywhere between two renewals."""
        names = ["cascade-lab-worker" + str(number) for number in range(2, 2 + count)]
        lease = Loop.at_rest(count, timers.lease_renew_s, timers.lease_timeout_s, chance)
        status = Loop.at_rest(count, timers.status_s, timers.status_timeout_s, chance)
        ones, zeros = np.ones(count), np.zeros(count)
        return cls(
            names=names,
            cap_cores=cap_cores,
            ready=np.ones(count, bool),
            renewed_at_s=lease.left_s - timers.lease_renew_s,
            lost_at_s=zeros.copy(),
            lease=lease,
            status=status,
            kubelet_share=ones.copy(),
            work_share=ones.copy(),
            rigid_share=ones.copy(),
            full=np.zeros(count, bool),
            load=zeros.copy(),
        )

    def share_cpu(self, work_asks: Floats, rigid_asks: Floats, of: NDArray[np.int64], greedy_asks: Floats, costs: Costs) -> Floats:
        """Split the caps for a second; what each greedy container got, in cores.

        With the cap c, the system's wish s = `system_cores` + work, the wishes p of small containers and e of greedy ones (loggers with a backlog,
        starting pods): the system gets min(s, max(k c, c - p - e)), k being `system_share`; small containers, each below a fair share, get
        min(p, rest); greedy ones split what is left evenly, none more than it asked for. The kubelet's loops do not queue behind the runtime's
        work, which has a slice of its own (lab/cluster/shape.py); they see what containers leave: min(1, max(k c, c - p - e) / system_cores).

        Args:
            work_asks: (N,) cores that making and ending pods could use.
            rigid_asks: (N,) cores of all small containers.
            of: (E,) node of each greedy container.
            greedy_asks: (E,) cores.
            costs: for k and the need at rest.
        """
        count = len(self.names)
        greedy = per_node(of, greedy_asks, count)
        left = self.cap_cores - rigid_asks - greedy
        granted = np.maximum(costs.system_share * self.cap_cores, left)
        system_asks = costs.system_cores + work_asks
        system = np.minimum(system_asks, granted)
        self.full = left < system_asks
        rigid = np.minimum(rigid_asks, self.cap_cores - system)
        got = water_fill(self.cap_cores - system - rigid, of, greedy_asks)
        self.kubelet_share = np.minimum(1.0, granted / costs.system_cores)
        self.work_share = system / system_asks
        self.rigid_share = np.divide(rigid, rigid_asks, out=np.ones(count), where=rigid_asks > 0)
        self.load = np.minimum(1.0, (system + rigid + per_node(of, got, count)) / self.cap_cores)
        return got

    def run_kubelets(self, at_s: float, costs: Costs, chance: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """A second of every kubelet: nodes whose lease was renewed, and nodes whose status was posted."""
        renewed = self.lease.step(self.kubelet_share, costs.lease_call_s, costs.call_spread, chance)
        posted = self.status.step(self.kubelet_share, costs.status_call_s, costs.call_spread, chance)
        self.renewed_at_s[renewed] = at_s
        return renewed, posted

    def throttled(self, costs: Costs) -> Floats:
        """(N,) share of scheduler periods in which a node ran into its cap: load ** throttle_power; an empirical law, see `Costs`."""
        return np.asarray(self.load**costs.throttle_power)


def per_node(of: NDArray[np.int64], amounts: Floats, count: int) -> Floats:
    """(N,) sums of (E,) amounts over the `count` nodes that they belong to."""
    return np.asarray(np.bincount(of, amounts, count), np.float64)


def water_fill(room: Floats, of: NDArray[np.int64], asks: Floats) -> Floats:
    """(E,) what each of those who ask gets of the room of its node: the same for all, but none more than it asks for."""
    got, left, room = np.zeros(len(asks)), asks.copy(), np.maximum(room, 0.0)
    for _ in range(ROUNDS):
        waiting = np.flatnonzero(left > 1e-9)
        at = of[waiting]
        many = np.bincount(at, minlength=len(room))
        if not len(waiting) or not (room[many > 0] > 1e-9).any():
            break
        level = np.divide(room, many, out=np.zeros(len(room)), where=many > 0)
        take = np.minimum(left[waiting], level[at])
        got[waiting] += take
        left[waiting] -= take
        room = room - per_node(at, take, len(room))
    return got
