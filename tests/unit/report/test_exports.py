"""The files for other programs, before these programs see them."""

import csv
import dataclasses
import io
import json
import sys
import xml.etree.ElementTree as ET
from functools import cache

import pytest

from lab.checkers.judge import judge
from lab.core.errors import Refused
from lab.report.exports.chaostoolkit import chaostoolkit
from lab.report.exports.columns import SERIES, comma_separated
from lab.report.exports.junit import all_cases, junit
from lab.report.exports.metrics import HELP, metric_of
from lab.report.exports.openmetrics import openmetrics
from lab.report.exports.stored import Stored
from lab.report.exports.table import FORMATS
from tests import histories


@cache
def stored(name: str) -> Stored:
    history = getattr(histories, name)().history()
    return Stored(name, history, judge(history, histories.requests()))


@pytest.mark.parametrize("form", ["junit", "openmetrics", "csv", "chaostoolkit"])
@pytest.mark.parametrize("name", ["baseline", "cascade", "unknown"])
def test_the_same_run_gives_the_same_bytes(form: str, name: str) -> None:
    files = FORMATS[form](stored(name))  # type: ignore[index]
    assert files == FORMATS[form](stored(name))  # type: ignore[index]
    assert all(files.values())


def outcomes(name: str) -> dict[str, str]:
    return {case.name: case.outcome for case in all_cases(stored(name))}


def test_a_run_as_expected_passes_and_its_expected_links_are_tests() -> None:
    found = outcomes("cascade")
    assert found["link 3 Nodes NotReady: fires"] == "passed"
    unmeasured = {f"link {link}" for link in (7, 8, 9)}  # the story is of a run without Vault, balancer and deploys
    assert {outcome for name, outcome in found.items() if name[:6] not in unmeasured} == {"passed"}


def test_a_baseline_fails_the_link_that_fires() -> None:
    story = histories.baseline()
    histories._lose(story, histories.APP_NODES[0], 150, 200)
    history = story.history()
    found = {case.name: case.outcome for case in all_cases(Stored("x", history, judge(history, histories.requests())))}
    assert found["link 3 Nodes NotReady: stays quiet"] == "failure"
    assert found["link 0 Kafka away: stays quiet"] == "passed"
    assert found["the run is as expected"] == "failure"


def test_what_cannot_be_told_is_an_error_and_what_was_not_counted_is_skipped() -> None:
    found = outcomes("unknown")
    assert found["link 6 Consul slow: stays quiet"] == "error"
    assert found["every log line is accounted for"] == "skipped"
    assert found["the run is as expected"] == "error"


def test_the_counts_of_the_suite_are_those_of_its_cases() -> None:
    suite = ET.fromstring(junit(stored("unknown"))["junit.xml"]).find("testsuite")
    assert suite is not None
    for name, tag in (("errors", "error"), ("failures", "failure"), ("skipped", "skipped")):
        assert int(suite.get(name, "-1")) == len(suite.findall(f"testcase/{tag}")), name
    assert int(suite.get("tests", "-1")) == len(suite.findall("testcase"))


def test_what_xml_cannot_carry_is_left_out() -> None:
    story = histories.baseline().drop_kind("end").add(300, "end", status="aborted", reason="said \x1b[31mred\x1b[0m & <left>")
    history = story.history()
    root = ET.fromstring(junit(Stored("x", history, judge(history, None)))["junit.xml"])
    assert "said [31mred[0m & <left>" in "".join(case.get("message", "") for case in root.iter("error"))


@pytest.mark.parametrize(
    ("series", "name", "factor"),
    [
        ("agent_read_ms", "cascade_lab_agent_read_seconds", 1e-3),
        ("lease_gap_s", "cascade_lab_lease_gap_seconds", 1.0),
        ("joins_per_s", "cascade_lab_joins_per_second", 1.0),
        ("log_backlog_bytes", "cascade_lab_log_backlog_bytes", 1.0),
        ("evictions_total", "cascade_lab_evictions", 1.0),
        ("members_alive", "cascade_lab_members_alive", 1.0),
    ],
)
def test_metrics_have_base_units(series: str, name: str, factor: float) -> None:
    assert (metric_of(series).name, metric_of(series).factor) == (name, factor)


def test_every_series_of_a_run_is_explained() -> None:
    assert {event["series"] for name in ("cascade", "platform") for event in stored(name).samples()} <= set(HELP)


def test_each_sample_keeps_its_time_and_missing_ones_are_not_zero() -> None:
    lines = openmetrics(stored("cascade"))["series.txt"].decode().splitlines()
    broker = [line for line in lines if line.startswith("cascade_lab_kafka_answer_seconds{")]
    asked = stored("cascade").history.samples("kafka_answer_ms")
    assert len(broker) == sum(sample.value is not None for sample in asked) < len(asked)
    assert broker[0].endswith(str(stored("cascade").started.timestamp() + 1.0))
    assert lines[-1] == "# EOF"


def test_answers_of_the_same_moment_are_moved_apart() -> None:
    history = histories.baseline().history()
    first = next(event for event in history.of("sample") if event["series"] == "agent_read_ms")
    history.events += [dataclasses.replace(first, seq=10**6 + number) for number in range(2)]
    lines = openmetrics(Stored("x", history, judge(history, None)))["series.txt"].decode().splitlines()
    reads = [float(line.rpartition(" ")[2]) for line in lines if line.startswith("cascade_lab_agent_read_seconds{")]
    assert len(reads) == len(set(reads))
    assert reads == sorted(reads)


def test_the_summary_has_each_metric_once_for_each_link() -> None:
    lines = openmetrics(stored("cascade"))["summary.txt"].decode().splitlines()
    fired = [line for line in lines if line.startswith("cascade_lab_link_fired{")]
    assert len(fired) == 8
    assert all(line.endswith(" 1.0") for line in fired)
    assert any(line.startswith("cascade_lab_link_fired_at_seconds{") and 'link="3"' in line and line.endswith(" 112.0") for line in lines)


def test_the_table_of_samples_holds_every_one_of_them() -> None:
    files = comma_separated(stored("cascade"))
    rows = list(csv.DictReader(io.StringIO(files["series.csv"].decode())))
    assert tuple(rows[0]) == SERIES
    assert len(rows) == sum(1 for _ in stored("cascade").samples())
    missing = next(row for row in rows if row["series"] == "kafka_answer_ms" and row["value"] == "")
    assert missing["reason"] == "timed out after 2 s"


def test_without_pyarrow_the_command_that_adds_it_from_the_lock_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Refused, match="tools/bin/uv sync --frozen --inexact --extra export"):
        FORMATS["parquet"](stored("baseline"))


def test_the_table_of_events_tells_each_in_words_with_its_cause() -> None:
    rows = list(csv.DictReader(io.StringIO(comma_separated(stored("cascade"))["events.csv"].decode())))
    node = next(row for row in rows if row["kind"] == "node" and "lost" in row["what"])
    assert json.loads(node["fields"])["ready"] == "Unknown"
    assert int(node["cause"]) < int(node["seq"])


def test_the_journal_tells_when_what_was_run_and_how_it_was_judged() -> None:
    files = chaostoolkit(stored("cascade"))
    journal = json.loads(files["journal.json"])
    assert journal["experiment"] == json.loads(files["experiment.json"])
    assert (journal["status"], journal["deviated"]) == ("completed", False)
    assert journal["run"][0]["output"]["verdict"] == "deviated"
    assert "Kafka was away for 45 s" in journal["run"][0]["output"]["stdout"]
    assert json.loads(files["cascade.yaml"])["outage_s"] == 45


def test_a_fault_that_was_left_open_is_a_deviation_of_the_journal() -> None:
    story = histories.cascade().drop_kind("fault", change="healed").drop_kind("fault", change="closed")
    history = story.history()
    journal = json.loads(chaostoolkit(Stored("x", history, judge(history, None)))["journal.json"])
    assert journal["deviated"] is True
    assert journal["steady_states"]["after"]["probes"][0]["output"] == {"open_faults": ["pause-broker on kafka"]}


@pytest.mark.parametrize("form", ["junit", "openmetrics", "csv", "chaostoolkit"])
def test_every_export_says_that_a_run_was_simulated(form: str) -> None:
    story = histories.baseline().drop_kind("run").add(0.0, "run", **histories.header("baseline", "held", [], []), world="simulated")
    history = story.history()
    files = FORMATS[form](Stored("x", history, judge(history, None)))  # type: ignore[index]
    told = [name for name, content in files.items() if b"imulated" in content]
    assert set(files) - set(told) <= {"experiment.json", "baseline.yaml"}
