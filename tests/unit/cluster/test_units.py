import pytest

from lab.adapters.docker import Ran
from lab.cluster.units import Unit, Units
from lab.core.errors import LabError, Unavailable


class FakeDocker:
    """A node with a cap, that answers `ran` to every program."""

    def __init__(self, ran=None):
        self.caps = {"n1": 0.2, "n2": 0.0}
        self.ran = ran or Ran(0, "1500000000\n")
        self.seen = []
        self.late = False

    def cap_of(self, node):
        return self.caps[node]

    def cap(self, node, cores):
        self.caps[node] = cores

    def run(self, node, argv, *, timeout_s):
        self.seen.append((node, self.caps[node], " ".join(argv)))
        if self.late:
            raise Unavailable("run it", "timed out")
        return self.ran


UNIT = Unit("lab-x", ["n1", "n2"], "while :; do :; done", after="echo it's over", slice="some.slice")


def test_a_node_is_asked_without_its_cap_and_gets_it_back():
    docker = FakeDocker()
    Units(docker).stop(UNIT)
    assert {cap for _, cap, _ in docker.seen} == {0}
    assert docker.caps == {"n1": 0.2, "n2": 0.0}


def test_the_cap_comes_back_even_if_the_node_does_not_answer():
    docker = FakeDocker()
    docker.late = True
    with pytest.raises(Unavailable):
        Units(docker).active(UNIT)
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
        Units(FakeDocker(Ran(4, "no such unit"))).stop(UNIT)


def test_every_node_is_asked():
    assert Units(FakeDocker()).ask(UNIT, ["cat", "x"]) == ["1500000000"] * 2


@pytest.mark.parametrize(("code", "active"), [(0, True), (3, False)])
def test_systemd_says_whether_it_runs(code, active):
    assert Units(FakeDocker(Ran(code, ""))).active(UNIT) is active
