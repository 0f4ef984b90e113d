"""`lab pool`: one row an arm, the same in the page, and what the model cannot say."""

from pathlib import Path

import pytest

from lab.cli import pool_commands
from lab.sim import study
from tests.command_line import Lab


def test_every_arm_is_told_in_the_terminal_and_on_the_page(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_commands, "on_all_cores", lambda jobs, *_: {name: job() for name, job in jobs.items()})
    page = tmp_path / "pool.html"
    told = lab("pool", "--agents", "20", "--out", str(page))
    assert told.code == 0, told.text
    assert "SIMULATED: 20 agents" in told.text
    for arm in study.ARMS:
        assert f"{arm.name} | " in told.text
        assert arm.name in page.read_text()
    assert study.LIMITS[0] in told.text
