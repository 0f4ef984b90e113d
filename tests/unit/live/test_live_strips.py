"""Time as characters, column by column."""

from dataclasses import asdict

import pytest

from lab.live.strips import ASCII, UNICODE, Glyphs, Measure, Piece, Scale, node_strip, ruler, sparkline

TEN = Scale(0, 100, 100, 10)
PLAIN = Measure(0.0, 1.0)


def text(pieces: list[Piece]) -> str:
    return "".join(piece for piece, _ in pieces)


@pytest.mark.parametrize(("at_s", "column"), [(-5, 0), (0, 0), (9.9, 0), (10, 1), (99.9, 9), (100, 9), (500, 9)])
def test_every_moment_has_a_column(at_s: float, column: int) -> None:
    assert TEN.column(at_s) == column


def test_the_ruler_names_each_phase_where_it_begins_and_cuts_it_at_the_next() -> None:
    assert ruler([("steady", 0), ("outage", 30), ("flood", 60)], TEN, ASCII) == "|st|ou|flo"


def test_a_node_shows_the_worst_of_each_column_and_nothing_of_the_future() -> None:
    told = [(5.0, "True"), (42.0, "Unknown"), (47.0, "True"), (61.0, "False")]
    assert text(node_strip(told, Scale(0, 100, 75, 10), ASCII)) == "----?-##  "
    assert text(node_strip(told, Scale(0, 100, 75, 10), UNICODE)) == "────▒─██··"


def test_before_a_node_is_known_there_is_a_blank() -> None:
    assert text(node_strip([(35.0, "True")], TEN, ASCII)) == "   -------"


def test_a_sparkline_begins_at_zero_and_ends_at_its_greatest() -> None:
    assert text(sparkline({0: 0.0, 15: 50.0, 25: 100.0}, Scale(0, 40, 40, 4), UNICODE, PLAIN)) == "▁▅█ "


def test_noise_far_below_the_usual_height_stays_at_the_bottom() -> None:
    assert text(sparkline({0: 3.0, 15: 9.0, 25: 5.0}, Scale(0, 30, 30, 3), UNICODE, Measure(0.0, 100.0))) == "▁▁▁"


def test_a_logarithmic_one_gives_each_factor_the_same_step_and_knows_its_bounds() -> None:
    row = {second * 10: 10.0 ** (second / 2) for second in range(9)}
    row[90] = 0.001
    assert text(sparkline(row, TEN, UNICODE, Measure(1.0, 10_000.0, logarithmic=True))) == "▁▂▃▄▅▆▇██▁"


def test_a_column_shows_its_greatest_or_its_least() -> None:
    row = {1: 10.0, 2: 80.0, 3: 20.0, 11: 80.0}
    assert text(sparkline(row, Scale(0, 20, 20, 2), UNICODE, PLAIN)) == "██"
    assert text(sparkline(row, Scale(0, 20, 20, 2), UNICODE, Measure(0.0, 80.0, least=True))) == "▂█"


def test_what_is_missing_is_a_gap_and_not_a_zero() -> None:
    assert text(sparkline({}, Scale(0, 40, 20, 4), ASCII, PLAIN)) == "    "
    assert text(sparkline({0: 1.0, 30: 1.0}, Scale(0, 40, 40, 4), UNICODE, PLAIN)) == "█  █"


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_each_state_has_its_own_sign_without_any_colour(glyphs: Glyphs) -> None:
    assert len({glyphs.ready, glyphs.not_ready, glyphs.unknown, glyphs.ahead}) == 4
    assert glyphs.lit != glyphs.dark
    assert all(len(sign) == 1 for sign in (glyphs.ready, glyphs.not_ready, glyphs.unknown, glyphs.ahead, glyphs.lit, glyphs.dark))


def test_the_plain_signs_are_plain() -> None:
    assert "".join(asdict(ASCII).values()).isascii()
