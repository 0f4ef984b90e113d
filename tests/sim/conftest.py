"""The machine code of the pool is there before the first test that needs it: of several workers one compiles."""

import pytest

from lab.sim.warm import warm


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    warm()
