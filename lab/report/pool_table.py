"""What the runs of a sweep say of the gossip pool, as a table: a row for each combination, each figure a median with its interval."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lab.checkers.neighbour import NeighbourVerdict
from lab.checkers.pool import Latency, MemberTime, Pool
from lab.checkers.verdict import Evidence
from lab.report.order_statistics import Median, median

Figure = Callable[[Pool], float | None]
Runs = Mapping[tuple[str, ...], Sequence[Evidence]]


@dataclass(frozen=True, slots=True)
class Column:
    """One figure.

    Args:
        title: with its unit.
        name: in the CSV file.
        figure: out of a run; None where the run does not know it, infinity where its end was not seen.
    """

    title: str
    name: str
    figure: Figure


def _member_s(found: MemberTime | None) -> float | None:
    return None if found is None else found.member_s


def _at_end(found: MemberTime | None) -> float | None:
    return None if found is None else found.at_end


def _p50(found: Latency | None) -> float | None:
    return None if found is None else found.p50


def _p99(found: Latency | None) -> float | None:
    return None if found is None else found.p99


COLUMNS = (
    Column("calm after the last kill, s", "calm_after_s", lambda pool: math.inf if pool.calm_after_s is None else pool.calm_after_s),
    Column("returns of the dead", "phantoms", lambda pool: pool.phantoms),
    Column("members that came back from the dead", "phantom_members", lambda pool: pool.phantom_members),
    Column("waves (most returns of one)", "waves", lambda pool: pool.waves),
    Column("living held for failed: at a server, member-s", "fp_server_member_s", lambda pool: _member_s(pool.false_positives)),
    Column("living held for failed at a server at the end, members", "fp_server_at_end", lambda pool: _at_end(pool.false_positives)),
    Column("FP: at any agent, member-s", "fp_member_s", lambda pool: _member_s(pool.false_positives_at_any)),
    Column("FP at the end, members", "fp_at_end", lambda pool: _at_end(pool.false_positives_at_any)),
    Column("FP-: at healthy ones, member-s", "fp_minus_member_s", lambda pool: _member_s(pool.false_positives_at_healthy)),
    Column("FP- at the end, members", "fp_minus_at_end", lambda pool: _at_end(pool.false_positives_at_healthy)),
    Column("living not alive for a server, member-s", "missing_member_s", lambda pool: _member_s(pool.missing)),
    Column("not alive for a server at the end, members", "missing_at_end", lambda pool: _at_end(pool.missing)),
    Column("dropped at the hand-off", "handoff_dropped", lambda pool: pool.handoff_dropped),
    Column("p99 at own agent, steady, ms", "agent_read_steady_ms_p99", lambda pool: _p99(pool.agent_reads_steady)),
    Column("p99 at own agent, after, ms", "agent_read_after_ms_p99", lambda pool: _p99(pool.agent_reads_after)),
    Column("p50 at own agent, steady, ms", "agent_read_steady_ms_p50", lambda pool: _p50(pool.agent_reads_steady)),
    Column("p50 at own agent, at the end, ms", "agent_read_at_end_ms_p50", lambda pool: _p50(pool.agent_reads_at_end)),
    Column(
        "reads at own agent that failed",
        "agent_reads_failed",
        lambda pool: pool.agent_reads_after.failed if pool.agent_reads_after else None,
    ),
    Column("p99 at the servers, steady, ms", "server_read_steady_ms_p99", lambda pool: _p99(pool.server_reads_steady)),
    Column("p99 at the servers, after, ms", "server_read_after_ms_p99", lambda pool: _p99(pool.server_reads_after)),
    Column("periods in which the cap stopped a node, steady", "throttled_steady", lambda pool: pool.throttled_steady),
    Column("periods in which the cap stopped a node, at the end", "throttled_at_end", lambda pool: pool.throttled_at_end),
)
CAPTION = (
    "Each figure: median over the runs (interval that holds the median of all such runs with the probability in the column `level`, from order "
    "statistics; no distribution is assumed). `>` marks an end that was not seen within the watch. Figures are counted from the last kill to the "
    "end of the watch; at the end: the mean of its last 60 s."
)
NEIGHBOUR = "**The neighbour**, to which nothing was done, as its own agents see their pool:"


def tables(fields: Sequence[str], runs: Runs) -> list[str]:
    """The lines of the table for people, and of a second one where the runs had a neighbour.

    Args:
        fields: what was varied.
        runs: values of these fields -> what stands behind the verdicts of the runs that were made with them.
    """
    lines = _table(fields, {values: [one.pool for one in found] for values, found in runs.items()})
    beside = {values: neighbours for values, found in runs.items() if (neighbours := [one.neighbour for one in found if one.neighbour])}
    if beside:
        titles = [*fields, "became", "its living agents held for failed, times"]
        told = {(*values, *_became(found)): [one.after_the_kills for one in found] for values, found in beside.items()}
        lines += ["", NEIGHBOUR, "", *_table(titles, told)]
    return lines


def figures(found: Evidence) -> dict[str, str]:
    """One run's, for other programs: by the names of their columns, empty where one is not known or its end was not seen."""
    its = found.neighbour
    beside = _numbers(its.after_the_kills if its else None)
    return {
        **_numbers(found.pool),
        "neighbour": its.condition if its else "",
        "neighbour_held_for_failed": str(its.held_for_failed) if its else "",
        **{f"neighbour_{name}": value for name, value in beside.items()},
    }


def _table(fields: Sequence[str], runs: Mapping[tuple[str, ...], Sequence[Pool | None]]) -> list[str]:
    titles = [*fields, "runs", "level", *(column.title for column in COLUMNS)]
    lines = [_row(titles), _row(["---"] * len(titles))]
    for values, found in runs.items():
        pools = [pool for pool in found if pool is not None]
        watched_s = min((pool.watched_s for pool in pools), default=0.0)
        medians = [_median(column, pools) for column in COLUMNS]
        sure = medians[0]
        lines.append(_row([*values, str(len(pools)), f"{sure.level:.0%}" if sure else "-", *(_text(one, watched_s) for one in medians)]))
    return lines


def _became(found: Sequence[NeighbourVerdict]) -> tuple[str, str]:
    """How many neighbours were poisoned, calm or not to be told, and how often their own agents were held for failed."""
    counts = Counter(one.condition for one in found)
    told = ", ".join(f"{condition} {count} of {len(found)}" for condition, count in counts.most_common())
    return told, _text(median([one.held_for_failed for one in found]), 0.0)


def _numbers(pool: Pool | None) -> dict[str, str]:
    found = {column.name: None if pool is None else column.figure(pool) for column in COLUMNS}
    return {name: "" if value is None or math.isinf(value) else f"{value:g}" for name, value in found.items()}


def _median(column: Column, pools: Sequence[Pool]) -> Median | None:
    return median([value for pool in pools if (value := column.figure(pool)) is not None])


def _text(found: Median | None, watched_s: float) -> str:
    if found is None:
        return "-"
    return f"{_number(found.middle, watched_s)} ({_number(found.low, watched_s)} to {_number(found.high, watched_s)})"


def _number(value: float, watched_s: float) -> str:
    if math.isinf(value):
        return f">{watched_s:.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
