"""A sweep's tables: the chain always, the pool where one was measured, simulated runs marked as such; and a line for each run."""

import csv
import io

from lab.checkers.judge import judge
from lab.checkers.verdict import Verdict
from lab.report.sweep_table import Simulated, as_csv, markdown, simulated, simulated_csv
from tests import histories
from tests.pools import pool

BARE = judge(histories.baseline().history(), histories.requests())


def with_pool(calm_after_s: float | None) -> Verdict:
    return BARE.model_copy(update={"evidence": BARE.evidence.model_copy(update={"pool": pool(calm_after_s)})})


def simulated_run(seed: int) -> Simulated:
    return Simulated(settings=(), seed=seed, history_sha256=f"{seed:064}", verdict=BARE)


def test_runs_without_a_pool_have_the_table_of_the_chain_alone() -> None:
    assert BARE.evidence.pool is None
    told = markdown(["arm"], {("as it comes",): [BARE], ("mine",): [BARE, BARE]})
    assert "| mine | 2 | 2 | 0 of 2 |" in told
    assert ("gossip pool" in told, "SIMULATED" in told) == (False, False)


def test_runs_that_measured_a_pool_have_both() -> None:
    told = markdown(["arm"], {("old",): [with_pool(8)], ("new",): [BARE]})
    assert "| old | 1 | 1 | 0 of 1 |" in told
    assert "| old | 1 | 0% | 8 (8 to 8) |" in told
    assert "| new | 0 | - | - |" in told


def test_every_run_is_a_line_whatever_it_measured() -> None:
    found = list(csv.DictReader(io.StringIO(as_csv(["arm"], {("old",): [with_pool(8), with_pool(None)], ("new",): [BARE], ("none",): []}))))
    assert [(row["arm"], row["verdict"], row["link_3"], row["calm_after_s"]) for row in found] == [
        ("old", "held", "quiet", "8"),
        ("old", "held", "quiet", ""),
        ("new", "held", "quiet", ""),
    ]
    assert as_csv(["arm"], {("old",): []}) == ""


def test_simulated_runs_are_marked_and_known_by_their_bytes() -> None:
    runs: dict[tuple[str, ...], list[Simulated]] = {("30",): [simulated_run(7), simulated_run(8)]}
    assert "SIMULATED" in simulated(["workload.pods"], runs)
    found = list(csv.DictReader(io.StringIO(simulated_csv(["workload.pods"], runs))))
    assert [(row["seed"], row["history_sha256"]) for row in found] == [("7", f"{7:064}"), ("8", f"{8:064}")]
    assert {row["verdict"] for row in found} == {"held"}
