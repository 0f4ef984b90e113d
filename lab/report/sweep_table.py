"""The tables of a sweep: what its runs say of the chain, and of their gossip pools where they measured one; and a line a run for other programs."""

import csv
import io
from collections.abc import Mapping, Sequence

from lab.checkers.result import Strict
from lab.checkers.verdict import Verdict
from lab.report import link_table, pool_table

SIMULATED = "SIMULATED: no container ran, every figure is a model's."


class Simulated(Strict):
    """One simulated run as a sweep keeps it: what was set, and `history_sha256` of the bytes of the history.jsonl that the verdict is on."""

    settings: tuple[str, ...]
    seed: int
    history_sha256: str
    verdict: Verdict


def markdown(fields: Sequence[str], runs: link_table.Runs) -> str:
    """For people, of runs on containers.

    Args:
        fields: what was varied.
        runs: values of these fields -> the verdicts of the runs that were made with them.
    """
    parts = ["**The chain**", "", *link_table.table(fields, runs), "", link_table.CAPTION]
    measured = {values: [verdict.evidence for verdict in found if verdict.evidence.pool is not None] for values, found in runs.items()}
    if any(measured.values()):
        parts += ["", "**The gossip pool**, after the last kill", "", *pool_table.tables(fields, measured), "", pool_table.CAPTION]
    return "\n".join([*parts, ""])


def simulated(fields: Sequence[str], runs: Mapping[tuple[str, ...], Sequence[Simulated]]) -> str:
    """For people, of simulated runs: marked as such."""
    verdicts = {values: [run.verdict for run in found] for values, found in runs.items()}
    return "\n".join([*link_table.table(fields, verdicts), "", f"{SIMULATED} {link_table.CAPTION}", ""])


def as_csv(fields: Sequence[str], runs: link_table.Runs) -> str:
    """A line for each run on containers, for other programs."""
    return _csv(
        [
            {**dict(zip(fields, values, strict=True)), **link_table.figures(verdict), **pool_table.figures(verdict.evidence)}
            for values, found in runs.items()
            for verdict in found
        ]
    )


def simulated_csv(fields: Sequence[str], runs: Mapping[tuple[str, ...], Sequence[Simulated]]) -> str:
    """A line for each simulated run, for other programs."""
    return _csv(
        [
            {
                **dict(zip(fields, values, strict=True)),
                "seed": str(run.seed),
                "history_sha256": run.history_sha256,
                **link_table.figures(run.verdict),
            }
            for values, found in runs.items()
            for run in found
        ]
    )


def _csv(rows: Sequence[Mapping[str, str]]) -> str:
    """Nothing but the runs' own figures; an empty text without runs."""
    told = io.StringIO()
    writer = csv.DictWriter(told, fieldnames=list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    if rows:
        writer.writeheader()
        writer.writerows(rows)
    return told.getvalue()
