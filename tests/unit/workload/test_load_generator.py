import csv
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from lab.adapters.leashed import Leashed
from lab.core.errors import Refused, Unavailable
from lab.core.experiment import Workload
from lab.core.paths import project
from lab.workload.locust import HOSTS, Load, LoadSettings, argv, environment

DEADLINE_S = 20.0


def eventually(condition):
    end = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        assert time.monotonic() < end
        threading.Event().wait(0.02)
    return found


def settings(folder, host="http://127.0.0.1:1"):
    return LoadSettings(csv=folder / "locust.csv", requests_per_s=10, flood_lines_per_s=1000, zero_s=12.5, host=host)


def sleeper(folder, code="import time; time.sleep(60)"):
    return Leashed([sys.executable, "-c", code], folder / "log", {}, "LEASH")


def test_the_command_names_the_file_and_takes_no_console():
    command = argv("flood", "http://127.0.0.1:18080")
    assert command[1:4] == ["-m", "locust", "-f"]
    assert command[4].endswith("loadtests/flood.py")
    assert {"--headless", "http://127.0.0.1:18080"} <= set(command)


def test_the_settings_go_by_the_environment(tmp_path):
    given = environment(settings(tmp_path), 45)
    assert given["LOAD_DURATION_S"] == "45"
    assert (given["LOAD_REQUESTS"], given["LOAD_LINES"], given["LOAD_ZERO_S"]) == ("10", "1000", "12.500000")


def test_requests_go_to_the_pods_unless_the_experiment_says_through_the_balancer():
    mapped = YAML(typ="safe").load((project() / "kind-config.yaml").read_text())["nodes"][1]["extraPortMappings"]
    ports = {mapping["hostPort"]: mapping["containerPort"] for mapping in mapped}
    services = {"pods": "workload/app-service.yaml", "balancer": "core/balancer-external.yaml"}
    for through, file in services.items():
        spec = YAML(typ="safe").load((project() / "manifests" / file).read_text())["spec"]
        assert ports[int(HOSTS[through].rpartition(":")[2])] == spec["ports"][0]["nodePort"]
        assert LoadSettings.of(Workload(through=through), Path("x"), 0).host == HOSTS[through]
    assert LoadSettings.of(Workload(), Path("x"), 0).host == HOSTS["pods"]


def test_an_unknown_profile_is_refused(tmp_path):
    with pytest.raises(Refused, match="steady, flood"):
        Load(settings(tmp_path)).start("storm", 1)


def test_a_program_that_is_not_there_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="no-such-program"):
        Leashed(["no-such-program"], tmp_path / "log", {}, "LEASH")


def test_ending_takes_the_whole_group_and_can_be_repeated(tmp_path):
    child = sleeper(tmp_path, "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])")
    grandchild = eventually(lambda: psutil.Process(child.pid).children())[0]
    child.end(5)
    child.end(5)
    assert child.code == -signal.SIGTERM
    eventually(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)


def test_a_program_that_does_not_hear_sigterm_is_killed(tmp_path):
    child = sleeper(tmp_path, "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)")
    eventually(lambda: "deaf" in child.tail())
    child.end(0.2)
    assert child.code == -signal.SIGKILL


def test_a_killed_parent_takes_its_child_along(tmp_path):
    """The leash: the parent dies by SIGKILL, the child reads the end of the pipe."""
    script = (
        "import os, sys, time, pathlib\n"
        "from lab.adapters.leashed import Leashed\n"
        "code = 'import os; os.read(int(os.environ[\"LEASH\"]), 1)'\n"
        "child = Leashed([sys.executable, '-c', code], pathlib.Path(sys.argv[1]), {}, 'LEASH')\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert psutil.pid_exists(child)
        parent.send_signal(signal.SIGKILL)
    eventually(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Connection")))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_): ...


@pytest.fixture
def pages():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def rows(folder):
    path = folder / "locust.csv"
    return list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []


def test_the_flood_asks_for_pages_and_lines_on_new_connections_and_writes_raw_lines(tmp_path, pages):
    load = Load(settings(tmp_path, f"http://127.0.0.1:{pages.server_address[1]}"))
    load.start("flood", 60)
    eventually(lambda: {row["name"] for row in rows(tmp_path)} == {"page", "log"})
    assert load.problem() is None
    pid = load.pid
    load.stop()
    assert not psutil.pid_exists(pid)
    assert set(pages.asked) == {("/", "close"), ("/log?lines=200", "close")}
    row = rows(tmp_path)[0]
    assert (row["profile"], row["status"], row["error"]) == ("flood", "200", "")
    assert 0 < float(row["at_s"]) < time.monotonic()


def test_a_request_without_an_answer_is_a_line_with_an_error(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        load = Load(settings(tmp_path, f"http://127.0.0.1:{unused.getsockname()[1]}"))
        load.start("steady", 60)
        row = eventually(lambda: rows(tmp_path))[0]
        load.stop()
    assert row["status"] == ""
    assert "refused" in row["error"]


def test_locust_that_cannot_write_says_why(tmp_path):
    load = Load(settings(tmp_path))
    (tmp_path / "locust.csv").mkdir()
    load.start("steady", 60)
    assert "IsADirectoryError" in eventually(load.problem)
    load.stop()


def test_nothing_of_the_parent_is_imported_by_the_load_tests():
    for path in (Path(__file__).parents[3] / "loadtests").glob("*.py"):
        assert "import lab" not in path.read_text()
        assert "from lab" not in path.read_text()
