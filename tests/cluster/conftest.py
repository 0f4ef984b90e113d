"""The real lab for the cluster tests: brought up when a test first needs it, taken down by the module that tests it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.command import lab
from tests.cluster.machine import machine
from tests.cluster.watched import WatchedRun, watched

AFTER_BASELINE = "test_vault_secrets"
"""The module that looks at what baseline has left; it runs while that cluster stands."""
BEFORE_CASCADE = "test_guarded"
"""The module that runs a baseline of its own on two pods, as the killed runners before it do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put each of these modules where the cluster that it needs stands; all else stays in the order of the files."""
    _move(items, AFTER_BASELINE, behind="test_baseline_")
    _move(items, BEFORE_CASCADE, behind="test_a_killed_runner_")


def _move(items: list[pytest.Item], module: str, behind: str) -> None:
    """Put the tests of a module behind the last one of test_lab.py whose name begins with `behind`."""
    moved = [item for item in items if item.path.stem == module]
    others = [item for item in items if item not in moved]
    place = max(
        (number for number, item in enumerate(others, 1) if item.path.stem == "test_lab" and item.name.startswith(behind)), default=0
    )
    if moved and place:
        items[:] = [*others[:place], *moved, *others[place:]]


BRIEF = ("outage_s=15", "flood_s=15", "recovery_s=30", "metastable_after_s=20")
"""100 s instead of 215 s; README's track record has runs of the whole time."""


@pytest.fixture(scope="session", autouse=True)
def may_change_this_machine() -> None:
    """The lab needs root on Debian or a running engine; without either the reason is shown."""
    if os.geteuid() != 0 and not Path("/var/run/docker.sock").exists():
        pytest.skip("no container engine runs, and starting one takes root")


@pytest.fixture(scope="session")
def up() -> Callable[[], None]:
    """See to it that the lab is up."""

    def ensure() -> None:
        assert lab("up", timeout_s=3600).code == 0

    return ensure


@pytest.fixture(scope="session")
def before() -> dict[str, object]:
    """The machine without the lab."""
    lab("down")
    return machine()


@pytest.fixture(scope="session", autouse=True)
def after(before: dict[str, object]) -> Iterator[None]:
    """Whatever fails, the machine is left without the lab."""
    yield
    lab("down")


@pytest.fixture(scope="session")
def baseline(tmp_path_factory: pytest.TempPathFactory, up: Callable[[], None]) -> WatchedRun:
    """A run of baseline in its own shape, for a shorter time."""
    up()
    return watched("baseline", tmp_path_factory.mktemp("baseline") / "run", *BRIEF)
