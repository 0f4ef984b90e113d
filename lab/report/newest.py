"""What a run looks like now, as metrics: the newest value of every series while it goes, and nothing of it once it is over.

Names and units are those of the export of a stored run (`lab.report.exports`), so that one dashboard shows both.
"""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from lab.core.history import Event
from lab.report.exports.metrics import metric_of
from lab.report.exports.openmetrics import gauge


class Newest:
    """Takes in a run's events in order. `run` is the name of its folder."""

    def __init__(self, run: str) -> None:
        self._own = {"experiment": "unknown", "run": run, "world": "containers"}
        self._values: dict[str, dict[str, float | None]] = {}
        self._missing: dict[str, int] = {}
        self._nodes: dict[str, str] = {}
        self._faults: dict[tuple[str, str], bool] = {}
        self._phase = "start"
        self._at_s = 0.0
        self.ended = False

    def see(self, events: Iterable[Event]) -> None:
        """Note what happened."""
        for event in events:
            self._at_s = max(self._at_s, event.at_s)
            match event.kind:
                case "run":
                    self._own["experiment"] = event["experiment"]["name"]
                    self._own["world"] = event.get("world") or "containers"
                case "sample":
                    self._see_sample(event)
                case "node":
                    self._nodes[event["node"]] = event["ready"]
                case "phase" if event["state"] == "begin":
                    self._phase = event["phase"]
                case "fault":
                    self._faults[event["fault"], str(event["target"])] = event["change"] != "closed"
                case "end":
                    self.ended = True
                case _:
                    pass

    def families(self) -> Iterator[Metric]:
        """All metrics; of a run that is over only that it is."""
        own = self._own
        yield gauge("run_active", "1 while the run goes.", [(own, float(not self.ended))])
        if self.ended:
            return
        yield gauge("run_clock_seconds", "The clock of the run, at its newest event.", [(own, self._at_s)])
        yield gauge("run_phase", "1 for the phase the run is in.", [({**own, "phase": self._phase}, 1.0)])
        nodes = [({**own, "node": node}, float(ready == "True")) for node, ready in sorted(self._nodes.items())]
        yield gauge("node_ready", "1 if the Ready condition of the node is True.", nodes)
        faults = [({**own, "fault": fault, "target": target}, float(is_open)) for (fault, target), is_open in sorted(self._faults.items())]
        yield gauge("fault_open", "1 while the fault is open.", faults)
        yield from self._series(own)

    def _series(self, own: dict[str, str]) -> Iterator[Metric]:
        labels = [*own, "target"]
        for name, by_target in sorted(self._values.items()):
            metric = metric_of(name)
            kind = CounterMetricFamily if metric.counter else GaugeMetricFamily
            family = kind(metric.name, metric.help, labels=labels, unit=metric.unit)
            for target, value in sorted(by_target.items()):
                if value is not None:
                    family.add_metric([*own.values(), target], value * metric.factor)
            yield family
        missing = CounterMetricFamily("cascade_lab_samples_missing", "Samples without a value.", labels=[*own, "series"])
        for name, count in sorted(self._missing.items()):
            missing.add_metric([*own.values(), name], count)
        yield missing

    def _see_sample(self, event: Event) -> None:
        self._values.setdefault(event["series"], {})[event["target"]] = event["value"]
        self._missing[event["series"]] = self._missing.get(event["series"], 0) + (event["value"] is None)


def none_running() -> Iterator[Metric]:
    """The metrics while no run goes."""
    yield gauge("run_active", "1 while the run goes.", [({"experiment": "", "run": "", "world": ""}, 0.0)])
