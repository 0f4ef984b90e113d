"""Control groups of both kinds, agents in a process table, and our own family, on trees made of files."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from lab.adapters.host import Agents, Cgroup, CpuCounters, cpu_seconds, family, forget_tallies, idle_seconds, read_shipped, read_tallies
from lab.core.errors import Unavailable
from lab.core.shipped import Shipped

ID = "4f" * 32


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def v1(root, path):
    write(root / "proc/7/cgroup", f"5:cpuacct:{path}\n4:cpu:{path}/init.scope\n1:name=systemd:{path}/init.scope\n0::/\n")
    write(root / f"cg/cpu{path}/cpu.stat", "nr_periods 100\nnr_throttled 40\nthrottled_time 123\n")
    write(root / f"cg/cpuacct{path}/cpuacct.usage", "2500000000\n")


def v2(root, path):
    write(root / "proc/7/cgroup", f"0::{path}/init\n")
    write(root / f"cg{path}/cpu.stat", "usage_usec 2500000\nuser_usec 1\nnr_periods 100\nnr_throttled 40\nthrottled_usec 1\n")


@pytest.mark.parametrize("lay_out", [v1, v2])
@pytest.mark.parametrize("path", [f"/docker/{ID}", f"/system.slice/docker-{ID}.scope"])
def test_counters_are_those_of_the_whole_container_however_deep_its_first_process_lies(tmp_path, lay_out, path):
    lay_out(tmp_path, path)
    group = Cgroup(ID, 7, tmp_path / "proc", tmp_path / "cg")
    assert group.read() == CpuCounters(used_s=2.5, periods=100, throttled_periods=40)


def test_a_container_that_is_gone_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="control group of container 4f4f"):
        Cgroup(ID, 7, tmp_path / "proc", tmp_path / "cg")
    v2(tmp_path, f"/docker/{ID}")
    group = Cgroup(ID, 7, tmp_path / "proc", tmp_path / "cg")
    (tmp_path / f"cg/docker/{ID}/cpu.stat").unlink()
    with pytest.raises(Unavailable, match="FileNotFoundError"):
        group.read()


def test_a_group_that_is_not_mounted_here_is_unavailable(tmp_path):
    write(tmp_path / "proc/7/cgroup", f"0::/docker/{ID}\n")
    with pytest.raises(Unavailable, match=r"no .*cpu\.stat"):
        Cgroup(ID, 7, tmp_path / "proc", tmp_path / "cg")


def process(proc, pid, comm, cmdline):
    write(proc / f"{pid}/comm", f"{comm}\n")
    write(proc / f"{pid}/cmdline", "\0".join([*cmdline, ""]))


def agent(proc, pid, name, flag="-node"):
    process(proc, pid, "consul", ["consul", "agent", f"{flag}={name}", "-bind=1.2.3.4"])


def test_living_agents_are_known_by_name_and_others_are_left_out(tmp_path):
    agent(tmp_path, 10, "pod-a")
    agent(tmp_path, 11, "pod-b", "--node")
    process(tmp_path, 12, "python3", ["python3", "-node=no"])
    process(tmp_path, 13, "consul", [])
    write(tmp_path / "meminfo", "")
    assert Agents(tmp_path).living() == {"pod-a", "pod-b"}


def test_of_several_names_the_last_one_counts_as_it_does_for_the_agent(tmp_path):
    process(tmp_path, 10, "consul", ["consul", "agent", "-node=pod-a", "-bind=1.2.3.4", "-node=pod-a-a3-1"])
    assert Agents(tmp_path).living() == {"pod-a-a3-1"}


def test_a_process_that_only_becomes_an_agent_is_noticed_and_one_that_ends_forgotten(tmp_path):
    process(tmp_path, 10, "runc:[2:INIT]", ["runc", "init"])
    agents = Agents(tmp_path)
    assert agents.living() == set()
    agent(tmp_path, 10, "pod-a")
    assert agents.living() == {"pod-a"}
    (tmp_path / "10/comm").unlink()
    (tmp_path / "10/cmdline").unlink()
    (tmp_path / "10").rmdir()
    assert agents.living() == set()


def test_a_stranger_is_looked_at_while_it_is_new_and_then_left_alone(tmp_path):
    now_s = 0.0
    process(tmp_path, 10, "java", ["java"])
    process(tmp_path, 11, "runc:[2:INIT]", ["runc", "init"])
    agents = Agents(tmp_path, lambda: now_s)
    assert agents.living() == set()
    agent(tmp_path, 11, "in-time")
    now_s = 9.0
    assert agents.living() == {"in-time"}
    agent(tmp_path, 10, "too-late")
    now_s = 11.0
    assert agents.living() == {"in-time"}


def test_the_family_is_this_process_and_its_children_and_has_used_cpu():
    with subprocess.Popen([sys.executable, "-c", "print(); input()", "a-child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"\n"  # until then the child may still be the copy of this process that becomes it
        found = family(os.getpid())
        used = cpu_seconds(found)
        child.communicate(b"\n")
    assert found[child.pid].endswith("a-child")
    assert used[os.getpid()] > 0
    assert child.pid in used


def test_a_thread_that_ends_while_it_is_looked_at_does_not_hide_its_process(tmp_path):
    for pid, children in ((7, "8"), (8, "")):
        process(tmp_path, pid, "lab", ["lab", str(pid)])
        write(tmp_path / f"{pid}/task/{pid}/children", children)
    (tmp_path / "7/task/9").mkdir()
    assert family(7, tmp_path) == {7: "lab 7", 8: "lab 8"}


def test_a_process_that_is_gone_has_no_family_and_no_cpu(tmp_path):
    assert family(7, tmp_path) == {}
    assert cpu_seconds([2**22 + 5]) == {}


def test_tallies_that_are_missing_or_half_made_are_left_out(tmp_path):
    (tmp_path / "a").write_bytes(struct.pack("<8Q", 1, 200, 0, 0, 5, 0, 0, 0))
    (tmp_path / "b").write_bytes(b"\0" * 10)
    found = read_tallies(tmp_path, ["a", "b", "c"])
    assert {name: tally.backlog_bytes for name, tally in found.items()} == {"a": 200}


def test_a_shipper_s_counters_are_read_from_the_end_of_its_file(tmp_path):
    (tmp_path / "app-1").write_bytes(struct.pack("<8Q", 1, 200, 0, 0, 5, 0, 0, 0))
    told = [f'now: {{ "name": "omkafka", "origin": "omkafka", "acked": {acked} }}' for acked in range(1000)]
    (tmp_path / "app-1.1548000000").write_text("\n".join([*told, ""]))
    assert read_shipped(tmp_path) == {"app-1": Shipped(acked=999)}
    assert read_shipped(tmp_path / "none") == {}


def test_the_counters_of_earlier_pods_are_forgotten(tmp_path):
    (tmp_path / "app-1").write_bytes(b"x")
    forget_tallies(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_host_is_idle_for_a_part_of_the_time_of_its_cores() -> None:
    idle_s, all_s = idle_seconds()
    assert 0 < idle_s <= all_s < os.cpu_count() * 1.01 * float(Path("/proc/uptime").read_text().split()[0]) + 1
    while (later := idle_seconds())[1] == all_s:
        pass  # the kernel counts in hundredths of a second
    assert 0 <= later[0] - idle_s <= later[1] - all_s + 1e-6
