"""The runs of a sweep: all combinations in every round, in an order that the seed alone decides."""

import pytest

from lab.core.errors import Refused
from lab.runner.sweep import Arm, Cell, cells, order

VARIED = ["consul.version=1.2.2,1.2.3", "workload.agents_per_pod=5,10"]


def test_every_combination_is_a_cell() -> None:
    found = cells(VARIED)
    assert [cell.values for cell in found] == [("1.2.2", "5"), ("1.2.2", "10"), ("1.2.3", "5"), ("1.2.3", "10")]
    assert found[0] == Cell(("consul.version=1.2.2", "workload.agents_per_pod=5"))
    assert found[3].slug == "1.2.3+10"


@pytest.mark.parametrize("varied", [["consul.version"], ["=1"], ["a=1,,2"], ["a=1", "a=2"], ["a=1,1"], ["a=x/y,x y"]])
def test_what_is_no_list_of_values_is_refused(varied: list[str]) -> None:
    with pytest.raises(Refused):
        cells(varied)


def test_an_arm_sets_several_fields_under_one_name_and_meets_every_value() -> None:
    arms = ["nothing: remedies=[]", "no key, 'slow': remedies.0.key=unchanged title='two words'", "new key"]
    found = cells(["consul.version=1.2.2,1.2.3"], arms)
    assert [cell.values for cell in found[:3]] == [("nothing", "1.2.2"), ("nothing", "1.2.3"), ("no key, 'slow'", "1.2.2")]
    assert found[2].settings == ("remedies.0.key=unchanged", "title=two words", "consul.version=1.2.2")
    assert (found[2].slug, found[2].title) == ("no-key-slow-+1.2.2", "no key, 'slow', consul.version=1.2.2")
    assert found[5] == Cell(("consul.version=1.2.3",), Arm("new key", ()))
    assert [cell.settings for cell in cells([], ["new key"])] == [()]
    assert cells([]) == [Cell(())]


@pytest.mark.parametrize("arms", [["a=1"], [""], [": a=1"], ["n: a"], ["n: =1"], ["n: a='1"], ["n", "n: a=1"], ["n: b=1", "m"]])
def test_what_is_no_arm_is_refused(arms: list[str]) -> None:
    with pytest.raises(Refused):
        cells(["b=1,2"], arms)


def test_each_round_holds_every_cell_once_in_an_order_of_its_own() -> None:
    runs = list(order(cells(VARIED), 20, 1))
    rounds = [[run.cell.slug for run in runs if run.round == number] for number in range(1, 21)]
    assert all(sorted(slugs) == sorted(rounds[0]) for slugs in rounds)
    assert len({tuple(slugs) for slugs in rounds}) > 5
    assert len({run.folder for run in runs}) == 80


def test_more_rounds_keep_the_order_of_those_that_are_there() -> None:
    assert list(order(cells(VARIED), 5, 1))[:8] == list(order(cells(VARIED), 2, 1))
    assert list(order(cells(VARIED), 2, 1)) != list(order(cells(VARIED), 2, 2))
