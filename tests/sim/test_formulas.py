"""The formulas against memberlist's own test tables and the table of timers by pool size."""

import pytest

from lab.sim import constants, formulas


@pytest.mark.parametrize(("members", "scale_ms"), [(5, 1000), (10, 1000), (50, 1698), (100, 2000), (500, 2698), (1000, 3000)])
def test_suspicion_equals_memberlists_own_test_table(members: int, scale_ms: int) -> None:
    assert formulas.suspicion_timeout_ms(members, 1000, 3) == 3 * scale_ms


@pytest.mark.parametrize(("members", "limit"), [(0, 0), (1, 3), (99, 6)])
def test_retransmit_limit_equals_memberlists_own_test_table(members: int, limit: int) -> None:
    assert formulas.retransmit_limit(members, 3) == limit


def test_push_pull_scales_as_memberlists_own_test_says() -> None:
    assert {formulas.push_pull_interval_ms(n, 1000) for n in range(33)} == {1000}
    assert {formulas.push_pull_interval_ms(n, 1000) for n in range(33, 65)} == {2000}
    assert {formulas.push_pull_interval_ms(n, 1000) for n in range(65, 129)} == {3000}


@pytest.mark.parametrize(
    ("confirmations", "elapsed_ms", "remaining_ms"),
    [(0, 0, 30_000), (1, 2000, 14_000), (2, 3000, 4810), (3, 4000, -2000), (4, 5000, -3000), (5, 10_000, -8000)],
)
def test_confirmations_shorten_a_suspicion_as_memberlists_own_test_says(confirmations: int, elapsed_ms: int, remaining_ms: int) -> None:
    assert formulas.suspicion_after_ms(confirmations, 3, 2000, 30_000) - elapsed_ms == remaining_ms


@pytest.mark.parametrize(
    ("members", "min_s", "one_s", "max_s", "retransmits", "push_pull_s"),
    [
        (50, 6.8, 19.3, 40.8, 8, 60),
        (128, 8.4, 24.0, 50.6, 12, 90),
        (1_000, 12.0, 34.1, 72.0, 16, 180),
        (5_000, 14.8, 42.1, 88.8, 16, 270),
        (10_000, 16.0, 45.5, 96.0, 20, 300),
        (41_000, 18.5, 52.5, 110.7, 20, 360),
    ],
)
def test_timers_of_the_lan_by_pool_size(members: int, min_s: float, one_s: float, max_s: float, retransmits: int, push_pull_s: int) -> None:
    lan = constants.LAN
    min_ms = formulas.suspicion_timeout_ms(members, lan.probe_interval_ms, lan.suspicion_mult)
    max_ms = lan.suspicion_max_mult * min_ms
    one_ms = formulas.suspicion_after_ms(1, formulas.confirmations_wanted(members, lan.suspicion_mult), min_ms, max_ms)
    assert [min_ms / 1000, one_ms / 1000, max_ms / 1000] == pytest.approx([min_s, one_s, max_s], abs=0.06)
    assert formulas.retransmit_limit(members, lan.retransmit_mult) == retransmits
    assert formulas.push_pull_interval_ms(members, lan.push_pull_ms) == push_pull_s * 1000


def test_the_health_score_follows_memberlists_own_test_table() -> None:
    score, seen = 0, []
    for delta in (0, -1, -10, 1, -1, 10, -1, -1, -1, -1, -1, -1, -1, -1):
        score = formulas.health_score(score, delta, constants.TIMEOUT_SCALE_MAX)
        seen.append(score)
    assert seen == [0, 0, 0, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0, 0]


@pytest.mark.parametrize(("members", "wanted"), [(1, 0), (3, 0), (4, 2), (128, 2)])
def test_a_small_pool_wants_no_confirmations(members: int, wanted: int) -> None:
    assert formulas.confirmations_wanted(members, 4) == wanted


def test_nobody_is_asked_about_a_negative_pool() -> None:
    with pytest.raises(ValueError):
        formulas.suspicion_timeout_ms(-1, 1000, 4)


@pytest.mark.parametrize(("message_bytes", "fit"), [(217, 6), (251, 5), (75, 18), (143, 9), (44, 30), (78, 17)])
def test_so_many_messages_fit_a_packet(message_bytes: int, fit: int) -> None:
    assert formulas.messages_per_packet(message_bytes) == fit


@pytest.mark.parametrize(
    ("members", "message_bytes", "low", "high"), [(1_000, 217, 4, 6), (50_000, 217, 4, 6), (1_000, 75, 7, 17), (50_000, 143, 6.5, 17)]
)
def test_the_capacity_lies_where_the_law_puts_it(members: int, message_bytes: int, low: float, high: float) -> None:
    assert low <= formulas.capacity_per_s(members, message_bytes, 15) <= high


@pytest.mark.parametrize(("transmissions", "share"), [(0.8, 0.0), (1.2, 0.31), (2, 0.80), (3, 0.94), (4, 0.98), (6, 0.9975), (8, 0.9997)])
def test_a_rumour_sent_too_seldom_does_not_reach_everybody(transmissions: float, share: float) -> None:
    assert formulas.coverage(transmissions) == pytest.approx(share, abs=0.005)


def test_under_load_coverage_is_the_fixed_point_of_what_carriers_have_room_for() -> None:
    for load in (0.5, 1.2, 3.0):
        share = formulas.coverage_at_load(load, 1.0)
        assert share == pytest.approx(formulas.coverage(load / share), abs=1e-6)


def test_a_dead_member_is_first_probed_after_about_one_and_a_half_periods() -> None:
    assert formulas.first_detection_periods() == pytest.approx(1.58, abs=0.005)
