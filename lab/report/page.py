"""One HTML page from a history and its verdict: styles, script and figures are in it, so it opens anywhere and asks no network."""

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from lab.checkers.result import LinkResult
from lab.checkers.verdict import Verdict
from lab.checkers.watch import Watch
from lab.core.history import History
from lab.report import chain, words
from lab.report.panels import embedded, figures, panels
from lab.report.sentence import what_happened

FOLDER = Path(__file__).parent
_OPENING = ("experiment", "fidelity", "cause")


def render(history: History, verdict: Verdict) -> str:
    """The page. Same input, same bytes.

    Raises:
        Refused: the history has no opening event.
    """
    watch = Watch.of(history)
    time = chain.axis(history, watch)
    charts = panels(history)
    shades = chain.shades(history, watch, time)
    told = {
        "begin_s": time.begin_s,
        "end_s": time.end_s,
        "shades": [{name: shade[name] for name in ("kind", "begin_s", "end_s")} for shade in shades],
        "panels": [embedded(panel, time.begin_s, time.end_s) for panel in charts],
    }
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            run=history.header,
            experiment=history.header["experiment"],
            verdict=verdict,
            sentence=what_happened(history, verdict),
            tiles=tiles(verdict),
            ticks=time.ticks(),
            phases=chain.phases(history, time),
            shades=shades,
            marks=chain.marks(verdict, time),
            row_px=chain.ROW,
            strips=chain.strips(history, time),
            charts=[(panel, figures(panel, watch) if watch else []) for panel in charts],
            links=[_row(result) for result in verdict.links],
            logs=log_parts(verdict),
            reasons=[reason for reason in verdict.reasons if ") fired: " not in reason],
            settings=settings(history),
            fidelity=_sentences(verdict.fidelity),
            told=json.dumps(told, separators=(",", ":")).replace("<", "\\u003c"),
            css=_text("vendor/uplot.min.css") + _text("page.css"),
            scripts=[_text("vendor/uplot.min.js"), _text("page.js")],
            **{name: getattr(words, name) for name in ("number", "seconds", "counted")},
        )
    )


def tiles(verdict: Verdict) -> list[dict[str, str]]:
    """The figures that a reproduction is measured by, each with what it is compared with."""
    found = verdict.evidence.claims
    if found is None:
        return []
    ratio = (
        "-"
        if found.agent_read_p99_ratio is None
        else f"{found.agent_read_p99_ratio:,.{0 if found.agent_read_p99_ratio >= 10 else 1}f}{words.GAP}x"
    )
    reads = (
        f"{words.number(found.agent_read_ms_p99_steady, 'ms')} before, {words.number(found.agent_read_ms_p99_after_release, 'ms')} after"
    )
    return [
        {
            "figure": str(found.nodes_not_ready_after_release),
            "what": "nodes NotReady after Kafka's return"
            if any(r.link == 0 and r.status == "fired" for r in verdict.links)
            else "nodes NotReady",
            "least": "a cascade: at least 2",
        },
        {"figure": words.number(found.pods_evicted_share, "share"), "what": "of the pods evicted", "least": "a cascade: at least 25 %"},
        {"figure": ratio, "what": f"read p99 at a pod's agent ({reads})", "least": "a cascade: at least 10 x"},
        {
            "figure": words.number(found.members_gone_share, "share"),
            "what": "of the gossip pool failed or left, for a while or for good",
            "least": "a cascade: at least 25 %",
        },
    ]


def log_parts(verdict: Verdict) -> list[dict[str, Any]]:
    """Where the log lines went, as shares of all that were written."""
    if verdict.logs is None:
        return []
    counts = (
        ("delivered", verdict.logs.delivered, "good"),
        ("in a backlog", verdict.logs.backlog, "wait"),
        ("gone with a pod", verdict.logs.gone_with_pod, "bad"),
        ("unaccounted", verdict.logs.unaccounted, "ink"),
    )
    total = max(1, sum(count for _, count, _ in counts))
    return [{"label": label, "count": count, "tone": tone, "width": round(100 * count / total, 3)} for label, count, tone in counts]


def settings(history: History) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every setting and fact of the opening event, by group, nested names joined by dots.

    Caps are known once the system was prepared: the phase that did so carries them, and wins over the opening event.
    """
    header = history.header
    prepared = [event["settings"] for event in history.of("phase") if event.get("settings")]
    facts = {**header.fields, **({"settings": prepared[-1]} if prepared else {})}
    groups: list[tuple[str, list[tuple[str, str]]]] = [("experiment", _flat(header["experiment"]))]
    single: list[tuple[str, str]] = []
    for name, value in sorted(facts.items()):
        if name in _OPENING:
            continue
        if isinstance(value, Mapping):
            groups.append((name, _flat(value)))
        else:
            single += _flat({name: value})
    return [*groups, ("run", single)] if single else groups


def _flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            rows += _flat(inner, f"{prefix}{name}.")
        elif isinstance(inner, Sequence) and not isinstance(inner, str) and any(isinstance(each, Mapping) for each in inner):
            rows += _flat({str(place): each for place, each in enumerate(inner)}, f"{prefix}{name}.")
        elif isinstance(inner, Sequence) and not isinstance(inner, str):
            rows.append((prefix + name, ", ".join(map(str, inner)) or "none"))
        else:
            rows.append((prefix + name, "-" if inner is None else str(inner)))
    return rows


def _row(result: LinkResult) -> dict[str, str]:
    unit = result.unit
    steady = result.steady
    lag = f"{result.lag_s:+.1f} s after {result.after}" if result.lag_s is not None and result.link != 10 else "-"
    back = "not seen" if result.status == "fired" and result.recovered_at_s is None else words.seconds(result.recovered_at_s)
    return {
        "link": str(result.link),
        "title": result.title,
        "status": result.status,
        "fired": words.seconds(result.fired_at_s),
        "lag": lag,
        "steady": words.spread(steady.low, steady.high, unit) if steady else "-",
        "n": f"n {steady.n}" if steady else "",
        "peak": words.number(result.peak, unit),
        "back": back,
        "reason": result.reason.replace("cascade-lab-", ""),
    }


def _sentences(fidelity: Any) -> list[str]:
    if isinstance(fidelity, str):
        return [fidelity]
    if isinstance(fidelity, Mapping):
        return [f"{name}: {value}" for name, value in _flat(fidelity)]
    return [str(each) for each in fidelity or ()]


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
