"""A stored run, for all that watch one."""

from pathlib import Path

import pytest

from tests import histories


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-written cascade as a run's folder."""
    return histories.store(histories.cascade().history(), tmp_path_factory.mktemp("runs") / "20190115T000000Z-cascade")
