"""The lab against the simulator: medians, residuals, order, curves, and their page."""

import pytest

from lab.checkers.judge import judge
from lab.report import worlds
from lab.report.worlds import Curve, Row, Run
from lab.report.worlds_page import draw, render_page
from tests import histories


def run(name: str) -> Run:
    history = getattr(histories, name)().history()
    return Run(name, history, judge(history, histories.requests()))


def row(lab: tuple[float, ...], sim: tuple[float, ...], *, timed: bool = True) -> Row:
    return Row("link 3 fires", "s", lab, sim, 4, 5, timed)


@pytest.mark.parametrize(
    ("lab", "sim", "said"),
    [
        ((60.0, 70.0), (60.0, 80.0), "+8 %, +5 s"),
        ((60.0,), (90.0,), "+50 %, +30 s: NOT within 30 %"),
        ((), (90.0,), "-"),
        ((60.0,), (), "-"),
    ],
)
def test_a_residual_is_that_of_the_medians_and_says_when_it_is_large(lab: tuple[float, ...], sim: tuple[float, ...], said: str) -> None:
    assert worlds.words(row(lab, sim))[3] == said


def test_a_row_says_in_how_many_runs_it_is_known() -> None:
    told = worlds.words(row((60.0, 70.0), ()))
    assert told[1].replace("\u00a0", " ") == "65 s (60 s to 70 s) in 2 of 4"
    assert told[2] == "in none of 5"


def test_two_equal_worlds_have_no_residual() -> None:
    found = worlds.compare([run("cascade")], [run("cascade")])
    assert {each.residual for each in found.rows if each.residual is not None} == {0.0}
    assert {curve.residual for curve in found.curves} == {0.0}
    assert found.lab_order == found.sim_order != ()


def test_a_world_in_which_nothing_happens_is_seen_to_differ() -> None:
    found = worlds.compare([run("cascade")], [run("baseline")])
    assert found.sim_order == ()
    text = "\n".join(worlds.lines(found))
    assert "NOT the same" in text
    alive = next(curve for curve in found.curves if curve.title == "members alive")
    assert (alive.residual or 0) > 1


def test_a_curve_is_compared_where_both_worlds_are_known() -> None:
    curve = Curve("a", "", (0.0, 5.0, 10.0), ((1.0, None, 3.0),), ((2.0, 2.0, 3.0), (4.0, 2.0, None)))
    assert list(curve.means()) == [(1.0, 3.0), (3.0, 3.0)]
    assert curve.residual == pytest.approx(2**0.5)


def test_the_page_draws_each_run_of_the_lab_and_the_band_of_the_simulator() -> None:
    curve = Curve("a", "", (-5.0, 0.0, 5.0), ((1.0, None, 2.0),), ((2.0, 2.0, 2.0), (4.0, 2.0, None)))
    drawing = draw(curve)
    assert len(drawing.lab) == 1
    assert drawing.zero_x == 450.0
    page = render_page(worlds.compare([run("cascade")], [run("cascade")]), ["Held out."])
    assert "Held out." in page
    assert page.count('<svg class="both"') >= 4
    assert "half of this is simulated" in page
