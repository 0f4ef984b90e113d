"""The real lab for the cluster tests: brought up when a test first needs it, taken down by the module that tests it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.command import lab


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
