"""Measure what an app node uses at rest, so that its cap is a stated multiple of it and not a figure of one machine.

The measurement is kept in the cache, because it belongs to the machine and the workload, not to one cluster.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from lab.cluster.settle import until
from lab.cluster.shape import Plan
from lab.cluster.world import KindWorld
from lab.core import paths
from lab.core.experiment import Workload
from lab.core.progress import Progress

WINDOW_S = 20.0
"""Chosen: ten periods of the slowest steady activity but one (Consul's push/pull, 30 s); the spread over five nodes averages the rest."""

CALM_WINDOW_S = 5.0
CALM_SHARE = 0.9
"""Chosen: with a cap of 1.5 times the steady use a node at rest stands at 0.67 of its cap (0.43 to 1 in 2 s), one that still starts pods at 1."""

CALM_ALLOWED_S = 120.0
"""Chosen: Consul's agents and the loggers were seen to settle within half a minute of the last pod's start."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Steady use of one app node, in cores: mean over the nodes, and the largest; measured uncapped under this workload."""

    pods: int
    requests_per_s: float
    use_cores: float
    use_cores_max: float
    window_s: float


def measure(world: KindWorld, workload: Workload) -> Calibration:
    """Use of the app nodes over `WINDOW_S`, with the workload running and no cap set."""
    uses = list(uses_cores(world, WINDOW_S).values())
    return Calibration(workload.pods, workload.requests_per_s, round(sum(uses) / len(uses), 4), round(max(uses), 4), WINDOW_S)


def uses_cores(world: KindWorld, window_s: float) -> dict[str, float]:
    """Mean use of each app node over `window_s`, in cores."""
    before = {name: world.docker.stats(name).cpu_s for name in world.app_nodes}
    started_s = world.clock.now_s()
    world.clock.sleep(window_s)
    took_s = world.clock.now_s() - started_s
    return {name: (world.docker.stats(name).cpu_s - before[name]) / took_s for name in world.app_nodes}


def await_calm(world: KindWorld, progress: Progress, plan: Plan) -> None:
    """Wait, under the caps, until no app node has more to do than a steady one: what pods do when they start must not count as steady.

    Raises:
        Aborted: a node stays busy.
    """

    def busy() -> str:
        most = {name: use for name, use in uses_cores(world, CALM_WINDOW_S).items() if use > CALM_SHARE * plan.app_cap_cores}
        return ", ".join(f"{name} uses {use:.2f} of {plan.app_cap_cores:.2f} cores" for name, use in most.items())

    until(progress, world.clock, "calm nodes", busy, CALM_ALLOWED_S)


def remember(calibration: Calibration) -> None:
    """Keep it for later runs of the same workload on this machine."""
    kept = {**_read(), _key(calibration.pods, calibration.requests_per_s): asdict(calibration)}
    path = paths.cache() / "calibration.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1), encoding="utf-8")


def recall(workload: Workload) -> Calibration | None:
    """The stored measurement for this workload, if there is one."""
    found = _read().get(_key(workload.pods, workload.requests_per_s))
    return Calibration(**found) if found else None


def _key(pods: int, requests_per_s: float) -> str:
    return f"{pods} pods, {requests_per_s:g} requests/s"


def _read() -> dict[str, Any]:
    path = paths.cache() / "calibration.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
