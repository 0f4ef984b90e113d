import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from lab.core.paths import project

SHIM = project() / "scripts" / "boundcaps"
HUGE = 1 << 40


@pytest.fixture
def shim(tmp_path):
    """Runs the shim with a runc that only tells its arguments."""
    runc = tmp_path / "bin" / "runc"
    runc.parent.mkdir()
    runc.write_text('#!/bin/sh\necho "$@"\n')
    runc.chmod(0o755)

    def call(*words):
        path = {"PATH": f"{runc.parent}:{os.environ['PATH']}"}
        return subprocess.run(
            [sys.executable, "-IS", str(SHIM), *words], env=path, capture_output=True, text=True, check=True
        ).stdout.split()

    return call


def process():
    every = ["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_NO_SUCH_THING"]
    return {
        "capabilities": {"bounding": every, "ambient": None},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": HUGE, "soft": HUGE}],
        "args": ["x"],
    }


def held(bit):
    status = Path("/proc/self/status").read_text().splitlines()
    bits = next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
    return bool(bits >> bit & 1)


def check(trimmed):
    expected = [name for name, bit in (("CAP_CHOWN", 0), ("CAP_SYS_RESOURCE", 24)) if held(bit)]
    assert trimmed["capabilities"]["bounding"] == expected
    top = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert trimmed["rlimits"][0]["hard"] == (HUGE if top == resource.RLIM_INFINITY else min(HUGE, top))
    assert trimmed["args"] == ["x"]


@pytest.mark.parametrize("flag", [["--bundle", "{}"], ["--bundle={}"], ["-b", "{}"]])
def test_a_container_gets_no_more_than_the_host_has(shim, tmp_path, flag):
    (tmp_path / "config.json").write_text(json.dumps({"process": process(), "root": {"path": "r"}}))
    words = ["--root", "/run/r", "create", *(word.format(tmp_path) for word in flag), "name"]
    assert shim(*words) == words
    spec = json.loads((tmp_path / "config.json").read_text())
    check(spec["process"])
    assert spec["root"] == {"path": "r"}


def test_an_exec_gets_no_more_either(shim, tmp_path):
    place = tmp_path / "process.json"
    place.write_text(json.dumps(process()))
    words = ["exec", "--process", str(place), "--detach", "name"]
    assert shim(*words) == words
    check(json.loads(place.read_text()))


def test_every_other_command_passes_untouched(shim):
    assert shim("--log", "l", "state", "name") == ["--log", "l", "state", "name"]
