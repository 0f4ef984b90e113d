"""Several runs of one experiment in a few lines: how often each link fired and when, and the figures that a reproduction is measured by."""

from collections.abc import Iterator, Sequence
from statistics import median

from lab.checkers.verdict import Verdict
from lab.report.words import number

CLAIMS = (
    ("nodes NotReady after the release", "nodes_not_ready_after_release", ""),
    ("pods evicted", "pods_evicted_share", "share"),
    ("read p99 over its steady value", "agent_read_p99_ratio", "x"),
    ("members failed or left", "members_gone_share", "share"),
)


def summary(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Lines of text. Times are medians over the runs in which the link fired, with the smallest and the largest."""
    total = len(verdicts)
    for link in verdicts[0].links:
        moments = [at_s for verdict in verdicts if (at_s := verdict.link(link.link).fired_at_s) is not None]
        when = f", at {median(moments):.0f} s ({min(moments):.0f} to {max(moments):.0f})" if moments else ""
        yield f"  link {link.link:<3}{link.title:<34}fired in {len(moments)} of {total}{when}"
    for title, name, unit in CLAIMS:
        found = [verdict.evidence.claims for verdict in verdicts if verdict.evidence.claims is not None]
        known = [float(value) for claims in found if (value := getattr(claims, name)) is not None]
        if known:
            yield f"  {title:<41}{number(median(known), unit)} ({number(min(known), unit)} to {number(max(known), unit)})"
    yield f"{sum(verdict.as_expected for verdict in verdicts)} of {total} runs as expected"
