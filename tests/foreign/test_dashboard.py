"""The dashboard and the endpoint, held against Grafana's and Prometheus' own words."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.report.exports.openmetrics import plain
from lab.report.newest import Newest, none_running
from lab.report.template import FOLDER
from tests import histories
from tests.foreign.test_accepted import NEEDS_PROMTOOL, PROMTOOL, ran


def lost(given: Any, kept: Any, place: str = "") -> list[str]:
    """Where `given` has something that Grafana's types did not keep as it was: a field that they do not know, or a value of another kind."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [found for name, value in given.items() for found in lost(value, kept.get(name, "nothing"), f"{place}.{name}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [found for number, pair in enumerate(zip(given, kept, strict=True)) for found in lost(*pair, f"{place}[{number}]")]
    return [] if given == kept else [place]


def through_grafana(board: dict[str, Any]) -> Any:
    """The dashboard read and written again by the types that Grafana generates from its schema."""
    dashboard = pytest.importorskip("grafana_foundation_sdk.models.dashboard", reason="uv sync --group formats")
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    return json.loads(encoder.JSONEncoder(sort_keys=True).encode(dashboard.Dashboard.from_json(board)))


@pytest.fixture
def board() -> dict[str, Any]:
    return json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_grafanas_own_types_know_every_field_of_the_dashboard(board: dict[str, Any]) -> None:
    assert lost(board, through_grafana(board)) == []


def test_a_field_that_grafana_does_not_know_would_be_found(board: dict[str, Any]) -> None:
    board["panels"][0]["gridPos"]["width"] = 3
    board["refreshing"] = "5s"
    assert lost(board, through_grafana(board)) == [".panels[0].gridPos.width", ".refreshing"]


@NEEDS_PROMTOOL
@pytest.mark.parametrize("running", [True, False])
def test_promtool_finds_nothing_to_say_about_the_endpoint(running: bool, tmp_path: Path) -> None:
    newest = Newest("20260115T093000Z-cascade")
    newest.see(event for event in histories.cascade().history().events if event.kind != "end")
    text = plain(newest.families() if running else none_running()).decode()
    checked = ran(PROMTOOL, "check", "metrics", cwd=tmp_path, input=text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
