"""What a stored run can be asked, by the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab.cli.main import app
from lab.core.errors import Refused
from tests import histories


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return histories.store(histories.cascade().history(), tmp_path_factory.mktemp("runs") / "cascade")


def said(*arguments: object) -> str:
    """What the command wrote; it must end well."""
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_why_tells_the_path_from_a_link_to_its_step(run: Path) -> None:
    text = said("why", run, "link4")
    assert "link 4, Pods evicted and moved: fired at 122.0" in text
    assert text.index("evicting") < text.index("node worker2 was lost") < text.index("timeline step")
    assert "not a proof" in text


def test_why_without_an_event_tells_every_link_that_fired(run: Path) -> None:
    assert said("why", run).count(": fired at") == 8


def test_why_refuses_what_is_not_in_the_run(run: Path) -> None:
    result = CliRunner().invoke(app, ["why", str(run), "nobody"])
    assert isinstance(result.exception, Refused)


def test_diff_prints_a_table_and_writes_a_page(run: Path, tmp_path: Path) -> None:
    other = histories.store(histories.baseline().history(), tmp_path / "baseline")
    text = said("diff", run, other)
    assert "A cascade: cascade, aligned on Kafka's release" in text
    assert " 3 Nodes NotReady" in text
    page = other / "diff-cascade.html"
    assert f"page: {page}" in text
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_diff_refuses_a_page_that_cannot_be_written(run: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["diff", str(run), str(run), "--page", str(tmp_path)])
    assert isinstance(result.exception, Refused)


@pytest.mark.parametrize(
    ("form", "first"), [("junit", "junit.xml"), ("openmetrics", "summary.txt"), ("csv", "series.csv"), ("chaostoolkit", "experiment.json")]
)
def test_export_writes_the_files_of_a_format_and_names_them(run: Path, tmp_path: Path, form: str, first: str) -> None:
    text = said("export", run, "--format", form, "--out", tmp_path / "deep" / form)
    assert text.splitlines()[0] == str(tmp_path / "deep" / form / first)
    assert all(Path(line).is_file() for line in text.splitlines())


def test_export_without_a_place_stays_in_the_folder_of_the_run(run: Path) -> None:
    assert said("export", run, "--format", "junit").strip() == str(run / "junit" / "junit.xml")


def test_export_refuses_a_place_that_is_no_folder(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["export", str(run), "--format", "csv", "--out", str(tmp_path / "file")])
    assert isinstance(result.exception, Refused)
