"""The table of the chain: how often each link fired and when, medians with intervals, and what one run gives to other programs."""

from lab.checkers.judge import judge
from lab.checkers.result import Status
from lab.checkers.verdict import Verdict
from lab.report.link_table import figures, table
from tests import histories


def verdict(fired_at_s: float | None, status: Status | None = None) -> Verdict:
    """A judged baseline whose link 3 fired, or did not."""
    found = judge(histories.baseline().history(), histories.requests())
    changed = {"fired_at_s": fired_at_s, "status": status or ("quiet" if fired_at_s is None else "fired")}
    return found.model_copy(update={"links": [link.model_copy(update=changed) if link.link == 3 else link for link in found.links]})


RUNS = {
    ("30",): [verdict(at_s) for at_s in (70.0, 90.0, 80.0, None, 71.0, 72.0)],
    ("40",): [verdict(60.0)] * 5,
    ("50",): [],
}


def rows(runs: dict[tuple[str, ...], list[Verdict]]) -> list[dict[str, str]]:
    titles, _, *found = [line.strip("| ").split(" | ") for line in table(["workload.pods"], runs)]
    return [dict(zip(titles, row, strict=True)) for row in found]


def test_each_row_tells_how_often_a_link_fired_and_when() -> None:
    found = rows(RUNS)
    assert [row["workload.pods"] for row in found] == ["30", "40", "50"]
    assert [row["runs"] for row in found] == ["6", "5", "0"]
    assert [row["3 Nodes NotReady"] for row in found] == ["5 of 6, 72\u00a0s (70\u00a0s to 90\u00a0s)", "5 of 5, 60\u00a0s", "0 of 0"]
    assert [row["0 Kafka away"] for row in found] == ["0 of 6", "0 of 5", "0 of 0"]
    assert found[2]["pods evicted"] == "-"


def test_a_run_that_could_not_tell_is_not_counted_as_quiet() -> None:
    found = rows({("30",): [verdict(70.0), verdict(None), verdict(None, "unknown")], ("40",): [verdict(None, "unmeasured")]})
    assert [row["3 Nodes NotReady"] for row in found] == ["1 of 2, 70\u00a0s", "-"]
    assert [row["runs"] for row in found] == ["3", "1"]


def test_a_line_a_run_leaves_out_what_did_not_happen() -> None:
    found = [figures(one) for one in RUNS[("30",)]]
    assert [row["link_3_at_s"] for row in found] == ["70", "90", "80", "", "71", "72"]
    assert [row["link_3"] for row in found] == ["fired", "fired", "fired", "quiet", "fired", "fired"]
    assert {(row["verdict"], row["as_expected"]) for row in found} == {("held", "true")}
