"""Measure what nodes use at rest, so that an app node's cap is a stated multiple of it and not a figure of one machine.

The measurement is kept in the cache, because it belongs to the machine and the workload, not to one cluster.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from lab.cluster.settle import until
from lab.cluster.shape import Plan, Use
from lab.cluster.world import KindWorld
from lab.core import paths
from lab.core.experiment import Workload
from lab.core.progress import Progress

WINDOW_S = 20.0
"""Chosen: ten periods of the slowest steady activity but one (Consul's push/pull, 30 s); the spread over five nodes averages the rest."""

CALM_WINDOW_S = 5.0
CALM_SHARE = 0.9
"""Chosen: with a cap of 1.7 times the steady use a node at rest stands at 0.6 of its cap, one that still starts pods at 1."""
LEVEL_SHARE = 0.9
LEVEL_WINDOWS = 4
"""Chosen: a use that was not a tenth higher 20 s ago no longer falls; it was seen to fall by a fifth in 41 s. Before a run, whose caps are known, one
window must do: the steady phase is still to come."""
TRUE_SHARE = 0.85
"""Chosen, and of one occasion: the same 35 pods took 0.074 core beside other work and 0.058 an hour later (0.78), and a cap of 2.2 times the use
instead of 1.7 contained the flood."""

GOOD_FOR = timedelta(hours=12)
"""Chosen: the same workload took 0.124 cores one night and 0.102 the next morning on one virtual machine, whose neighbours come and go. What its
start takes is no part of it: measured 41 s later, when it no longer fell, it was 0.099. (All three as read then, a quarter too high.)"""

KEPT = "steady-use.json"
"""In the cache. An older lab's `calibration.json` holds figures that are a quarter too high: 5 s that the engine took to answer were not counted."""

CALM_ALLOWED_S = 120.0
"""Chosen: Consul's agents and the loggers were seen to settle within half a minute of the last pod's start."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Steady use of one app node, in cores: mean over the nodes, and the largest; measured uncapped under this workload, at a time in ISO 8601."""

    pods: int
    requests_per_s: float
    use_cores: float
    use_cores_max: float
    window_s: float
    measured_utc: str
    agents_per_pod: int = 1
    logging: bool = True
    watches_per_pod: int = 0
    calm_cores: float = 0.0
    """Mean use just before, without load, by which a later run sees whether it is still true; 0 where an older lab did not keep it."""
    core_use_cores: float = 0.0
    """Use of the core node; likewise."""

    @property
    def use(self) -> Use:
        """What caps are made from."""
        return Use(self.use_cores, self.core_use_cores)

    def outdone(self, calm_cores: float) -> bool:
        """Do the nodes take so much less without load today that it must have been measured beside other work?"""
        return calm_cores < TRUE_SHARE * self.calm_cores

    def stale(self, now: datetime) -> bool:
        """Is it too old to set caps by?"""
        return now - datetime.fromisoformat(self.measured_utc) > GOOD_FOR


def measure(world: KindWorld, workload: Workload, calm_cores: float) -> Calibration:
    """Use of the app nodes over `WINDOW_S`, with the workload under load and no cap set; `calm_cores` is what they took without load."""
    by_node = uses_cores(world, WINDOW_S, [*world.app_nodes, world.core])
    core_use = round(by_node.pop(world.core), 4)
    uses = list(by_node.values())
    use, most = round(sum(uses) / len(uses), 4), round(max(uses), 4)
    return Calibration(
        workload.pods,
        workload.requests_per_s,
        use,
        most,
        WINDOW_S,
        world.clock.utc().isoformat(timespec="seconds"),
        agents_per_pod=workload.agents_per_pod,
        logging=workload.logging,
        watches_per_pod=workload.watches_per_pod,
        calm_cores=calm_cores,
        core_use_cores=core_use,
    )


def uses_cores(world: KindWorld, window_s: float, nodes: Sequence[str]) -> dict[str, float]:
    """Mean use of each of these nodes over `window_s`, in cores."""
    before = {name: _read(world, name) for name in nodes}
    world.clock.sleep(window_s)
    after = {name: _read(world, name) for name in nodes}
    return {name: (after[name][1] - before[name][1]) / (after[name][0] - before[name][0]) for name in nodes}


def _read(world: KindWorld, name: str) -> tuple[float, float]:
    """When, and the CPU seconds used until then: each node has its own times, as nodes are read one after the other."""
    used_s = world.docker.used_s(name)
    return world.clock.now_s(), used_s


def await_calm(world: KindWorld, progress: Progress, plan: Plan | None = None) -> float:
    """Wait until what the pods' start takes is over: it must not count as steady, and must not meet a cap.

    A large gossip pool that is capped before it is calm stays ill: of 105 agents, capped at 1.5 times their steady use, none was calm in 120 s.

    Args:
        world: the cluster, uncapped and without load.
        progress: one step.
        plan: the caps to come, of which no app node may want nearly all; None while they are not known.

    Returns:
        Mean use of an app node over the last `CALM_WINDOW_S`, in cores.

    Raises:
        Aborted: a node stays busy, or the use goes on falling.
    """
    means: list[float] = []
    back = LEVEL_WINDOWS if plan is None else 1

    def busy() -> str:
        uses = uses_cores(world, CALM_WINDOW_S, world.app_nodes)
        means.append(sum(uses.values()) / len(uses))
        if plan is not None and (most := {name: use for name, use in uses.items() if use > CALM_SHARE * plan.app_cap_cores}):
            return ", ".join(f"{name} uses {use:.2f} of {plan.app_cap_cores:.2f} cores" for name, use in most.items())
        level = len(means) > back and means[-1] >= LEVEL_SHARE * means[-1 - back]
        return "" if level else f"a node uses {means[-1]:.3f} cores, and it must be seen not to fall"

    until(progress, world.clock, "calm nodes", busy, CALM_ALLOWED_S)
    return round(means[-1], 4)


def remember(calibration: Calibration) -> None:
    """Keep it for later runs of the same workload on this machine."""
    kept = {**_kept(), _key(calibration): asdict(calibration)}
    path = paths.cache() / KEPT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1), encoding="utf-8")


def forget(workload: Workload) -> None:
    """Measure anew before the next run of this workload."""
    kept = _kept()
    if kept.pop(_key(workload), None) is not None:
        (paths.cache() / KEPT).write_text(json.dumps(kept, indent=1), encoding="utf-8")


def recall(workload: Workload) -> Calibration | None:
    """The stored measurement for this workload, if there is one."""
    found = _kept().get(_key(workload))
    return Calibration(**found) if found else None


def _key(measured: Workload | Calibration) -> str:
    """All that a node's steady use depends on; the version of Consul is not part of it, so that versions are compared under equal caps."""
    agents = f", {measured.agents_per_pod} agents each" if measured.agents_per_pod > 1 else ""
    watches = f", {measured.watches_per_pod} watches each" if measured.watches_per_pod else ""
    return f"{measured.pods} pods{agents}{watches}, {measured.requests_per_s:g} requests/s{'' if measured.logging else ', no Kafka'}"


def _kept() -> dict[str, Any]:
    path = paths.cache() / KEPT
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
