"""Measure what an app node uses at rest, so that its cap is a stated multiple of it and not a figure of one machine.

The measurement is kept in the cache, because it belongs to the machine and the workload, not to one cluster.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from lab.cluster.world import KindWorld
from lab.core import paths
from lab.core.experiment import Workload

WINDOW_S = 20.0
"""Chosen: ten periods of the slowest steady activity but one (Consul's push/pull, 30 s); the spread over five nodes averages the rest."""


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
    before = {name: world.docker.stats(name).cpu_s for name in world.app_nodes}
    started_s = world.clock.now_s()
    world.clock.sleep(WINDOW_S)
    took_s = world.clock.now_s() - started_s
    uses = [(world.docker.stats(name).cpu_s - before[name]) / took_s for name in world.app_nodes]
    return Calibration(workload.pods, workload.requests_per_s, round(sum(uses) / len(uses), 4), round(max(uses), 4), round(took_s, 1))


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
