"""The lab's own engine, started and stopped in a network namespace of its own: whatever it leaves, it leaves there."""

import json
import os
import subprocess
import sys

import pytest

from lab.adapters import debian, shell
from tests.fakes import FakeProgress

pytestmark = pytest.mark.cluster

LIFE = """
import json, pathlib, sys
from lab.adapters import shell
from lab.cluster import engine, firewall
from tests.fakes import FakeProgress

place = pathlib.Path(sys.argv[1])
engine.SOCKET, engine.RUN = place / "engine.sock", place / "run"


def seen():
    rules = [line for table in firewall.TABLES for line in shell.attempt(["iptables", "-t", table, "-S"], timeout_s=10).out.splitlines()]
    mounts = [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if str(place) in line]
    links = sorted(line.split(":")[0].strip() for line in pathlib.Path("/proc/net/dev").read_text().splitlines()[2:])
    return {"rules": rules, "mounts": mounts, "links": links, "forward": firewall.FORWARD.read_text().strip(),
            "socket": engine.SOCKET.exists(), "run": engine.RUN.exists(), "pid": engine.our_pid()}


before = seen()
first = engine.ensure(FakeProgress())
during = seen()
again = FakeProgress()
second = engine.ensure(again)
stopped = engine.stop(FakeProgress())
print(json.dumps({"before": before, "during": during, "after": seen(), "same": first == second, "ours": first.ours, "steps": again.titles,
                  "stopped": stopped, "stopped_again": engine.stop(FakeProgress())}))
"""


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("starting an engine takes root")
    debian.ensure(debian.ENGINE_TOOLS, FakeProgress())
    place = tmp_path_factory.mktemp("engine")
    env = {"CASCADE_LAB_CACHE": str(place / "cache")}
    argv = ["unshare", "--net", sys.executable, "-c", LIFE, str(place)]
    kept = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    ran = subprocess.run(argv, env={**kept, **env}, capture_output=True, text=True, timeout=200, check=False)
    assert ran.returncode == 0, ran.stderr
    shell.run(["rm", "-rf", str(place)], timeout_s=60)
    return json.loads(ran.stdout)


def test_the_engine_is_started_once(life):
    assert life["ours"]
    assert life["same"]
    assert life["steps"] == []
    assert life["during"]["pid"] > 1
    assert "docker0" in life["during"]["links"]


def test_stopping_it_leaves_the_machine_as_it_was(life):
    assert life["stopped"]
    assert life["after"] == life["before"]


def test_stopping_it_twice_is_no_error(life):
    assert life["stopped_again"] is False
