"""The script that runs several agents in one container, with a program in the agent's place that only says how it was called."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lab.adapters.clock import SystemClock
from lab.core.agents import Member, member
from lab.core.paths import project

SCRIPT = project() / "manifests" / "factors" / "many-agents" / "agents.sh"
CLOCK = SystemClock()
WITHIN_S = 30.0


class Pod:
    """A running script; `calls` are the command lines of all agents so far."""

    def __init__(self, folder: Path, agents: int) -> None:
        self.folder = folder
        consul = folder / "consul"
        consul.write_text(
            f'#!/bin/sh\nsleep 600 &\ntrap "echo farewell >> {folder}/farewells; kill $!; exit 0" TERM\necho "$$ $@" >> {folder}/calls\nwait\n'
        )
        consul.chmod(0o755)
        (folder / "data").mkdir()
        env = {**os.environ, "AGENTS": str(agents), "POD_NAME": "app-x2vqz", "DATA": str(folder / "data"), "PAUSE_S": "0.05"}
        argv = [
            "/bin/sh",
            str(SCRIPT),
            str(consul),
            "agent",
            "-node=app-x2vqz",
            '-hcl=service { name = "app" }',
            "-config-file=/etc/gossip/gossip.json",
        ]
        self.process = subprocess.Popen(argv, env=env, start_new_session=True)

    def calls(self, least: int) -> list[list[str]]:
        """All calls, once there are so many."""
        give_up_s = CLOCK.now_s() + WITHIN_S
        while CLOCK.now_s() < give_up_s:
            path = self.folder / "calls"
            found = [line.split() for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
            if len(found) >= least:
                return found
            CLOCK.sleep(0.02)
        pytest.fail(f"{len(found)} of {least} agents were started")


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    found = Pod(tmp_path, 3)
    yield found
    if found.process.poll() is None:
        os.killpg(found.process.pid, signal.SIGKILL)
    found.process.wait()


def last(call: list[str], flag: str) -> str:
    """The value of a flag; of several the last one counts, as for the agent."""
    return [word.partition("=")[2] for word in call if word.startswith(f"-{flag}=")][-1]


def names(calls: list[list[str]]) -> set[Member]:
    return {member(last(call, "node")) for call in calls}


def test_each_agent_has_a_name_a_folder_and_ports_of_its_own(pod: Pod) -> None:
    calls = pod.calls(3)
    assert names(calls) == {Member("app-x2vqz", slot, 0) for slot in (1, 2, 3)}
    assert {last(call, "serf-lan-port") for call in calls} == {"10000", "11000", "12000"}
    assert {last(call, "data-dir") for call in calls} == {str(pod.folder / "data" / str(slot)) for slot in (1, 2, 3)}
    ports = {" ".join(call).rpartition("-hcl=")[2] for call in calls}
    assert ports == {f"ports {{ dns = -1, http = {port} }}" for port in (8500, 8501, 8502)}
    assert all("-config-file=/etc/gossip/gossip.json" in call for call in calls)


def test_the_pod_s_service_is_registered_once_and_each_other_agent_has_one_of_its_own(pod: Pod) -> None:
    service = {member(last(call, "node")).slot: " ".join(call).partition("-hcl=service ")[2].partition("}")[0] for call in pod.calls(3)}
    assert service == {1: '{ name = "app" ', 2: '{ name = "more" ', 3: '{ name = "more" '}


def test_who_dies_is_followed_by_another_name_at_another_address(pod: Pod) -> None:
    first = next(call for call in pod.calls(3) if last(call, "node").endswith("-a2-0"))
    os.kill(int(first[0]), signal.SIGKILL)
    second = pod.calls(4)[-1]
    assert member(last(second, "node")) == Member("app-x2vqz", 2, 1)
    assert last(second, "serf-lan-port") == "11001"
    assert last(second, "data-dir") == last(first, "data-dir")


def test_the_end_of_the_container_is_told_to_each_agent_and_waits_for_them(pod: Pod) -> None:
    agents = [psutil.Process(int(call[0])) for call in pod.calls(3)]
    pod.process.terminate()
    assert pod.process.wait(WITHIN_S) == 0
    assert not [agent for agent in agents if agent.is_running()]
    assert (pod.folder / "farewells").read_text(encoding="utf-8").split() == ["farewell"] * 3
    assert len(pod.calls(3)) == 3
