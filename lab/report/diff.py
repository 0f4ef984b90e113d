"""What two runs have in common and where they differ: as a table of text, and as a page that lays one over the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.checkers.result import LinkResult
from lab.report import chain
from lab.report.page import settings
from lab.report.panels import embedded
from lab.report.sentence import what_happened
from lab.report.sides import Side, common_axis, overlaid
from lab.report.template import fill
from lab.report.words import number

CAVEAT = "One run of each: a difference may be chance. Times are seconds from what each run is aligned on."
"""On every comparison."""

_SAYS_NOTHING = ("started_utc", "command", "seed", "title", "hypothesis")
"""Settings that differ between any two runs, or any two experiments, and explain nothing."""

_TOLD_TWICE = "settings.workload."
"""The workload is part of the experiment, too."""

CELL_MAX = 44
"""Characters of a cell of text. Chosen: a table of two runs fits 140 columns; the page has the whole."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what, its two values, and the second less the first where that says something."""

    what: str
    first: str
    second: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title; `change` heads the last column."""

    title: str
    rows: Sequence[Row]
    change: str = ""


def tables(first: Side, second: Side) -> list[Table]:
    """All that is compared; a table without rows is left out."""
    found = [
        Table("Settings that differ", _settings(first, second)),
        Table("Verdict", _verdict(first, second)),
        Table("Links: when they fired", [_fired(first, second, *pair) for pair in _pairs(first, second)], "B less A"),
        Table("Links: peak", [_peak(*pair) for pair in _pairs(first, second) if _any_peak(pair)], "B over A"),
        Table(
            "Links: back in the steady range",
            [_back(first, second, *pair) for pair in _pairs(first, second) if _any_fired(pair)],
            "B less A",
        ),
        Table("Figures of the cascade", _claims(first, second)),
        Table("Log lines", _counts(first.verdict.logs, second.verdict.logs)),
        Table("Users' requests", _requests(first, second)),
    ]
    return [table for table in found if table.rows]


def lines(first: Side, second: Side) -> list[str]:
    """The comparison as text."""
    found = [f"{each.label}: {each.name}, aligned on {each.aligned_on}" for each in (first, second)]
    every = tables(first, second)
    widths = [max(len(text) for table in every for row in table.rows for text in [_cells(row)[place]]) for place in range(4)]
    widths[1], widths[2] = max(widths[1], len(first.label)), max(widths[2], len(second.label))
    for table in every:
        head = ("", first.label, second.label, table.change)
        found += ["", table.title, _line(head, widths), *(_line(_cells(row), widths) for row in table.rows)]
    return [*found, "", CAVEAT]


def render(first: Side, second: Side) -> str:
    """The page. Same input, same bytes."""
    sides = (first, second)
    time = common_axis(sides)
    charts = overlaid(sides)
    shades = [shade for each in sides for shade in _shades(each, time)]
    told = {
        "begin_s": time.begin_s,
        "end_s": time.end_s,
        "rest": "seconds from the release",
        "shades": [{name: shade[name] for name in ("kind", "begin_s", "end_s")} for shade in shades],
        "panels": [embedded(panel, time.begin_s, time.end_s) for panel, _ in charts],
    }
    return fill(
        "diff.html.j2",
        told,
        sides=[(each, what_happened(each.history, each.verdict)) for each in sides],
        tables=tables(first, second),
        marks=_marks(first, second),
        caveat=CAVEAT,
        time=time,
        ticks=time.ticks(),
        phases=_phases(first, time),
        shades=shades,
        charts=charts,
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(text.ljust(width) for text, width in zip(cells, widths, strict=True)).rstrip()


def _cells(row: Row) -> tuple[str, str, str, str]:
    """As text, each cut to `CELL_MAX`."""
    whole = (row.what, row.first, row.second, row.change)
    what, first, second, change = (text if len(text) <= CELL_MAX else text[: CELL_MAX - 4] + " ..." for text in whole)
    return what, first, second, change


def _settings(first: Side, second: Side) -> list[Row]:
    known = [{f"{group}.{name}": value for group, rows in settings(each.history) for name, value in rows} for each in (first, second)]
    names = [
        name for name in dict.fromkeys([*known[0], *known[1]]) if not name.endswith(_SAYS_NOTHING) and not name.startswith(_TOLD_TWICE)
    ]
    return [
        Row(name, known[0].get(name, "-"), known[1].get(name, "-")) for name in names if known[0].get(name, "-") != known[1].get(name, "-")
    ]


def _verdict(first: Side, second: Side) -> list[Row]:
    a, b = first.verdict, second.verdict
    told = {True: "no", False: "yes", None: "unknown"}
    return [
        Row("verdict", a.verdict, b.verdict),
        Row("as expected", *("yes" if each.as_expected else "no" for each in (a, b))),
        Row("calmed down", told[a.metastable.verdict], told[b.metastable.verdict]),
    ]


_Pair = tuple[LinkResult | None, LinkResult | None]


def _pairs(first: Side, second: Side) -> list[_Pair]:
    known = [{result.link: result for result in each.verdict.links} for each in (first, second)]
    return [(known[0].get(link), known[1].get(link)) for link in sorted({*known[0], *known[1]})]


def _any_fired(pair: _Pair) -> bool:
    return any(each is not None and each.status == "fired" for each in pair)


def _any_peak(pair: _Pair) -> bool:
    return any(each is not None and each.peak is not None for each in pair)


def _title(one: LinkResult | None, other: LinkResult | None) -> str:
    shown = one or other
    return f"{shown.link:>2} {shown.title}" if shown else ""


def _fired(first: Side, second: Side, one: LinkResult | None, other: LinkResult | None) -> Row:
    moments = [each.moved(result.fired_at_s) if result else None for each, result in ((first, one), (second, other))]
    texts = [_moment(at_s, result.status if result else "not judged") for at_s, result in zip(moments, (one, other), strict=True)]
    return Row(_title(one, other), texts[0], texts[1], _less(moments, "s"))


def _back(first: Side, second: Side, one: LinkResult | None, other: LinkResult | None) -> Row:
    moments = [each.moved(result.recovered_at_s) if result else None for each, result in ((first, one), (second, other))]
    gone = ["not in the watch" if result and result.status == "fired" else "-" for result in (one, other)]
    texts = [_moment(*told) for told in zip(moments, gone, strict=True)]
    return Row(_title(one, other), texts[0], texts[1], _less(moments, "s"))


def _peak(one: LinkResult | None, other: LinkResult | None) -> Row:
    texts = [number(result.peak, result.unit) if result else "-" for result in (one, other)]
    return Row(_title(one, other), texts[0], texts[1], _times(one.peak if one else None, other.peak if other else None))


def _claims(first: Side, second: Side) -> list[Row]:
    a, b = first.verdict.evidence.claims, second.verdict.evidence.claims
    if a is None or b is None:
        return []
    shown = (
        ("nodes NotReady after the release", "nodes_not_ready_after_release", ""),
        ("pods evicted", "pods_evicted_share", "share"),
        ("agent read p99, steady", "agent_read_ms_p99_steady", "ms"),
        ("agent read p99, after", "agent_read_ms_p99_after_release", "ms"),
        ("gossip members gone", "members_gone_share", "share"),
    )
    return [Row(what, number(getattr(a, name), unit), number(getattr(b, name), unit)) for what, name, unit in shown]


def _counts(a: Any, b: Any) -> list[Row]:
    if a is None or b is None:
        return []
    names = ("written", "delivered", "backlog", "gone_with_pod", "unaccounted", "duplicates")
    return [Row(name.replace("_", " "), f"{getattr(a, name):,}", f"{getattr(b, name):,}") for name in names]


def _requests(first: Side, second: Side) -> list[Row]:
    known: list[Mapping[str, Any]] = [each.verdict.requests.profiles if each.verdict.requests else {} for each in (first, second)]
    rows = []
    for name in sorted({*known[0], *known[1]}):
        pair = [each.get(name) for each in known]
        counts = [f"{each.failed:,} of {each.n:,}" if each else "-" for each in pair]
        tails = [number(each.latency_ms_p99, "ms") if each else "-" for each in pair]
        rows += [Row(f"{name}: failed", *counts), Row(f"{name}: p99", *tails)]
    return rows


def _moment(at_s: float | None, otherwise: str) -> str:
    return otherwise if at_s is None else f"{at_s:+.1f} s"


def _less(pair: Sequence[float | None], unit: str) -> str:
    first, second = pair
    return "" if first is None or second is None else f"{second - first:+.1f} {unit}"


def _times(first: float | None, second: float | None) -> str:
    return f"x {second / first:.2g}" if first and second else ""


def _shades(each: Side, time: chain.Axis) -> list[dict[str, Any]]:
    own = chain.Axis(each.watch.begin_s, each.watch.end_s)
    found = []
    for shade in chain.shades(each.history, each.watch, own):
        begin_s, end_s = shade["begin_s"] - each.origin_s, shade["end_s"] - each.origin_s
        place = {"begin_s": round(begin_s, 2), "end_s": round(end_s, 2), "x": time.at(begin_s), "width": time.width(begin_s, end_s)}
        found.append({**shade, **place})
    return found


def _phases(each: Side, time: chain.Axis) -> list[dict[str, Any]]:
    own = chain.Axis(each.watch.begin_s, each.watch.end_s)
    found = []
    for phase in chain.phases(each.history, own):
        begin_s, end_s = phase["begin_s"] - each.origin_s, phase["end_s"] - each.origin_s
        place = {"begin_s": round(begin_s, 2), "end_s": round(end_s, 2), "x": time.at(begin_s), "width": time.width(begin_s, end_s)}
        found.append({**phase, **place})
    return found


def _marks(first: Side, second: Side) -> list[dict[str, Any]]:
    """Per link, where it fired and how long it stayed out, in each run."""
    time = common_axis((first, second))
    rows = []
    for one, other in _pairs(first, second):
        bars = []
        for place, (each, result) in enumerate(((first, one), (second, other))):
            at_s = each.moved(result.fired_at_s) if result else None
            if at_s is None or result is None:
                continue
            end_s = each.moved(result.recovered_at_s)
            until_s = each.axis.end_s if end_s is None else max(end_s, at_s)
            bars.append(
                {
                    "side": place,
                    "x": time.at(at_s),
                    "width": time.width(at_s, until_s),
                    "end": time.at(until_s),
                    "open_end": end_s is None,
                    "text": f"{each.label}: {at_s:+.0f} s",
                }
            )
        shown = one or other
        if shown:
            rows.append({"link": shown.link, "title": shown.title, "bars": bars})
    return rows
