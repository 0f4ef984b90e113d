"""The app that writes its lines to stdout, as a process of its own."""

import json
import os
import socket
import subprocess
import sys
import urllib.request

import pytest

from lab.core.paths import project
from lab.core.tally import parse
from lab.workload.delivered import LINE

PROGRAM = project() / "manifests" / "factors" / "rsyslog-daemonset" / "to_stdout.py"


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def started(folder, port):
    (folder / "tally").mkdir(exist_ok=True)
    env = {
        **os.environ,
        "PYTHONPATH": str(project() / "images" / "workload"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PORT": str(port),
        "POD_NAME": "app-1",
        "TALLY_DIR": str(folder / "tally"),
        "LOG_DIR": str(folder / "no-such-folder"),
        "LINES_PER_REQUEST": "3",
    }
    return subprocess.Popen([sys.executable, "-S", str(PROGRAM)], env=env, stdout=subprocess.PIPE, text=True)


def ask(app, port, path):
    """An answer, as soon as the app listens."""
    while app.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return answer.read().decode()
        except OSError:
            continue
    pytest.fail(f"the app ended: {app.returncode}")


def test_lines_go_to_stdout_and_the_tally_counts_on_after_a_restart(tmp_path, port):
    lines = []
    for _ in range(2):
        with started(tmp_path, port) as app:
            ask(app, port, "/")
            lines += [app.stdout.readline() for _ in range(3)]
            app.terminate()
    assert [LINE.findall(line.encode()) for line in lines] == [[(b"app-1", str(seq).encode())] for seq in range(1, 7)]
    assert all(set(json.loads(line)) == {"pod", "seq", "at", "message"} for line in lines)
    tally = parse((tmp_path / "tally" / "app-1").read_bytes())
    assert (tally.written_lines, tally.written_bytes) == (6, sum(map(len, lines)))
