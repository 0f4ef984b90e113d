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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put `AFTER_BASELINE` behind the test of baseline; all else stays in the order of the files."""
    late = [item for item in items if item.path.stem == AFTER_BASELINE]
    baseline = next((number for number, item in enumerate(items) if item.name.startswith("test_baseline_")), None)
    if late and baseline is not None:
        early = items[: baseline + 1]
        items[:] = [*(item for item in early if item not in late), *late, *(item for item in items[baseline + 1 :] if item not in late)]


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
    """A run of baseline."""
    up()
    return watched("baseline", tmp_path_factory.mktemp("baseline") / "run")
