"""What the runs of a sweep say of the chain, as a table: a row for each combination, for each link how often it fired and when."""

from collections.abc import Iterable, Mapping, Sequence

from lab.checkers.result import LinkResult
from lab.checkers.verdict import Verdict
from lab.report.order_statistics import median
from lab.report.repeats import CLAIMS
from lab.report.words import number

Runs = Mapping[tuple[str, ...], Sequence[Verdict]]
CAPTION = (
    "Each link: in how many runs it fired, of those that could tell, and when, in seconds on the run clock. Times and "
    "figures are medians over the runs that have them; in brackets the interval that holds the median of all such runs with a probability of at least "
    "90 % (from order statistics; no distribution is assumed), or, of fewer than five values, from the smallest to the largest. None stands there where all "
    "are equal."
)


def table(fields: Sequence[str], runs: Runs) -> list[str]:
    """The lines of the table for people.

    Args:
        fields: what was varied.
        runs: values of these fields -> the verdicts of the runs that were made with them.
    """
    links = titles_of(verdict for found in runs.values() for verdict in found)
    titles = [*fields, "runs", "as expected", *(f"{link} {title}" for link, title in links.items()), *(title for title, _, _ in CLAIMS)]
    lines = [_row(titles), _row(["---"] * len(titles))]
    for values, found in runs.items():
        expected = str(sum(verdict.as_expected for verdict in found))
        fired = [_fired([verdict.link(link) for verdict in found]) for link in links]
        figures = [_spread([claim(verdict, name) for verdict in found], unit) for _, name, unit in CLAIMS]
        lines.append(_row([*values, str(len(found)), expected, *fired, *figures]))
    return lines


def figures(verdict: Verdict) -> dict[str, str]:
    """One run's, for other programs: by the names of their columns, empty where a link did not fire or a figure is not known."""
    links = {f"link_{link.link}": link.status for link in verdict.links}
    moments = {f"link_{link.link}_at_s": _plain(link.fired_at_s) for link in verdict.links}
    claims = {name: _plain(claim(verdict, name)) for _, name, _ in CLAIMS}
    return {"verdict": verdict.verdict, "as_expected": str(verdict.as_expected).lower(), **links, **moments, **claims}


def claim(verdict: Verdict, name: str) -> float | None:
    """One of the figures of `CLAIMS`."""
    claims = verdict.evidence.claims
    value = None if claims is None else getattr(claims, name)
    return None if value is None else float(value)


def titles_of(verdicts: Iterable[Verdict]) -> dict[int, str]:
    """Number and title of each link that was judged."""
    first = next(iter(verdicts), None)
    return {} if first is None else {link.link: link.title for link in first.links}


def fired_of(links: Sequence[LinkResult]) -> tuple[int, int]:
    """In how many runs it fired, and how many could tell."""
    return sum(link.status == "fired" for link in links), sum(link.status in {"fired", "quiet"} for link in links)


def _fired(links: Sequence[LinkResult]) -> str:
    known = [link.fired_at_s for link in links if link.fired_at_s is not None]
    fired, told = fired_of(links)
    if links and not told:
        return "-"
    return f"{fired} of {told}" + (f", {_spread(known, 's')}" if known else "")


def _spread(values: Sequence[float | None], unit: str) -> str:
    found = median([value for value in values if value is not None])
    if found is None:
        return number(None)
    middle = number(found.middle, unit)
    return middle if found.low == found.high else f"{middle} ({number(found.low, unit)} to {number(found.high, unit)})"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
