"""Link 0: the broker does not answer."""

from typing import Any

from lab.checkers.result import LinkResult
from lab.checkers.series import Point, Series, after, back_for_good, peak, range_of, read, steady, values
from lab.checkers.watch import Watch, has_kafka
from lab.core.history import History

TITLE = "Kafka away"
MEASURE = "seconds since the broker last answered"
CONSECUTIVE = 2
"""Unanswered requests in a row that fire. Chosen: one lost answer is a hiccup of a busy host."""
SILENCE_S = 5
"""For how long. Chosen: a broker on a starved core node has been silent for 2 s; an outage that matters lasts tens of seconds."""


def check(history: History, watch: Watch) -> LinkResult:
    """Fires at the first of `CONSECUTIVE` unanswered metadata requests over `SILENCE_S`; any missing sample is an unanswered one."""
    if not has_kafka(history):
        return LinkResult(link=0, title=TITLE, status="quiet", measure=MEASURE, unit="s", reason="there is no Kafka in this experiment")
    asked = read(history, "kafka_answer_ms")
    silence = {target: _silence(points) for target, points in asked.items()}
    steady_range = range_of(values(steady(silence, watch)))
    later = after(silence, watch)
    if steady_range is None or not values(later):
        return LinkResult(link=0, title=TITLE, status="unknown", measure=MEASURE, unit="s", reason="too few kafka_answer_ms samples")
    answers_ms = range_of(values(steady(asked, watch)))
    evidence = {"answer_ms_steady": answers_ms.model_dump() if answers_ms else None}
    fired_at_s = _fired_at_s(after(asked, watch))
    common: dict[str, Any] = {
        "link": 0,
        "title": TITLE,
        "measure": MEASURE,
        "steady": steady_range,
        "peak": peak(later),
        "unit": "s",
        "evidence": evidence,
    }
    if fired_at_s is None:
        return LinkResult(status="quiet", reason="the broker answered all along", **common)
    return LinkResult(
        status="fired",
        fired_at_s=fired_at_s,
        recovered_at_s=back_for_good(later, SILENCE_S / 2, fired_at_s),
        reason=f"the broker did not answer for up to {peak(later):.0f} s",
        **common,
    )


def _silence(points: list[Point]) -> list[Point]:
    """Seconds without an answer at each request: 0 where it was answered."""
    silent: list[Point] = []
    last_answer_s = points[0].at_s
    for point in points:
        if point.value is not None:
            last_answer_s = point.at_s
        silent.append(Point(point.at_s, point.at_s - last_answer_s))
    return silent


def _fired_at_s(asked: Series) -> float | None:
    for points in asked.values():
        row: list[Point] = []
        for point in points:
            row = [*row, point] if point.value is None else []
            if len(row) >= CONSECUTIVE and row[-1].at_s - row[0].at_s >= SILENCE_S:
                return row[0].at_s
    return None
