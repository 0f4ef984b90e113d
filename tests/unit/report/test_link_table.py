"""The table of simulated runs: how often each link fired and when, medians with intervals, and a line for each run."""

import csv
import io

from lab.checkers.judge import judge
from lab.report.link_table import Run, as_csv, markdown
from tests import histories


def run(seed: int, fired_at_s: float | None) -> Run:
    """A judged baseline whose link 3 fired, or did not."""
    found = judge(histories.baseline().history(), histories.requests())
    links = [link.model_copy(update={"fired_at_s": fired_at_s}) if link.link == 3 else link for link in found.links]
    return Run(settings=(), seed=seed, history_sha256=f"{seed:064}", verdict=found.model_copy(update={"links": links}))


RUNS = {
    ("30",): [run(number, at_s) for number, at_s in enumerate((70.0, 90.0, 80.0, None, 71.0, 72.0))],
    ("40",): [run(number, 60.0) for number in range(5)],
    ("50",): [],
}


def table() -> list[dict[str, str]]:
    titles, _, *found = [line.strip("| ").split(" | ") for line in markdown(["workload.pods"], RUNS).splitlines() if line.startswith("|")]
    return [dict(zip(titles, row, strict=True)) for row in found]


def test_each_row_tells_how_often_a_link_fired_and_when() -> None:
    found = table()
    assert [row["workload.pods"] for row in found] == ["30", "40", "50"]
    assert [row["runs"] for row in found] == ["6", "5", "0"]
    assert [row["3 Nodes NotReady"] for row in found] == ["5 of 6, 72\u00a0s (70\u00a0s to 90\u00a0s)", "5 of 5, 60\u00a0s", "0 of 0"]
    assert [row["0 Kafka away"] for row in found] == ["0 of 6", "0 of 5", "0 of 0"]
    assert found[2]["pods evicted"] == "-"


def test_what_is_told_is_marked_as_simulated() -> None:
    assert "SIMULATED" in markdown([], RUNS)


def test_a_line_a_run_leaves_out_what_did_not_happen() -> None:
    found = list(csv.DictReader(io.StringIO(as_csv(["workload.pods"], RUNS))))
    assert [row["link_3_at_s"] for row in found] == ["70", "90", "80", "", "71", "72", *["60"] * 5]
    assert found[1]["history_sha256"] == f"{1:064}"
    assert {row["verdict"] for row in found} == {"held"}
