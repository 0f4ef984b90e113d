"""What can be done to the workload: kill or freeze agents, scale up and down, burn a node's CPU."""

from collections.abc import Sequence

from lab.adapters.docker import Docker
from lab.cluster.units import EXEC_TIMEOUT_S, Unit, Units

KILLED = "/run/lab-kill-agents.count"
"""In each app node: how many agents have been killed there. In memory, so gone with the node."""
FROZEN = "/run/lab-pause-agents.count"
"""The same of those that were frozen."""
AGENT = "consul"
"""Name of an agent's program."""
WORKER = "lab-stress"
"""Name of a busy process, the last word of its command line."""
TICKS_PER_S = 100
"""USER_HZ on every architecture that Kubernetes runs on (proc(5), stat)."""
KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf --namespace lab"
"""As the control plane's node has it."""


class WorkloadPowers:
    """Implements `AgentsKillable`, `AgentsPausable`, `Churnable` and `Stressable` for a world that has these parts."""

    docker: Docker
    units: Units
    control: str
    app_nodes: Sequence[str]

    def kill_agents(self, share: float, every_s: float) -> None:
        """SIGKILL this share of each app node's agents, wave after wave, until they are spared. Idempotent."""
        killing = self._killing(share, every_s)
        if not self.units.active(killing):
            self.units.ask(killing, ["rm", "-f", KILLED])
        self.units.start(killing)

    def spare_agents(self) -> None:
        """No more waves; the kubelets start what was killed. Idempotent."""
        self.units.stop(self._killing())

    def agents_hunted(self) -> bool:
        """Do the waves go on?"""
        return self.units.active(self._killing())

    def agents_killed(self) -> int:
        """Agents killed since the first wave."""
        return sum(int(text) for text in self.units.ask(self._killing(), ["sh", "-c", f"cat {KILLED} 2>/dev/null || echo 0"]))

    def pause_agents(self, share: float, away_s: float, back_s: float) -> None:
        """Stop this share of each app node's agents, let them go on, and so in turn until they are resumed. Idempotent."""
        pausing = self._pausing(share, away_s, back_s)
        if not self.units.active(pausing):
            self.units.ask(pausing, ["rm", "-f", FROZEN])
        self.units.start(pausing)

    def resume_agents(self) -> None:
        """All go on, for good. Idempotent."""
        self.units.stop(self._pausing())
        self.units.resume(self.app_nodes, AGENT)

    def agents_paused(self) -> bool:
        """Do the freezes go on, or is an agent still stopped?"""
        return self.units.active(self._pausing()) or self.units.stopped(self.app_nodes, AGENT)

    def agents_frozen(self) -> int:
        """How often an agent was stopped since the first freeze."""
        return sum(int(text) for text in self.units.ask(self._pausing(), ["sh", "-c", f"cat {FROZEN} 2>/dev/null || echo 0"]))

    def churn_pods(self, low: int, high: int, half_period_s: float) -> None:
        """Scale the workload to `low` and to `high` pods in turn, until it is settled. Idempotent."""
        self.units.start(self._churning(low, high, half_period_s))

    def settle_pods(self, pods: int) -> None:
        """End the churn at `pods` pods. Idempotent."""
        self.units.stop(self._churning())
        command = f"{KUBECTL} scale deployment/app --replicas={pods}"
        self.docker.run_checked(self.control, ["sh", "-c", command], timeout_s=EXEC_TIMEOUT_S)

    def pods_churn(self) -> bool:
        """Does the churn go on?"""
        return self.units.active(self._churning())

    def pods_wanted(self) -> int:
        """How many pods the deployment asks for now."""
        command = f"{KUBECTL} get deployment/app --output=jsonpath='{{.spec.replicas}}'"
        return int(self.docker.run_checked(self.control, ["sh", "-c", command], timeout_s=EXEC_TIMEOUT_S))

    def stress_nodes(self, nodes: int, workers: int) -> None:
        """Burn CPU on the first `nodes` app nodes, with the weight of their pods. Idempotent."""
        self.units.start(self._burning(nodes, workers))

    def relax_nodes(self, nodes: int) -> None:
        """End it. Idempotent."""
        self.units.stop(self._burning(nodes))

    def nodes_stressed(self, nodes: int) -> bool:
        """Does it go on?"""
        return self.units.active(self._burning(nodes))

    def cpu_burnt_s(self, nodes: int) -> float:
        """CPU seconds burnt so far, by the processes themselves: systemd has no count for a unit in a slice that the kubelet made."""
        ticks = f"for pid in $(pgrep -f '{WORKER}$'); do cat /proc/$pid/stat; done | awk '{{ sum += $14 + $15 }} END {{ print sum + 0 }}'"
        return sum(int(text) for text in self.units.ask(self._burning(nodes), ["sh", "-c", ticks])) / TICKS_PER_S

    def _killing(self, share: float = 1.0, every_s: float = 1.0) -> Unit:
        wave = _wave(share, "KILL", KILLED)
        return Unit("lab-kill-agents", self.app_nodes, f"total=0; while :; do {wave}; sleep {every_s:g}; done")

    def _pausing(self, share: float = 1.0, away_s: float = 1.0, back_s: float = 1.0) -> Unit:
        onward = "pkill -CONT -x consul || :"
        script = f"total=0; while :; do {_wave(share, 'STOP', FROZEN)}; sleep {away_s:g}; {onward}; sleep {back_s:g}; done"
        return Unit("lab-pause-agents", self.app_nodes, script, after=onward)

    def _churning(self, low: int = 0, high: int = 0, half_period_s: float = 1.0) -> Unit:
        halves = [f"{KUBECTL} scale deployment/app --replicas={pods}; sleep {half_period_s:g}" for pods in (low, high)]
        return Unit("lab-churn-pods", [self.control], f"while :; do {'; '.join(halves)}; done")

    def _burning(self, nodes: int, workers: int = 1) -> Unit:
        script = " ".join([*[f"sh -c 'while :; do :; done' {WORKER} &"] * workers, "wait"])
        return Unit("lab-stress-node", self.app_nodes[:nodes], script, slice="kubelet-kubepods.slice")


def _wave(share: float, signal: str, count: str) -> str:
    """For /bin/sh: send a signal to this share of a node's agents, drawn anew, and add their number to `total` and the file `count`."""
    some = f"all=$(pgrep -c -x consul); some=$(pgrep -x consul | shuf -n $(( (all * {round(share * 100)} + 99) / 100 )))"
    return f'{some}; [ -z "$some" ] || {{ kill -{signal} $some; total=$((total + $(echo $some | wc -w))); echo $total > {count}; }}'
