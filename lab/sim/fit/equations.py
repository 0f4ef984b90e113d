"""The equations that tie observations to parameters, and their solution by least squares."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.sim.chain.parameters import Costs, Timers
from lab.sim.fit.observed import Account, Observed

Floats = NDArray[np.float64]
CHOSEN = Costs()
PRIOR_FACTOR = 2.0
"""Each parameter is held by its chosen value as by one observation with this relative scatter. Chosen: weak, so that it decides only what the runs do not."""
PRIORS = {"system_cores": 1.25}
"""Those known better: a node of the lab without a pod was seen to use 0.015 to 0.025 core."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Of the time between renewals. Chosen: body and tail; beyond the last a run has too few."""
RENEWALS_MIN = 20
"""Fewest renewals of full nodes that have quantiles. Chosen."""
LATENCIES = {
    ("read", False): ("read_ms", "read_spread"),
    ("read", True): ("starved_read_ms", "starved_read_spread"),
    ("page", False): ("page_ms", "page_spread"),
    ("page", True): ("starved_page_ms", "starved_page_spread"),
    ("cri", False): ("cri_ms", "cri_spread"),
    ("cri", True): ("starved_cri_ms", "starved_cri_spread"),
}
SOLVED = (
    "system_cores",
    "pod_cores",
    "starved_pod_cores",
    "line_written_s",
    "line_shipped_s",
    "message_s",
    "system_share",
    "call_spread",
    "throttle_power",
)
"""Parameters of the equations. `message_s` stands in none of them: 35 agents send too little to be seen."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A parameter as fitted.

    Args:
        value, low, high: and its 95 % interval.
        seen: observations decided it; otherwise its chosen value did.
        n: observations in whose equation it stands.
    """

    value: float
    low: float
    high: float
    seen: bool
    n: int


def fit(runs: Sequence[Observed]) -> dict[str, Estimate]:
    """All parameters that the equations know, from all runs together; intervals by leaving out one run after the other.

    Needs SciPy.
    """
    whole, errors, counts = _solve(runs)
    parts = [_solve([run for run in runs if run is not left])[0] for left in runs] if len(runs) > 1 else []
    found = {}
    for place, name in enumerate(whole):
        spread = errors[place]
        if parts:
            logs = np.array([math.log(part[name]) for part in parts])
            spread = max(spread, math.sqrt((len(runs) - 1) / len(runs) * float(((logs - logs.mean()) ** 2).sum())))
        factor = math.exp(1.96 * spread)
        held = math.log(PRIORS.get(name, PRIOR_FACTOR))
        found[name] = Estimate(whole[name], whole[name] / factor, whole[name] * factor, bool(errors[place] < held / 2), counts[name])
    return found | _latencies(runs) | _excess(runs, whole)


def _solve(runs: Sequence[Observed]) -> tuple[dict[str, float], Floats, dict[str, int]]:
    """Solution, standard errors of its logarithms, and how many equations each parameter stands in."""
    from scipy.optimize import least_squares  # noqa: PLC0415  # only a fit needs SciPy, and it is no dependency of a run

    blocks = list(_blocks(runs))
    start = np.log([getattr(CHOSEN, name) for name in SOLVED])
    held = np.log([PRIORS.get(name, PRIOR_FACTOR) for name in SOLVED])

    def residuals(logs: Floats) -> Floats:
        now = dict(zip(SOLVED, np.exp(logs), strict=True))
        return np.concatenate([(logs - start) / held, *(block.residuals(now) for block in blocks)])

    solved = least_squares(residuals, start, loss="soft_l1")
    covariance = np.linalg.inv(solved.jac.T @ solved.jac)
    counts = {name: sum(block.n for block in blocks if name in block.names) for name in SOLVED}
    return dict(zip(SOLVED, map(float, np.exp(solved.x)), strict=True)), np.sqrt(np.diag(covariance)), counts


@dataclass(frozen=True, slots=True)
class _Block:
    names: tuple[str, ...]
    n: int
    residuals: Callable[[Mapping[str, float]], Floats]


def _blocks(runs: Sequence[Observed]) -> list[_Block]:
    shippings = [each for run in runs for each in run.shippings]
    calm = [each for run in runs for each in run.accounts if not each.full]
    full = [each for run in runs for each in run.accounts if each.full]
    renewals = np.array([each for run in runs for each in run.renewals_s])
    throttled = np.array([each for run in runs for each in run.throttled]).reshape(-1, 2)
    found = []
    if shippings:
        found.append(_shipping([(each.logger_cores, each.shipped_per_s) for each in shippings]))
    if calm:
        found.append(_calm(calm))
    if full:
        found.append(_full(full))
    if len(renewals) >= RENEWALS_MIN:
        cap_cores = full[0].cap_cores if full else runs[0].accounts[0].cap_cores
        found.append(_renewals(renewals, cap_cores))
    if len(throttled):
        found.append(_throttled(throttled))
    return found


def _shipping(rows: Sequence[tuple[float, float]]) -> _Block:
    """CPU of all loggers = lines shipped a second x line_shipped_s."""
    cores, lines = np.array(rows).T
    scatter = _scatter(cores - lines * float((cores @ lines) / max(lines @ lines, 1e-9)))
    return _Block(("line_shipped_s",), len(rows), lambda now: (cores - lines * now["line_shipped_s"]) / scatter)


def _calm(rows: Sequence[Account]) -> _Block:
    """A node that is not full: CPU without its loggers = system_cores + pods x pod_cores + lines written a second x line_written_s."""
    rest, pods, written = _columns(rows)
    scatter = _scatter(rest - rest.mean())

    def residuals(now: Mapping[str, float]) -> Floats:
        return (rest - now["system_cores"] - pods * now["pod_cores"] - written * now["line_written_s"]) / scatter

    return _Block(("system_cores", "pod_cores", "line_written_s"), len(rows), residuals)


def _full(rows: Sequence[Account]) -> _Block:
    """A full node: CPU without its loggers = system_share x cap + pods x starved_pod_cores + lines written a second x line_written_s."""
    rest, pods, written = _columns(rows)
    caps = np.array([row.cap_cores for row in rows])
    scatter = _scatter(rest - rest.mean())

    def residuals(now: Mapping[str, float]) -> Floats:
        return (rest - now["system_share"] * caps - pods * now["starved_pod_cores"] - written * now["line_written_s"]) / scatter

    return _Block(("system_share", "starved_pod_cores", "line_written_s"), len(rows), residuals)


def _renewals(seen_s: Floats, cap_cores: float) -> _Block:
    """Quantiles of the logarithm of the time between renewals of a node that containers have filled; the law of lab/sim/chain/kubelets.py.

    It is lease_renew_s and the calls until one is in time, each lease_call_s x (1 / share - 1) x L, with share = system_share x cap / system_cores and
    a log-normal L. `lease_call_s` stays as chosen: only its product with (1 / share - 1) is seen.
    """
    timers, call_s = Timers(), CHOSEN.lease_call_s
    logs = np.log(np.quantile(seen_s, QUANTILES))
    scatter = 1.25 * float(np.std(np.log(seen_s))) / math.sqrt(len(seen_s))

    def residuals(now: Mapping[str, float]) -> Floats:
        lack = max(0.0, now["system_cores"] / (now["system_share"] * cap_cores) - 1)
        calls_s = call_quantiles(call_s * lack, now["call_spread"], timers.lease_timeout_s)
        return (logs - np.log(timers.lease_renew_s + calls_s)) / scatter

    return _Block(("system_share", "system_cores", "call_spread"), len(seen_s), residuals)


def call_quantiles(median_s: float, spread: float, timeout_s: float) -> Floats:
    """`QUANTILES` of the time until a log-normal call ends that is made again whenever it takes longer than `timeout_s`.

    With q the share that does, P(T > n timeout_s + r) = q ** n x P(call > r) for r below the time-out.
    """
    from scipy.special import ndtr, ndtri  # noqa: PLC0415  # only a fit needs SciPy, and it is no dependency of a run

    later = 1 - np.array(QUANTILES)
    median_s = max(median_s, 1e-9)
    again = max(1e-12, float(1 - ndtr(math.log(timeout_s / median_s) / spread)))
    times = np.floor(np.log(later) / math.log(min(again, 1 - 1e-12)))
    return np.asarray(times * timeout_s + median_s * np.exp(spread * ndtri(1 - later / again**times)), np.float64)


def _throttled(rows: Floats) -> _Block:
    """Throttled share of periods = load ** throttle_power."""
    load, ratio = rows.T
    return _Block(("throttle_power",), len(rows), lambda now: (ratio - load ** now["throttle_power"]) / 0.1)


def _columns(rows: Sequence[Account]) -> tuple[Floats, Floats, Floats]:
    rest = np.array([row.cpu_cores - row.logger_cores for row in rows])
    return rest, np.array([row.pods for row in rows]), np.array([row.written_per_s for row in rows])


def _scatter(differences: Floats) -> float:
    """A robust standard deviation; never nothing."""
    return max(1.4826 * float(np.median(np.abs(differences - np.median(differences)))), 1e-4)


def _latencies(runs: Sequence[Observed]) -> dict[str, Estimate]:
    """Medians and spreads in logarithms: least squares in closed form, intervals from the spread between runs."""
    found = {}
    for key, (median_name, spread_name) in LATENCIES.items():
        logs = [np.log(run.latencies[key]) for run in runs if len(run.latencies[key]) >= RENEWALS_MIN]
        if not logs:
            continue
        everything = np.concatenate(logs)
        middles, spreads = np.array([part.mean() for part in logs]), np.array([part.std() for part in logs])
        many = len(logs)
        error = float(middles.std(ddof=1)) / math.sqrt(many) if many > 1 else float(everything.std()) / math.sqrt(len(everything))
        half = float(spreads.std(ddof=1)) / math.sqrt(many) if many > 1 else float(everything.std()) / math.sqrt(2 * len(everything))
        middle, spread = math.exp(float(middles.mean())), float(everything.std())
        found[median_name] = Estimate(middle, middle / math.exp(1.96 * error), middle * math.exp(1.96 * error), True, len(everything))
        found[spread_name] = Estimate(spread, spread - 1.96 * half, spread + 1.96 * half, True, len(everything))
    return found


def _excess(runs: Sequence[Observed], solved: Mapping[str, float]) -> dict[str, Estimate]:
    """Use while the cap was measured over use at rest: the mean over nodes of runs that say what was measured."""
    ratios = []
    for run in runs:
        calm = [row.cpu_cores for row in run.accounts if not row.full and row.logger_cores > REST_LOGGER_CORES]
        if run.calibrated_cores and calm:
            rest = np.mean(
                [
                    solved["system_cores"] + row.pods * solved["pod_cores"] + row.logger_cores
                    for row in run.accounts
                    if not row.full and row.logger_cores > REST_LOGGER_CORES
                ]
            )
            ratios.append(run.calibrated_cores / float(rest))
    if not ratios:
        return {}
    mean = float(np.mean(ratios))
    half = 1.96 * float(np.std(ratios, ddof=1)) / math.sqrt(len(ratios)) if len(ratios) > 1 else 0.1 * mean
    return {"calibration_excess": Estimate(mean, mean - half, mean + half, True, len(ratios))}


REST_LOGGER_CORES = 0.005
"""Loggers that use less stand still because the broker is away; a node is not at rest then. Chosen: a quarter of their use at rest."""


def applied(found: Mapping[str, Estimate]) -> Costs:
    """Costs with the fitted values put in.

    Raises:
        ValueError: a name that no parameter has.
    """
    names = {field.name for field in fields(Costs)}
    if unknown := sorted(set(found) - names):
        raise ValueError(f"no such parameters: {', '.join(unknown)}")
    values: dict[str, Any] = {name: estimate.value for name, estimate in found.items()}
    return Costs(**values)
