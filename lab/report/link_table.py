"""What the simulated runs of a sweep say of the chain, as a table: a row for each combination, for each link how often it fired and when."""

import csv
import io
from collections.abc import Mapping, Sequence

from lab.checkers.result import Strict
from lab.checkers.verdict import Verdict
from lab.report.order_statistics import median
from lab.report.repeats import CLAIMS
from lab.report.words import number


class Run(Strict):
    """One run as a sweep keeps it: what was set, and `history_sha256` of the bytes of the history.jsonl that the verdict is on."""

    settings: tuple[str, ...]
    seed: int
    history_sha256: str
    verdict: Verdict

    def fired_at_s(self, link: int) -> float | None:
        """When it did."""
        return self.verdict.link(link).fired_at_s

    def claim(self, name: str) -> float | None:
        """One of the figures of `CLAIMS`."""
        claims = self.verdict.evidence.claims
        value = None if claims is None else getattr(claims, name)
        return None if value is None else float(value)


CAPTION = (
    "SIMULATED: no container ran, every figure is a model's. Each link: in how many runs it fired, and when, in seconds on the run clock. Times and "
    "figures are medians over the runs that have them; in brackets the interval that holds the median of all such runs with a probability of at least "
    "90 % (from order statistics; no distribution is assumed), or, of fewer than five values, from the smallest to the largest. None stands there where all "
    "are equal."
)


def markdown(fields: Sequence[str], runs: Mapping[tuple[str, ...], Sequence[Run]]) -> str:
    """The table for people.

    Args:
        fields: what was varied.
        runs: values of these fields -> the runs that were made with them.
    """
    links = _links(runs)
    titles = [*fields, "runs", "as expected", *(f"{link} {title}" for link, title in links.items()), *(title for title, _, _ in CLAIMS)]
    lines = [_row(titles), _row(["---"] * len(titles))]
    for values, found in runs.items():
        expected = str(sum(run.verdict.as_expected for run in found))
        fired = [_fired([run.fired_at_s(link) for run in found]) for link in links]
        figures = [_spread([run.claim(name) for run in found], unit) for _, name, unit in CLAIMS]
        lines.append(_row([*values, str(len(found)), expected, *fired, *figures]))
    return "\n".join([*lines, "", CAPTION, ""])


def as_csv(fields: Sequence[str], runs: Mapping[tuple[str, ...], Sequence[Run]]) -> str:
    """A line for each run, for other programs; empty where a link did not fire or a figure is not known."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    links, names = _links(runs), [name for _, name, _ in CLAIMS]
    writer.writerow([*fields, "seed", "history_sha256", "verdict", "as_expected", *(f"link_{link}_at_s" for link in links), *names])
    for values, found in runs.items():
        for run in found:
            figures = [*(run.fired_at_s(link) for link in links), *(run.claim(name) for name in names)]
            judged = [run.verdict.verdict, str(run.verdict.as_expected).lower()]
            writer.writerow([*values, run.seed, run.history_sha256, *judged, *("" if value is None else f"{value:g}" for value in figures)])
    return told.getvalue()


def _links(runs: Mapping[tuple[str, ...], Sequence[Run]]) -> dict[int, str]:
    """Number and title of each link that was judged."""
    first = next((run for found in runs.values() for run in found), None)
    return {} if first is None else {link.link: link.title for link in first.verdict.links}


def _fired(moments_s: Sequence[float | None]) -> str:
    known = [at_s for at_s in moments_s if at_s is not None]
    return f"{len(known)} of {len(moments_s)}" + (f", {_spread(known, 's')}" if known else "")


def _spread(values: Sequence[float | None], unit: str) -> str:
    found = median([value for value in values if value is not None])
    if found is None:
        return number(None)
    middle = number(found.middle, unit)
    return middle if found.low == found.high else f"{middle} ({number(found.low, unit)} to {number(found.high, unit)})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
