"""The table of a sweep: medians with intervals, ends that were not seen, figures that are not known."""

from lab.checkers.neighbour import NeighbourVerdict
from lab.checkers.pool import Latency, MemberTime
from lab.checkers.verdict import Evidence
from lab.core.neighbour import Found
from lab.report.pool_table import COLUMNS, NEIGHBOUR, figures, tables
from tests.pools import pool


def measured(calm_after_s: float | None, p99: float = 30.0, beside: NeighbourVerdict | None = None) -> Evidence:
    reads = Latency(p50=3, p99=p99, n=100, failed=0)
    latencies = dict.fromkeys(("agent_reads_steady", "agent_reads_after", "server_reads_steady", "server_reads_after"), reads)
    wrongly = MemberTime(peak=2, member_s=12, at_end=1)
    found = pool(calm_after_s, phantoms=4, phantom_members=3, waves=2, false_positives=wrongly, **latencies)
    return Evidence(claims=None, strict_order=True, out_of_order=[], pool=found, neighbour=beside)


def neighbour(condition: Found, held_for_failed: int, phantoms: int) -> NeighbourVerdict:
    seen = pool(40, phantoms=phantoms)
    return NeighbourVerdict(pool="shared", condition=condition, reason="-", links=[], held_for_failed=held_for_failed, after_the_kills=seen)


RUNS = {
    ("1.2.2",): [measured(None), measured(None), measured(None), measured(50), measured(60)],
    ("1.2.3",): [measured(n) for n in (1, 2, 3, 4, 5)],
    ("1.22.3",): [],
}


def rows() -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in tables(["consul.version"], RUNS) if line.startswith("|")]


def test_each_row_is_a_combination_with_medians_and_their_intervals() -> None:
    titles, _, *found = rows()
    assert titles[:4] == ["consul.version", "runs", "level", "calm after the last kill, s"]
    assert [row[:4] for row in found] == [
        ["1.2.2", "5", "94%", ">240 (50 to >240)"],
        ["1.2.3", "5", "94%", "3 (1 to 5)"],
        ["1.22.3", "0", "-", "-"],
    ]


def test_what_no_run_knows_is_a_dash() -> None:
    titles, _, first, *_ = rows()
    assert first[titles.index("FP: at any agent, member-s")] == "-"
    assert first[titles.index("returns of the dead")] == "4 (4 to 4)"
    assert len({len(row) for row in rows()}) == 1


def test_what_programs_get_of_a_run_leaves_out_what_was_not_seen() -> None:
    found = [figures(one) for runs in RUNS.values() for one in runs]
    assert [row["calm_after_s"] for row in found] == ["", "", "", "50", "60", "1", "2", "3", "4", "5"]
    assert {row["fp_member_s"] for row in found} == {""}
    assert {row["fp_server_at_end"] for row in found} == {"1"}
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)


def test_where_runs_had_a_neighbour_a_second_table_says_what_became_of_it() -> None:
    runs = {
        ("shared",): [measured(None, beside=neighbour("poisoned", n, 7)) for n in (0, 2)]
        + [measured(None, beside=neighbour("unknown", 1, 8))],
        ("own",): [measured(None, beside=neighbour("calm", 0, 0))],
    }
    lines = tables(["neighbour.pool"], runs)
    told = lines[lines.index(NEIGHBOUR) :]
    titles, _, shared, own = [line.strip("| ").split(" | ") for line in told if line.startswith("|")]
    assert titles[:4] == ["neighbour.pool", "became", "its living agents held for failed, times", "runs"]
    assert shared[:4] == ["shared", "poisoned 2 of 3, unknown 1 of 3", "1 (0 to 2)", "3"]
    assert (own[1], own[titles.index("returns of the dead")], shared[titles.index("returns of the dead")]) == (
        "calm 1 of 1",
        "0 (0 to 0)",
        "7 (7 to 8)",
    )
    rows = [figures(one) for found in runs.values() for one in found]
    assert [(row["neighbour"], row["neighbour_held_for_failed"], row["neighbour_phantoms"], row["phantoms"]) for row in rows] == [
        ("poisoned", "0", "7", "4"),
        ("poisoned", "2", "7", "4"),
        ("unknown", "1", "8", "4"),
        ("calm", "0", "0", "4"),
    ]


def test_without_a_neighbour_nothing_is_said_of_one() -> None:
    assert NEIGHBOUR not in tables(["consul.version"], RUNS)
    assert {row["neighbour"] for row in (figures(one) for runs in RUNS.values() for one in runs)} == {""}
