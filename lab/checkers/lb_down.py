"""Link 8: the load balancer no longer follows the catalog, has lost its backends, or does not answer."""

import itertools
from collections.abc import Sequence
from typing import Any

from lab.checkers.conditions import Condition, broken, merged
from lab.checkers.result import LinkResult
from lab.checkers.series import Point, after, censored, failing_share, peak, percentile, range_of, read, steady, values
from lab.checkers.watch import Watch
from lab.core.history import History

TITLE = "Load balancer stale"
MEASURE = "seconds since the balancer's backends were last those that Consul calls passing"
SERIES = "lb_config_age_s"
AGE_S = 15
"""Chosen: a change is loaded 1 to 3 s after it is in the catalog (quiescence) and seen 2 s later; five times that is no hiccup."""
LOST_SHARE = 0.5
"""Share of the steady backends that do not answer. Chosen: one lost node of five is 0.2; half is an outage for the users."""
LOST_S = 4
"""Chosen: three looks; a reload alone loses none."""
WINDOW_S, WINDOW_N, FAILED_N, FAILED_SHARE = 20, 10, 3, 0.2
"""Requests through the balancer that fail, as for Consul's reads (link 6): a fifth of a window's users see errors, and never fewer than three."""
ANSWER_TIMEOUT_MS = 10_000
"""Time-out of the probe's requests, where the reason does not name it."""


def check(history: History, watch: Watch) -> LinkResult:
    """Fires when the configuration is `AGE_S` old, when `LOST_SHARE` of the backends do not answer, or when requests through it fail."""
    common: dict[str, Any] = {"link": 8, "title": TITLE, "measure": MEASURE, "unit": "s"}
    age = read(history, SERIES)
    later = after(age, watch)
    usual = range_of(values(steady(age, watch)))
    if usual is None or not values(later):
        return LinkResult(status="unknown", reason="the balancer was not seen to follow the catalog in the steady phase", **common)
    answers = {"": merged(read(history, "lb_answer_ms"))}
    lost = {"": _lost(history, watch)}
    common |= {"steady": usual, "peak": peak(later), "evidence": _evidence(history, watch, answers[""])}
    failing = {"": failing_share(answers[""], WINDOW_S, WINDOW_N, FAILED_N)}
    conditions = [
        Condition(later, max(AGE_S, 3 * usual.high), max(AGE_S / 2, usual.high), "its configuration was up to {peak} s old", since=True),
        Condition(_percent(after(lost, watch)), 100 * LOST_SHARE, 50 * LOST_SHARE, "up to {peak} % of its backends did not answer", LOST_S),
        Condition(_percent(after(failing, watch)), 100 * FAILED_SHARE, 0, "up to {peak} % of the requests through it failed"),
    ]
    found = broken(conditions, watch.steady_end_s)
    if found is None:
        return LinkResult(status="quiet", reason="it followed the catalog, and its backends answered", **common)
    return LinkResult(status="fired", fired_at_s=found.fired_at_s, recovered_at_s=found.recovered_at_s, reason=found.reason, **common)


def _lost(history: History, watch: Watch) -> list[Point]:
    """Share of the steady backends that is missing, at each look; 0 where there are as many or more."""
    live = merged(read(history, "lb_backends_live"))
    usual = values(steady({"": live}, watch))
    backends = percentile(usual, 0.5) if usual else 0.0
    if not backends:
        return []
    return [Point(p.at_s, None if p.value is None else max(0.0, 1 - p.value / backends), p.reason) for p in live]


def _percent(series: dict[str, list[Point]]) -> dict[str, list[Point]]:
    return {t: [Point(p.at_s, None if p.value is None else 100 * p.value, p.reason) for p in points] for t, points in series.items()}


def _evidence(history: History, watch: Watch, answers: Sequence[Point]) -> dict[str, object]:
    live = merged(read(history, "lb_backends_live"))
    calm, then = values(steady({"": live}, watch)), values(after({"": live}, watch))
    quick = values(steady({"": answers}, watch))
    slow = values({"": censored(after({"": answers}, watch)[""], ANSWER_TIMEOUT_MS)})
    renders = {"": merged(read(history, "lb_rerenders"))}
    return {
        "backends_steady": percentile(calm, 0.5) if calm else None,
        "backends_least_after": min(then, default=None),
        "answer_ms_p99_steady": percentile(quick, 0.99) if quick else None,
        "answer_ms_p99_after": percentile(slow, 0.99) if slow else None,
        "rerenders_per_min_steady": _per_min(steady(renders, watch)[""]),
        "rerenders_per_min_after": _per_min(after(renders, watch)[""]),
    }


def _per_min(counted: Sequence[Point]) -> float | None:
    """Renderings per minute between the first and the last look; what was counted before a restart of the balancer is left out."""
    known = [(point.at_s, point.value) for point in counted if point.value is not None]
    if len(known) < 2 or known[-1][0] <= known[0][0]:
        return None
    grown = sum(max(0.0, late - early) for (_, early), (_, late) in itertools.pairwise(known))
    return round(60 * grown / (known[-1][0] - known[0][0]), 2)
