"""The watchers of a pod, as a process of their own against an agent that answers at once."""

import os
import queue
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from lab.core.paths import project

PROGRAM = project() / "manifests" / "factors" / "watchers" / "watcher.py"
ANSWERS = {"0": (200, "7"), "7": (200, "9"), "9": (200, "3")}
"""By the index that is asked for: the status, and the index that is answered; the last one goes back."""


@pytest.fixture
def asked():
    """The indices that were asked for, in order, while one watcher runs."""
    found = queue.Queue()

    class Agent(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urlsplit(self.path)
            index = parse_qs(address.query)["index"][0]
            found.put((address.path, index))
            status, later = ANSWERS[index]
            self.send_response(status)
            self.send_header("X-Consul-Index", later)
            self.end_headers()
            self.wfile.write(b"[]" * 100_000)

        def log_message(self, *_):
            """Not to the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Agent) as agent:
        Thread(target=agent.serve_forever, daemon=True).start()
        env = {**os.environ, "WATCHES": "1", "AGENT_PORT": str(agent.server_port)}
        with subprocess.Popen([sys.executable, "-S", str(PROGRAM)], env=env) as watcher:
            yield found
            watcher.terminate()
        agent.shutdown()


def test_each_query_goes_on_from_the_last_index_and_anew_when_it_goes_back(asked):
    seen = [asked.get(timeout=60) for _ in range(5)]
    assert {path for path, _ in seen} == {"/v1/health/service/app"}
    assert [index for _, index in seen] == ["0", "7", "9", "0", "7"]
