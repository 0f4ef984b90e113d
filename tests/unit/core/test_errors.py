"""Errors say what was tried, what came back, what to do next, and carry the exit code."""

import pytest

from lab.core.errors import Aborted, LabError, NotHealed, Refused, Unavailable


@pytest.mark.parametrize(("kind", "code"), [(Refused, 2), (Unavailable, 4), (Aborted, 4), (NotHealed, 5)])
def test_each_kind_has_its_exit_code(kind: type[LabError], code: int) -> None:
    assert kind("x").exit_code == code


def test_a_message_has_a_line_for_each_part_that_is_known() -> None:
    assert (
        str(Refused("start the engine", "no such file", "lab up"))
        == "could not start the engine\n  came back: no such file\n  next: lab up"
    )
    assert str(Refused("start the engine")) == "could not start the engine"
