"""OpenMetrics, in two files: `summary.txt` holds what became of the run, each metric once; `series.txt` holds every sample with its time.

The first is for a gateway or a text collector (`promtool check metrics`), the second fills a Prometheus with the run as it was
(`promtool tsdb create-blocks-from openmetrics series.txt DIR`).
"""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import generate_latest as prometheus_text
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from lab.core.history import Event
from lab.report.exports.metrics import PREFIX, metric_of
from lab.report.exports.stored import Files, Stored


def openmetrics(run: Stored) -> Files:
    """`summary.txt` and `series.txt`."""
    return {"summary.txt": exposition(summary(run)), "series.txt": exposition(series(run))}


def exposition(families: Iterable[Metric]) -> bytes:
    """The text of OpenMetrics 1.0."""
    return generate_latest(_Told(families))  # type: ignore[arg-type,no-any-return,no-untyped-call,unused-ignore]


def plain(families: Iterable[Metric]) -> bytes:
    """The older text format of Prometheus, which every version of it and of its tools reads."""
    return prometheus_text(_Told(families))


def gauge(name: str, told: str, samples: Iterable[tuple[Mapping[str, str], float | None]]) -> GaugeMetricFamily:
    """One gauge; samples without a value are left out, as missing is not zero."""
    known = [(labels, value) for labels, value in samples if value is not None]
    unit = next((unit for unit in ("seconds", "bytes") if name.endswith(f"_{unit}")), "")
    family = GaugeMetricFamily(PREFIX + name, told, labels=list(known[0][0]) if known else [], unit=unit)
    for labels, value in known:
        family.add_metric(list(labels.values()), value)
    return family


def summary(run: Stored) -> Iterator[Metric]:
    """What became of the run. Moments are seconds on its own clock."""
    verdict = run.verdict
    own = {"experiment": verdict.experiment, "run": run.name, "world": run.world}
    facts = {**own, "verdict": verdict.verdict, "expected": verdict.expected.verdict, "status": verdict.status}
    yield gauge("run_info", "The run and its verdict.", [(facts, 1.0)])
    yield gauge("run_as_expected", "1 if the run showed what its experiment expects.", [(own, float(verdict.as_expected))])
    yield gauge("run_duration_seconds", "Length of the run.", [(own, run.history.end_s)])
    links = [({**own, "link": str(result.link), "title": result.title}, result) for result in verdict.links]
    known = [(labels, result) for labels, result in links if result.status in {"fired", "quiet"}]
    yield gauge("link_fired", "1 if the link fired, 0 if it stayed quiet.", [(each, float(r.status == "fired")) for each, r in known])
    yield gauge("link_fired_at_seconds", "When the link fired.", [(labels, result.fired_at_s) for labels, result in links])
    yield gauge("link_lag_seconds", "From the link before it.", [(labels, result.lag_s) for labels, result in links])
    yield gauge(
        "link_recovered_at_seconds", "From when it was back for good.", [(labels, result.recovered_at_s) for labels, result in links]
    )
    peaks = [({**labels, "unit": result.unit}, result.peak) for labels, result in links]
    yield gauge("link_peak", "Largest value of the measure of the link, in the unit of its label.", peaks)
    yield from _lines(run, own)
    yield from _requests(run, own)


def series(run: Stored) -> Iterator[Metric]:
    """Every sample that has a value, with its time in UTC; answers of the same moment are moved apart by a millisecond, as times must rise."""
    by_name: dict[str, dict[str, list[Event]]] = {}
    for event in run.samples():
        if event["value"] is not None:
            by_name.setdefault(event["series"], {}).setdefault(event["target"], []).append(event)
    for name, by_target in sorted(by_name.items()):
        metric = metric_of(name)
        kind = CounterMetricFamily if metric.counter else GaugeMetricFamily
        family = kind(metric.name, metric.help, labels=["experiment", "run", "world", "target"], unit=metric.unit)
        for target, events in sorted(by_target.items()):
            for at_ms, value in _rising(events, round(run.started.timestamp() * 1000)):
                family.add_metric([run.verdict.experiment, run.name, run.world, target], value * metric.factor, timestamp=at_ms / 1000)
        yield family


def _rising(events: Iterable[Event], started_ms: int) -> Iterator[tuple[int, float]]:
    """Time in ms since the epoch and value of each sample."""
    last_ms = 0
    for event in sorted(events, key=lambda each: each.at_s):
        last_ms = max(started_ms + round(event.at_s * 1000), last_ms + 1)
        yield last_ms, float(event["value"])


class _Told(Collector):
    """What `generate_latest` asks for: something that collects."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        """The families, in order."""
        return self._families


def _lines(run: Stored, own: Mapping[str, str]) -> Iterator[Metric]:
    logs = run.verdict.logs
    if logs is not None:
        fates = ("written", "delivered", "backlog", "gone_with_pod", "unaccounted", "duplicates")
        yield gauge("log_lines", "Where the log lines went.", [({**own, "fate": fate}, float(getattr(logs, fate))) for fate in fates])


def _requests(run: Stored, own: Mapping[str, str]) -> Iterator[Metric]:
    requests = run.verdict.requests
    if requests is None:
        return
    profiles = requests.profiles.items()
    counts = [({**own, "profile": name, "outcome": "failed"}, float(told.failed)) for name, told in profiles]
    counts += [({**own, "profile": name, "outcome": "answered"}, float(told.n - told.failed)) for name, told in profiles]
    yield gauge("requests", "Requests of the users.", counts)
    for share in ("p50", "p99"):
        tails = [({**own, "profile": profile}, _seconds(getattr(told, f"latency_ms_{share}"))) for profile, told in profiles]
        yield gauge(f"request_latency_{share}_seconds", f"The {share} of the latency of the requests of the users.", tails)


def _seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else value_ms / 1000
