"""Parameters that no equation shows: fitted by simulating the runs' own experiment until it does what they did.

Compared are five measures over all runs, each of which hangs mostly on one parameter: the share of their time that replacements waited to run
(create_s), that evicted pods took until their agent left (stop_s) and until they were gone (remove_s), the seconds for which a lost node was NotReady
(status_call_s), and members noted as failed per thousand member-seconds (turn_ms).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.experiment import Experiment
from lab.core.history import History
from lab.sim.chain.parameters import Costs
from lab.sim.chain.world import Model, simulate
from lab.sim.fit.equations import Estimate

FITTED = ("create_s", "stop_s", "remove_s", "status_call_s", "turn_ms")
FLOOR = 0.01
"""Added to each measure before its logarithm is taken. Chosen: below a hundredth all are nothing."""
STEP = 0.35
"""Step of the logarithms for the derivative. Chosen: a third, so that chance between two simulations does not drown it."""
ROUNDS = 6
"""Most steps of the solution. Chosen: each costs six times `seeds` simulations."""
SPREAD_MIN = 0.15
"""Least relative scatter of a measure. Chosen: two runs that happen to agree prove no precision."""

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Measures:
    """Sums over a run after its steady phase, from which the five measures are made.

    Args:
        waited_s, ending_s: pod-seconds that pods were pending, and terminating.
        staying_s: pod-seconds from each eviction until gossip noted that the pod's agent left.
        since_s: pod-seconds from each eviction to the end of the watch.
        lost_s: node-seconds of NotReady.
        losses: how often a node was lost.
        failed: members noted as failed.
        member_s: member-seconds of the pool.
    """

    waited_s: float = 0.0
    staying_s: float = 0.0
    ending_s: float = 0.0
    since_s: float = 0.0
    lost_s: float = 0.0
    losses: float = 0.0
    failed: float = 0.0
    member_s: float = 0.0

    def __add__(self, other: "Measures") -> "Measures":
        return Measures(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def logs(self) -> NDArray[np.float64]:
        """(5,) logarithms of the measures, in the order of `FITTED`."""
        since_s = max(self.since_s, 1e-9)
        shares = [self.waited_s / since_s, self.staying_s / since_s, self.ending_s / since_s]
        return np.log(np.array([*shares, self.lost_s / max(self.losses, 1.0), 1000 * self.failed / max(self.member_s, 1e-9)]) + FLOOR)


def measure(history: History) -> Measures:
    """Of a real run or a simulated one."""
    steady, recovery = history.phase("steady"), history.phase("recovery")
    begin_s, end_s = steady[1] if steady else 0.0, recovery[1] if recovery else history.end_s
    evicted = {event["pod"]: event.at_s for event in history.of("pod") if event["change"] == "evicting" and begin_s <= event.at_s <= end_s}
    noted = [event for event in history.of("member_change") if begin_s <= event.at_s <= end_s]
    left = {event["member"]: event.at_s for event in noted if event["state"] == "left"}
    return Measures(
        waited_s=_area(history, "pods_pending", begin_s, end_s),
        ending_s=_area(history, "pods_terminating", begin_s, end_s),
        staying_s=sum(max(0.0, left.get(pod, end_s) - at_s) for pod, at_s in evicted.items()),
        since_s=sum(end_s - at_s for at_s in evicted.values()),
        lost_s=_area(history, "nodes_not_ready", begin_s, end_s),
        losses=float(sum(event["ready"] != "True" and begin_s <= event.at_s <= end_s for event in history.of("node"))),
        failed=float(sum(event["state"] == "failed" for event in noted)),
        member_s=_area(history, "members_alive", begin_s, end_s),
    )


def fit_dynamics(
    real: Sequence[Measures], experiment: Experiment, costs: Costs, seeds: Sequence[int], told: Told
) -> tuple[Costs, dict[str, Estimate]]:
    """Costs with the five parameters fitted, and their estimates. Without an eviction in any run they stay as chosen.

    Args:
        real: of the runs.
        experiment: that they ran.
        costs: with all else fitted already.
        seeds: simulated at each step, the same every time.
        told: hears how far it is.
    """
    from scipy.optimize import least_squares  # noqa: PLC0415  # only a fit needs SciPy, and it is no dependency of a run

    total = sum(real, Measures())
    if total.since_s <= 0:
        return costs, {name: _kept(getattr(costs, name)) for name in FITTED}
    wanted, spread = total.logs(), _spread(real)
    start = np.log([getattr(costs, name) for name in FITTED])
    calls = 0

    def residuals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal calls
        calls += 1
        told(f"simulation {calls}: {len(seeds)} seeds with {', '.join(f'{name} {value:.3g}' for name, value in _named(logs).items())}")
        found = sum((measure(simulated(experiment, replace(costs, **_named(logs)), seed)) for seed in seeds), Measures())
        return np.concatenate([(found.logs() - wanted) / spread, (logs - start) / math.log(10)])

    solved = least_squares(residuals, start, diff_step=STEP / np.maximum(np.abs(start), 1e-3), max_nfev=ROUNDS)
    errors = np.sqrt(np.diag(np.linalg.inv(solved.jac.T @ solved.jac)))
    found = {}
    for name, value, error in zip(FITTED, np.exp(solved.x), errors, strict=True):
        factor = math.exp(1.96 * float(error))
        found[name] = Estimate(float(value), float(value) / factor, float(value) * factor, float(error) < math.log(10) / 2, len(real))
    return replace(costs, **_named(solved.x)), found


def simulated(experiment: Experiment, costs: Costs, seed: int) -> History:
    """The history of one simulated run."""
    return History(simulate(experiment.model_copy(update={"seed": seed}), Model(costs=costs)).events)


def _named(logs: NDArray[np.float64]) -> dict[str, Any]:
    return dict(zip(FITTED, map(float, np.exp(logs)), strict=True))


def _spread(real: Sequence[Measures]) -> NDArray[np.float64]:
    """(5,) standard errors of the logarithms over all runs, by leaving out one after the other."""
    if len(real) < 3:
        return np.full(len(FITTED), 0.5)
    parts = np.array([sum((each for each in real if each is not left), Measures()).logs() for left in real])
    count = len(real)
    return np.asarray(np.maximum(SPREAD_MIN, np.sqrt((count - 1) / count * ((parts - parts.mean(axis=0)) ** 2).sum(axis=0))))


def _kept(value: float) -> Estimate:
    return Estimate(value, value / 10, value * 10, seen=False, n=0)


def _area(history: History, series: str, begin_s: float, end_s: float) -> float:
    """Value x seconds; each sample lasts until the next, a missing one counts for nothing."""
    samples = [sample for sample in history.samples(series) if begin_s <= sample.at_s <= end_s]
    ends = [sample.at_s for sample in samples[1:]] + [end_s]
    return sum((until_s - sample.at_s) * sample.value for sample, until_s in zip(samples, ends, strict=True) if sample.value is not None)
