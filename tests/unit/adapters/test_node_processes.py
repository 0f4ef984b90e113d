"""Whose a process is, by its control group under both versions; and processes that really are ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.adapters.node_processes import Process, StillThere, end, named, of_unit, send

ONE, OTHER = "1f" * 32, "2e" * 32
V1 = f"9:name=systemd:/docker/{ONE}/system.slice/lab-x.service\n2:cpuacct:/docker/{ONE}\n0::/docker/{ONE}/system.slice/lab-x.service\n"


def process(proc: Path, pid: int, groups: str, state: str = "S", comm: str = "sh", cmdline: str = "sh\0-c\0while") -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "cgroup").write_text(groups)
    (folder / "comm").write_text(f"{comm}\n")
    (folder / "cmdline").write_text(cmdline)
    (folder / "stat").write_text(f"{pid} ({comm}) S x) {state} 1 2 3")  # a name may hold brackets


def test_a_units_processes_are_those_in_its_control_group_and_those_about_to_begin_it(tmp_path: Path) -> None:
    process(tmp_path, 1, V1)
    process(tmp_path, 2, f"0::/docker/{ONE}/kubelet.slice/kubelet-kubepods.slice/lab-x.service\n", "R")
    process(tmp_path, 3, V1, "Z")  # has ended
    process(tmp_path, 4, V1.replace("lab-x", "lab-xy"))
    process(tmp_path, 5, V1.replace(ONE, OTHER))
    process(tmp_path, 6, f"0::/docker/{ONE}\n", cmdline="sh\0-ec\0systemctl is-active lab-x || systemd-run --quiet --unit=lab-x /bin/sh")
    process(tmp_path, 7, "0::/user.slice\n", cmdline="systemd-run\0--unit=lab-x")  # not in a node
    (tmp_path / "8").mkdir()  # ended between the listing and the reading
    (tmp_path / "self").mkdir()
    assert sorted(found.pid for found in of_unit([ONE], "lab-x", tmp_path)) == [1, 2, 6]
    assert sorted(found.pid for found in of_unit([ONE, OTHER], "lab-x", tmp_path)) == [1, 2, 5, 6]
    assert of_unit([], "lab-x", tmp_path) == []


def test_a_program_is_found_in_whichever_pod_and_with_its_state(tmp_path: Path) -> None:
    pod = f"0::/docker/{ONE}/kubelet-kubepods.slice/pod1/cri-2\n"
    process(tmp_path, 1, pod, "T", "consul")
    process(tmp_path, 2, pod, "S", "consul-template")
    process(tmp_path, 3, pod.replace(ONE, OTHER), "T", "consul")
    assert named([ONE], "consul", tmp_path) == [Process(1, "T")]


def test_all_that_is_found_is_killed_those_too_that_begin_meanwhile() -> None:
    begun = [_sleeper()]
    looks = []

    def look() -> list[Process]:
        looks.append(len(begun))
        if len(looks) == 2:
            begun.append(_sleeper())
        return [Process(one.pid, "S") for one in begun if one.poll() is None]

    end("it", look, within_s=5.0)
    assert [one.wait(timeout=5) for one in begun] == [-signal.SIGKILL] * 2


def test_one_that_does_not_end_is_told_by_its_number() -> None:
    with pytest.raises(StillThere, match="processes 4194305 live on"):
        end("it", lambda: [Process(2**22 + 1, "D")], within_s=0.0)  # above the kernel's largest, so that nobody is hit


def test_one_that_was_stopped_goes_on() -> None:
    child = _sleeper()
    try:
        os.kill(child.pid, signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)
        send([Process(child.pid, "T")], signal.SIGCONT)
        _, status = os.waitpid(child.pid, os.WCONTINUED)
        assert os.WIFCONTINUED(status)
    finally:
        child.kill()
        child.wait()


def _sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
