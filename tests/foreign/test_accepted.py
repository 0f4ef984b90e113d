"""Each export is accepted by the program that it is for. These come with the group `formats` and scripts/readers; what is missing is skipped by name."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lab.checkers.judge import judge
from lab.core.paths import cache
from lab.report.exports.stored import Stored
from lab.report.exports.table import FORMATS
from lab.runner.load import load_experiment
from tests import histories

HERE = Path(__file__).parent
PROMTOOL = shutil.which("promtool", path=f"{os.environ.get('PATH', '')}:{cache() / 'tools' / 'bin'}")
NEEDS_PROMTOOL = pytest.mark.skipif(PROMTOOL is None, reason="no promtool: scripts/readers")


@pytest.fixture(scope="module", params=["baseline", "cascade", "unknown"])
def stored(request: pytest.FixtureRequest) -> Stored:
    history = getattr(histories, request.param)().history()
    return Stored(f"20260115T093000Z-{request.param}", history, judge(history, histories.requests()))


@pytest.fixture
def cascade() -> Stored:
    history = histories.cascade().history()
    return Stored("20260115T093000Z-cascade", history, judge(history, histories.requests()))


def write(run: Stored, form: str, folder: Path) -> Path:
    for name, content in FORMATS[form](run).items():  # type: ignore[index]
        (folder / name).write_bytes(content)
    return folder


def ran(*command: object, cwd: Path, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=120, check=False, **more)  # type: ignore[call-overload,no-any-return]


def test_junit_is_valid_for_jenkins(stored: Stored) -> None:
    etree = pytest.importorskip("lxml.etree", reason="uv sync --group formats")
    schema = etree.XMLSchema(etree.parse(HERE / "junit-10.xsd"))
    report = etree.fromstring(FORMATS["junit"](stored)["junit.xml"])
    assert schema.validate(report), schema.error_log
    report[0].set("tests_", "1")
    assert not schema.validate(report)


@NEEDS_PROMTOOL
def test_promtool_finds_nothing_to_say_about_the_summary(stored: Stored, tmp_path: Path) -> None:
    text = (write(stored, "openmetrics", tmp_path) / "summary.txt").read_text(encoding="utf-8")
    checked = ran(PROMTOOL, "check", "metrics", cwd=tmp_path, input=text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    bad = ran(
        PROMTOOL,
        "check",
        "metrics",
        cwd=tmp_path,
        input="# HELP cascade_lab_x_ms Bad.\n# TYPE cascade_lab_x_ms gauge\ncascade_lab_x_ms 1\n",
    )
    assert bad.returncode != 0


@NEEDS_PROMTOOL
def test_prometheus_takes_the_series_as_the_past(cascade: Stored, tmp_path: Path) -> None:
    write(cascade, "openmetrics", tmp_path)
    made = ran(PROMTOOL, "tsdb", "create-blocks-from", "openmetrics", "series.txt", "blocks", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    (tmp_path / "blocks" / "wal").mkdir()
    dumped = ran(PROMTOOL, "tsdb", "dump", "blocks", "--match={__name__='cascade_lab_nodes_not_ready'}", cwd=tmp_path)
    assert dumped.returncode == 0, dumped.stderr
    assert len(dumped.stdout.splitlines()) == len(cascade.history.samples("nodes_not_ready"))


def test_the_parser_of_prometheus_client_reads_back_what_was_written(cascade: Stored) -> None:
    files = FORMATS["openmetrics"](cascade)
    families = {family.name: family for family in text_string_to_metric_families(files["series.txt"].decode())}
    counter = families["cascade_lab_evictions"]
    assert (counter.type, counter.samples[-1].value) == ("counter", 40.0)
    assert {family.name for family in text_string_to_metric_families(files["summary.txt"].decode())} >= {"cascade_lab_link_peak"}


@pytest.fixture
def parquet(cascade: Stored, tmp_path: Path) -> str:
    pytest.importorskip("pyarrow", reason="uv sync --extra export")
    return str(write(cascade, "parquet", tmp_path) / "series.parquet")


LOST_NODES = 4
"""Most nodes that are NotReady at once in the story, by its own samples."""


def test_pandas_opens_the_series(cascade: Stored, parquet: str) -> None:
    pandas = pytest.importorskip("pandas", reason="uv sync --group formats")
    frame = pandas.read_parquet(parquet)
    assert list(frame.columns) == ["at_s", "series", "target", "value", "reason", "late", "world"]
    assert len(frame) == sum(1 for _ in cascade.samples())
    asked = frame[frame["series"] == "kafka_answer_ms"]
    assert asked["value"].isna().sum() == sum(sample.value is None for sample in cascade.history.samples("kafka_answer_ms"))


def test_polars_opens_the_series(cascade: Stored, parquet: str) -> None:
    polars = pytest.importorskip("polars", reason="uv sync --group formats")
    frame = polars.read_parquet(parquet)
    top = frame.filter(polars.col("series") == "evictions_total")["value"].max()
    assert (frame.height, top) == (sum(1 for _ in cascade.samples()), 40.0)


def test_duckdb_opens_the_series(cascade: Stored, parquet: str) -> None:
    duckdb = pytest.importorskip("duckdb", reason="uv sync --group formats")
    rows = duckdb.sql(
        f"select target, count(*), max(value) from '{parquet}' where series = 'lease_gap_s' group by target order by target"
    ).fetchall()
    assert [row[0] for row in rows] == sorted(histories.NODES)
    assert {row[1] for row in rows} == {len(cascade.history.samples("lease_gap_s", histories.NODES[0]))}


def test_the_parquet_file_says_which_run_it_is(parquet: str) -> None:
    metadata = pytest.importorskip("pyarrow.parquet").read_schema(parquet).metadata
    assert metadata[b"run"] == b"20260115T093000Z-cascade"
    assert json.loads(metadata[b"experiment"])["name"] == "cascade"


def chaos(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("chaoslib", reason="uv sync --group formats")
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}:{os.environ.get('PATH', '')}", "HOME": str(folder), "CHAOSTOOLKIT_NO_CHECK": "1"}
    return ran(scripts / "chaos", "--no-version-check", *arguments, cwd=folder, env=environment)


def test_chaos_toolkit_validates_the_experiment(stored: Stored, tmp_path: Path) -> None:
    write(stored, "chaostoolkit", tmp_path)
    checked = chaos(tmp_path, "validate", "experiment.json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "experiment syntax and semantic look valid" in checked.stdout + checked.stderr


def test_chaos_toolkit_refuses_an_experiment_that_lost_its_program(cascade: Stored, tmp_path: Path) -> None:
    write(cascade, "chaostoolkit", tmp_path)
    told = json.loads((tmp_path / "experiment.json").read_text(encoding="utf-8"))
    told["method"][0]["provider"]["path"] = "no-such-program"
    (tmp_path / "experiment.json").write_text(json.dumps(told), encoding="utf-8")
    assert chaos(tmp_path, "validate", "experiment.json").returncode != 0


def test_the_journal_has_the_shape_of_one_that_chaos_run_writes(stored: Stored, tmp_path: Path) -> None:
    nothing = {"type": "process", "path": sys.executable, "arguments": "-V"}
    probe = {"type": "probe", "name": "a probe", "tolerance": 0, "provider": nothing}
    experiment = {
        "title": "none",
        "description": "none",
        "steady-state-hypothesis": {"title": "none", "probes": [probe]},
        "method": [{"type": "action", "name": "an action", "provider": nothing}],
    }
    (tmp_path / "own.json").write_text(json.dumps(experiment), encoding="utf-8")
    assert chaos(tmp_path, "run", "own.json").returncode == 0
    theirs = json.loads((tmp_path / "journal.json").read_text(encoding="utf-8"))
    ours = json.loads(FORMATS["chaostoolkit"](stored)["journal.json"])
    assert set(theirs) - set(ours) <= {"chaoslib-version"}
    assert set(ours) <= set(theirs)
    assert set(ours["run"][0]) == set(theirs["run"][0])
    assert set(ours["steady_states"]["before"]["probes"][0]) == set(theirs["steady_states"]["before"]["probes"][0])


def test_the_lab_reads_its_own_experiment_back(stored: Stored, tmp_path: Path) -> None:
    write(stored, "chaostoolkit", tmp_path)
    name = f"{stored.verdict.experiment}.yaml"
    read_back = load_experiment(str(tmp_path / name), []).model_dump(mode="json")
    for part in ("workload", "expected"):  # newer fields have their defaults
        read_back[part] = {key: read_back[part][key] for key in stored.experiment[part]}
    assert {key: read_back[key] for key in stored.experiment} == stored.experiment
