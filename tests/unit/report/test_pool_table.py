"""The table of a sweep: medians with intervals, ends that were not seen, figures that are not known."""

import csv
import io

from lab.checkers.pool import Latency, MemberTime, Pool
from lab.report.pool_table import COLUMNS, as_csv, markdown
from tests.pools import pool


def measured(calm_after_s: float | None, p99: float = 30.0) -> Pool:
    reads = Latency(p50=3, p99=p99, n=100, failed=0)
    latencies = dict.fromkeys(("agent_reads_steady", "agent_reads_after", "server_reads_steady", "server_reads_after"), reads)
    wrongly = MemberTime(peak=2, member_s=12, at_end=1)
    return pool(calm_after_s, phantoms=4, phantom_members=3, waves=2, false_positives=wrongly, **latencies)


RUNS = {
    ("1.2.2",): [measured(None), measured(None), measured(None), measured(50), measured(60)],
    ("1.2.3",): [measured(n) for n in (1, 2, 3, 4, 5)],
    ("1.22.3",): [],
}


def rows() -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in markdown(["consul.version"], RUNS).splitlines() if line.startswith("|")]


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


def test_the_file_for_programs_holds_every_run_and_leaves_out_what_was_not_seen() -> None:
    found = list(csv.DictReader(io.StringIO(as_csv(["consul.version"], RUNS))))
    assert [row["calm_after_s"] for row in found] == ["", "", "", "50", "60", "1", "2", "3", "4", "5"]
    assert {row["fp_member_s"] for row in found} == {""}
    assert {row["fp_server_at_end"] for row in found} == {"1"}
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
