import signal

import pytest

from lab.adapters import node_processes
from lab.adapters.docker import Node, Ran
from lab.adapters.node_processes import Process
from lab.cluster import units
from lab.cluster.units import Unit, Units
from lab.core.errors import LabError, Unavailable


class FakeDocker:
    """A node with a cap, that answers `ran` to every program."""

    def __init__(self, ran=None):
        self.caps = {"n1": 0.2, "n2": 0.0}
        self.ran = ran or Ran(0, "1500000000\n")
        self.seen = []
        self.capped = []
        self.late = False

    def nodes(self):
        return [Node(name, f"id-{name}", "app", "running", "") for name in (*self.caps, "n3")]

    def cap_of(self, node):
        return self.caps[node]

    def cap(self, node, cores):
        self.capped.append((node, cores))
        self.caps[node] = cores

    def run(self, node, argv, *, timeout_s):
        self.seen.append((node, self.caps[node], " ".join(argv)))
        if self.late:
            raise Unavailable("run it", "timed out")
        return self.ran


UNIT = Unit("lab-x", ["n1", "n2"], "while :; do :; done", after="echo it's over", slice="some.slice")


@pytest.fixture
def processes(monkeypatch):
    """What the host's process table holds of the unit: pid -> container; whatever is killed is gone at the next look."""
    there = {11: "id-n1", 12: "id-n2", 13: "id-elsewhere"}

    def of_unit(containers, unit):
        assert unit == "lab-x"
        return [Process(pid, "S") for pid, container in there.items() if container in containers]

    def send(found, number):
        assert number == signal.SIGKILL
        for process in found:
            del there[process.pid]

    monkeypatch.setattr(node_processes, "of_unit", of_unit)
    monkeypatch.setattr(node_processes, "send", send)
    return there


def test_a_unit_is_ended_from_the_host_on_each_of_its_nodes(processes):
    docker = FakeDocker()
    assert Units(docker).active(UNIT)
    Units(docker).stop(UNIT)
    assert not Units(docker).active(UNIT)
    assert processes == {13: "id-elsewhere"}
    assert (docker.seen, docker.capped) == ([], [])  # neither was a program run in a node nor a cap changed


def test_caps_are_lifted_for_what_has_no_cpu_to_end(processes, monkeypatch):
    docker = FakeDocker()
    monkeypatch.setattr(units, "AT_ONCE_S", 0.0)
    send = node_processes.send
    monkeypatch.setattr(node_processes, "send", lambda found, number: send(found, number) if docker.caps["n1"] == 0 else None)
    Units(docker).stop(UNIT)
    assert processes == {13: "id-elsewhere"}
    assert docker.capped == [("n1", 0), ("n1", 0.2)]
    assert docker.seen == []


def test_a_node_is_asked_without_its_cap_and_gets_it_back():
    docker = FakeDocker()
    Units(docker).start(UNIT)
    assert {cap for _, cap, _ in docker.seen} == {0}
    assert docker.caps == {"n1": 0.2, "n2": 0.0}


def test_the_cap_comes_back_even_if_the_node_does_not_answer():
    docker = FakeDocker()
    docker.late = True
    with pytest.raises(Unavailable):
        Units(docker).ask(UNIT, ["cat", "x"])
    assert docker.caps["n1"] == 0.2


def test_a_unit_is_started_by_its_name_where_it_does_not_run():
    docker = FakeDocker()
    Units(docker).start(UNIT)
    (command,) = {text for _, _, text in docker.seen}
    assert command.startswith("sh -ec systemctl is-active --quiet lab-x || systemd-run ")
    assert "--unit=lab-x" in command
    assert "--slice=some.slice" in command
    assert command.endswith("/bin/sh -c 'while :; do :; done'")


def test_a_refusal_names_the_node_and_what_came_back():
    with pytest.raises(LabError, match=r"in n1\n.*exit 4: no such unit"):
        Units(FakeDocker(Ran(4, "no such unit"))).start(UNIT)


def test_every_node_is_asked():
    assert Units(FakeDocker()).ask(UNIT, ["cat", "x"]) == ["1500000000"] * 2
