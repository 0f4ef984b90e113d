"""Logs of agents in the file trees of nodes: each byte counts once, and what was counted stays."""

import pytest

from lab.adapters.agent_logs import AgentLogs
from lab.core.errors import Unavailable

PID = {"n1": 7, "n2": 8}
FULL = "2026-01-01T00:00:00Z stdout F [WARN] memberlist: handler queue full, dropping message (3) from=198.19.5.6:19002\n"
OTHER = "2026-01-01T00:00:00Z stdout F [WARN] memberlist: Refuting a suspect message (from: app-1)\n"


@pytest.fixture
def log(tmp_path):
    """Makes the log of a container, and gives its file."""

    def make(pod="lab_app-1_uid", container="consul", pid=7):
        file = tmp_path / str(pid) / "root/var/log/pods" / pod / container / "0.log"
        file.parent.mkdir(parents=True)
        file.touch()
        return file

    return make


def test_what_was_thrown_away_is_counted_once_and_of_agents_alone(tmp_path, log):
    log().write_text(FULL + OTHER + FULL)
    log(container="app").write_text(FULL)
    log(pod="kube-system_consul_uid").write_text(FULL)
    log(pid=8).write_text(FULL)
    logs = AgentLogs(PID.__getitem__, tmp_path)
    assert [logs.dropped(node) for node in ("n1", "n2", "n1")] == [2, 1, 2]


def test_what_comes_later_is_added_a_line_that_is_not_whole_when_it_is(tmp_path, log):
    file = log()
    file.write_text(FULL + FULL[:60])
    logs = AgentLogs(PID.__getitem__, tmp_path)
    assert logs.dropped("n1") == 1
    with file.open("a") as opened:
        opened.write(FULL[60:])
    assert logs.dropped("n1") == 2


def test_a_log_that_is_gone_counts_as_far_as_it_was_read(tmp_path, log):
    file = log()
    file.write_text(FULL)
    logs = AgentLogs(PID.__getitem__, tmp_path)
    assert logs.dropped("n1") == 1
    file.unlink()
    log(pod="lab_app-2_uid").write_text(FULL)
    assert logs.dropped("n1") == 2


def test_a_node_that_is_gone_is_no_zero(tmp_path):
    with pytest.raises(Unavailable, match="the logs of n1"):
        AgentLogs(PID.__getitem__, tmp_path).dropped("n1")
