"""When what happens in a simulated run, and how much traffic there is: worked out from the experiment before the first second."""

from dataclasses import dataclass

from lab.core.experiment import Experiment

NODES = 5
"""App nodes of kind-config.yaml."""
START_S = 1
"""The history opens a second before the steady phase."""
LINES_EACH = 200
"""Lines that one request of the flood asks for. Source: loadtests/shared.py."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Moments of the run in whole seconds, and its size.

    Args:
        steady, outage, flood, recovery, end: when each phase begins, and when the watch ends.
        pods: that run from the start, each with one agent.
        nodes: that carry them, as densely as in the experiment.
        requests_per_s: users' pages, over all pods.
        asks_per_s: requests of the flood, over all pods, each for `LINES_EACH` lines.
        times: how many times the pods of the experiment there are.
        watches: blocking queries on one service, which is that of as many pods as in the experiment.
    """

    steady: int
    outage: int
    flood: int
    recovery: int
    end: int
    pods: int
    nodes: int
    requests_per_s: float
    asks_per_s: float
    times: float
    watches: int

    @classmethod
    def of(cls, experiment: Experiment) -> "Plan":
        """Seconds are rounded. With `agents`, nodes and traffic grow as the pods do, so that each node carries what it carries in the lab."""
        outage = START_S + round(experiment.steady_s)
        flood = outage + round(experiment.outage_s)
        recovery = flood + round(experiment.flood_s)
        workload = experiment.workload
        times = (experiment.agents or workload.pods) / workload.pods
        nodes = max(1, round(NODES * times))
        asks_per_s = times * workload.flood_lines_per_s / LINES_EACH
        return cls(
            steady=START_S,
            outage=outage,
            flood=flood,
            recovery=recovery,
            end=recovery + round(experiment.recovery_s),
            pods=round(times * workload.pods),
            nodes=nodes,
            requests_per_s=times * workload.requests_per_s,
            asks_per_s=asks_per_s,
            times=times,
            watches=workload.watches_per_pod * workload.pods,
        )

    def phases(self) -> list[tuple[str, int, int]]:
        """Name, begin and end of each phase that has a length."""
        bounds = [("steady", self.steady, self.outage), ("outage", self.outage, self.flood)]
        bounds += [("flood", self.flood, self.recovery), ("recovery", self.recovery, self.end)]
        return [bound for bound in bounds if bound[2] > bound[1] or bound[0] == "recovery"]

    def flooding(self, at_s: int) -> bool:
        """Do the flood's requests come in the second that begins at `at_s`?"""
        return self.asks_per_s > 0 and self.flood <= at_s < self.recovery


def arrivals(rate_per_s: float, at_s: int) -> int:
    """Whole arrivals of a paced stream in the second that begins at `at_s`; over a long time they are `rate_per_s`."""
    return int((at_s + 1) * rate_per_s) - int(at_s * rate_per_s)
