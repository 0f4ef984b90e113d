"""The validation table: its arithmetic, its short rows in full, and one cell of the long experiment. The whole grid takes minutes and is run by hand."""

import math

import pytest

from lab.sim import validate
from lab.sim.scenarios import CONFIGURATIONS, Anomaly, Tally, windows
from lab.sim.validate import Row

SEEDS = range(5)


def row(*simulated: float) -> Row:
    return Row("a", 2.0, "b", 1.8, 2.2, simulated)


def test_a_row_passes_when_its_mean_lies_within_the_tolerance() -> None:
    assert row(1.7, 2.1).passes
    assert not row(2.3, 2.3).passes
    assert row(2.5).residual == 0.25


def test_the_interval_of_a_mean_is_students_and_unknown_for_one_seed() -> None:
    assert row(1.0, 3.0).interval == pytest.approx((2 - 12.706, 2 + 12.706))
    assert row(2.0).interval == (-math.inf, math.inf)


def test_the_table_says_what_does_not_pass_and_by_how_much() -> None:
    told = validate.render([row(2.0, 2.0), row(3.0, 3.0)]).splitlines()
    assert told[1].endswith("pass")
    assert told[2].endswith("NOT passing, +50 %")


def test_ratios_are_taken_to_swim_seed_by_seed() -> None:
    cells = {name: [Tally(10, 10, 0, 100, 100), Tally(20, 20, 0, 100, 100)] for name in CONFIGURATIONS}
    cells["Lifeguard"] = [Tally(1, 5, 0, 100, 100), Tally(1, 5, 0, 100, 100)]
    found = {each.target: each.simulated for each in validate.lifeguard_rows(cells)}
    assert found["false positives, Lifeguard / SWIM"] == (0.1, 0.05)
    assert found["messages, Lifeguard / SWIM"] == (1.0, 1.0)


@pytest.mark.parametrize(
    "published", [validate.FALSE_POSITIVE_RATIOS, validate.HEALTHY_RATIOS, validate.MESSAGE_RATIOS, validate.BYTE_RATIOS]
)
def test_every_configuration_of_the_paper_has_its_published_ratio(published: dict[str, float]) -> None:
    assert set(published) == set(CONFIGURATIONS) - {"SWIM"}


def test_windows_block_the_same_members_again_and_again() -> None:
    found = list(windows(Anomaly(1000, 500, 2), 8.0))
    assert [(each.at_ms, each.member, each.argument) for each in found] == [
        (5000, 0, 6000), (5000, 1, 6000), (6500, 0, 7500), (6500, 1, 7500)
    ]  # fmt: skip


def test_the_same_anomalies_give_the_same_tally_and_lifeguard_a_smaller_one() -> None:
    cells = [Anomaly(16_384, 64, 4)]
    first, again, guarded = (validate.interval_experiment(name, 1, cells) for name in ("SWIM", "SWIM", "Lifeguard"))
    assert first == again
    assert first.false_positives > guarded.false_positives


def test_the_messages_and_the_timers_of_whole_pools_lie_within_their_tolerance() -> None:
    rows = [*validate.swim_rows(SEEDS), *validate.timer_rows(SEEDS)]
    assert validate.unexplained(rows) == []


def test_parts_of_the_grid_add_up_to_the_whole() -> None:
    cells = [Anomaly(2048, 64, 2), Anomaly(8192, 256, 8)]
    parts = [validate.interval_experiment("SWIM", 1, cells, part) for part in (range(1), range(1, 2))]
    assert parts[0] + parts[1] == validate.interval_experiment("SWIM", 1, cells)


def test_a_miss_that_nobody_explained_is_found_and_an_explained_one_stays_not_passing() -> None:
    known = next(iter(validate.EXPLAINED))
    rows = [row(3.0, 3.0), Row(known, 2.0, "b", 1.8, 2.2, (3.0, 3.0))]
    assert validate.unexplained(rows) == rows[:1]
    assert "NOT passing" in validate.render(rows).splitlines()[2]
