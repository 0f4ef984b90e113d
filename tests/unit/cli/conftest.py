"""The command line in this process: what it prints and its exit code."""

import sys

import pytest

from lab.cli.main import main
from tests.command_line import Answer, Lab


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lab:
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["lab", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Answer(int(ended.value.code or 0), told.out + told.err)

    return call
