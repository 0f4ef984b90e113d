"""rsyslog as a shipper: its script with a program in rsyslog's place, and the text of its messages."""

import os
import re
import subprocess

from lab.adapters.host import read_shipped
from lab.core.paths import project
from lab.core.shipped import STATS_FILE
from lab.workload.delivered import LINE
from lab.workload.tallies import read_all

FOLDER = project() / "images" / "rsyslog"
VALUES = {
    "$!pod": "app-x2vqz",
    "$!seq": "17",
    "$!at": "1548000000.25",
    "$!message": "GET",
    "$.host": "node-1",
    "$now-unixtimestamp": "1548000001",
}


def config(name):
    """A file of rsyslog's, less its comments."""
    return re.sub(r"^\s*#.*$", "", (FOLDER / name).read_text(encoding="utf-8"), flags=re.MULTILINE)


def message():
    """What the template `line` makes of `VALUES`."""
    (body,) = re.findall(r'template\(name="line" type="list"\) \{(.*?)^\}', config("ship.conf"), re.MULTILINE | re.DOTALL)
    parts = re.findall(r'constant\(value="((?:[^"\\]|\\.)*)"\)|property\(name="([^"]+)"', body)
    return "".join(VALUES[name] if name else text.replace('\\"', '"') for text, name in parts)


def started(folder, *words, **env):
    """ship.sh with a program that only says how it was called."""
    fake = folder / "rsyslogd"
    fake.write_text('#!/bin/sh\necho "$STATS $CONF $@"\n')
    fake.chmod(0o755)
    given = {
        "KAFKA": "kafka:9092",
        "POD_NAME": "app-x2vqz",
        "NODE_NAME": "node-1",
        "LOG_FILE": "app.log",
        "WORK": str(folder / "work"),
        "TALLY_DIR": str(folder),
    }
    asked = {**given, **env, "PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(["/bin/sh", str(FOLDER / "ship.sh"), *words], env=asked, capture_output=True, text=True, timeout=30, check=False)


def test_a_message_is_known_by_pod_and_number_as_the_logger_s_is():
    assert LINE.findall(message().encode()) == [(b"app-x2vqz", b"17")]
    assert message().endswith('"message": "GET", "host": "node-1", "shipped_at": 1548000001}')


def test_each_start_counts_in_a_file_of_its_own_that_all_may_read(tmp_path):
    said = started(tmp_path, "sidecar").stdout.split()
    stats = next(path for path in tmp_path.iterdir() if path.name.startswith("app-x2vqz."))
    assert said == [str(stats), "/etc/shipper", "-n", "-i", "NONE", "-f", "/etc/shipper/sidecar.conf"]
    assert STATS_FILE.match(stats.name)["who"] == "app-x2vqz"
    assert stats.stat().st_mode & 0o444 == 0o444
    assert (tmp_path / "work").is_dir()


def test_a_collector_goes_by_its_node_and_needs_no_pod(tmp_path):
    said = started(tmp_path, "collector", POD_NAME="", NODE_NAME="cascade-lab-worker2").stdout.split()
    assert STATS_FILE.match(said[0].rpartition("/")[2])["who"] == "cascade-lab-worker2"
    assert said[-1] == "/etc/shipper/collector.conf"
    assert started(tmp_path, "sidecar", POD_NAME="").returncode != 0


def taken(stored):
    """What ship.conf takes for the app's line; rsyslog's field() has an error's text where there is no mark."""
    (mark,) = re.findall(r'field\(\$msg, "(.*?)", 2\)', config("ship.conf"))
    found = stored if stored.startswith("{") else [*stored.split(mark), "***ERROR in field() FUNCTION***"][1]
    return found if found.startswith("{") else ""


def test_of_what_the_runtime_stores_only_whole_lines_of_stdout_are_the_app_s():
    line = '{"pod": "a", "seq": 1, "at": 1.5, "message": "GET / 200"}'
    assert (
        taken(line)
        == taken(f"2026-11-28T22:45:00.12Z stdout F {line}")
        == taken(f"2026-11-28T22:45:00.123456789+01:00 stdout F {line}")
        == line
    )
    assert taken(f"2026-11-28T22:45:00Z stderr F {line}") == taken('2026-11-28T22:45:00Z stdout P {"po') == ""


def test_counters_are_read_as_counters_and_not_as_a_tally(tmp_path):
    started(tmp_path, "sidecar", WORK=str(tmp_path / ".."))
    (tmp_path / "rsyslogd").unlink()
    (tmp_path / "app-y").write_bytes(b"\0" * 64)
    assert list(read_shipped(tmp_path)) == ["app-x2vqz"]
    assert list(read_all(tmp_path)) == ["app-y"]


def test_without_a_broker_s_name_it_does_not_start(tmp_path):
    ran = started(tmp_path, "sidecar", KAFKA="")
    assert ran.returncode != 0
    assert "KAFKA" in ran.stderr


def test_while_the_broker_is_away_no_line_may_be_thrown_away():
    ship = config("ship.conf")
    for setting in (
        'action.resumeRetryCount="-1"',
        "message.timeout.ms=0",
        'resubmitOnFailure="on"',
        'keepFailedMessages="on"',
        'queue.saveOnShutdown="on"',
        "failedMsgFile=",
    ):
        assert setting in ship


def test_rsyslog_s_own_messages_do_not_reach_the_topic():
    assert config("ship.conf").count("omkafka") == 2  # the module, and the action within the ruleset
    for name in ("sidecar.conf", "collector.conf"):
        assert config(name).count("input(") == config(name).count('ruleset="ship"') == 1
