"""One HTML page from a history and its verdict: styles, script and figures are in it, so it opens anywhere and asks no network."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lab.checkers.neighbour import as_the_neighbours
from lab.checkers.result import LinkResult
from lab.checkers.verdict import Verdict
from lab.checkers.watch import Watch
from lab.core.history import Event, History
from lab.report import chain, kube_log, words
from lab.report import why as provenance
from lab.report.events import told as told_in_words
from lab.report.panels import NODE_TONES, Line, Panel, embedded, figures, panels
from lab.report.sentence import also, what_happened
from lab.report.template import fill

_OPENING = ("experiment", "fidelity", "cause")


def render(history: History, verdict: Verdict) -> str:
    """The page. Same input, same bytes.

    Raises:
        Refused: the history has no opening event.
    """
    watch = Watch.of(history)
    time = chain.axis(history, watch)
    neighbour = verdict.evidence.neighbour
    charts, beside = panels(history), _beside(history) if neighbour else []
    shades = chain.shades(history, watch, time)
    log = kube_log.rows(history, time)
    told = {
        "begin_s": time.begin_s,
        "end_s": time.end_s,
        "rest": "seconds on the run clock",
        "shades": [{name: shade[name] for name in ("kind", "begin_s", "end_s")} for shade in shades],
        "panels": [embedded(panel, time.begin_s, time.end_s) for panel in (*charts, *beside)],
    }
    return fill(
        "page.html.j2",
        told,
        run=history.header,
        experiment=history.header["experiment"],
        verdict=verdict,
        sentence=what_happened(history, verdict),
        also=also(verdict),
        tiles=tiles(verdict),
        ticks=time.ticks(),
        phases=chain.phases(history, time),
        shades=shades,
        marks=chain.marks(verdict, time),
        row_px=chain.ROW,
        strips=chain.strips(history, time),
        log=log[: kube_log.ROWS_MAX],
        log_total=len(log),
        said=kube_log.marks(log, time),
        charts=[(panel, figures(panel, watch) if watch else []) for panel in charts],
        neighbour=neighbour,
        beside=[(panel, figures(panel, watch) if watch else []) for panel in beside],
        beside_links=[_row(result, ()) for result in neighbour.links] if neighbour else [],
        links=[_row(result, provenance.of_link(history, verdict, result.link).path) for result in verdict.links],
        caveat=provenance.CAVEAT,
        logs=log_parts(verdict),
        reasons=[reason for reason in verdict.reasons if ") fired: " not in reason],
        settings=settings(history),
        fidelity=_sentences(verdict.fidelity),
    )


def _beside(history: History) -> list[Panel]:
    """The charts of a second cluster: the same, drawn of its own samples and of nothing else. Its one app node is called what in the first cluster
    the core node is, which is grey.
    """

    def coloured(line: Line) -> Line:
        return replace(line, tone=NODE_TONES[0]) if line.label.endswith("-worker") else line

    found = panels(as_the_neighbours(history))
    return [replace(panel, id=f"neighbour-{panel.id}", lines=[coloured(line) for line in panel.lines]) for panel in found]


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


def _row(result: LinkResult, path: Sequence[Event]) -> dict[str, Any]:
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
        "path": [(event.seq, words.seconds(event.at_s), told_in_words(event)) for event in path],
    }


def _sentences(fidelity: Any) -> list[str]:
    if isinstance(fidelity, str):
        return [fidelity]
    if isinstance(fidelity, Mapping):
        return [f"{name}: {value}" for name, value in _flat(fidelity)]
    return [str(each) for each in fidelity or ()]
