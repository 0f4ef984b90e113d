"""An image that no node image holds is brought to the nodes that lack it, once."""

import pytest

from lab.adapters import shell
from lab.adapters.docker import Ran
from lab.cluster.node_images import MARKS, EngineImage, _mark, load
from lab.core import paths
from lab.core.errors import LabError
from tests.fakes import FakeProgress

IMAGE = EngineImage("consul:1.2.3", "sha256:new")


class FakeNodes:
    """Docker as far as it matters: files in nodes, and what their stores hold."""

    def __init__(self, **marks):
        self.marks = marks
        self.stores = {}

    def run(self, node, argv, *, timeout_s):
        assert argv == ["cat", "/run/lab-images/consul:1.2.3"]
        return Ran(0, self.marks[node]) if self.marks.get(node) else Ran(1, "No such file")

    def run_checked(self, node, argv, *, timeout_s):
        if argv[0] == "ctr":
            return "\n".join(self.stores.get(node, []))
        assert "printf %s sha256:new > /run/lab-images/consul:1.2.3" in argv[-1]
        self.marks[node] = "sha256:new"
        return ""


@pytest.fixture
def docker(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    nodes = FakeNodes(a="", b="sha256:new", c="sha256:old")
    nodes.argv = []

    def run(argv, **given):
        nodes.argv.append(argv)
        if argv[1] == "exec":
            assert given["stdin"].name == "image.tar"
            nodes.stores[argv[3]] = ["docker.io/library/consul:1.2.2", "docker.io/library/consul:1.2.3"]
        return ""

    monkeypatch.setattr(shell, "run", run)
    return nodes


def test_only_nodes_that_lack_it_or_hold_an_older_one_get_it_from_one_archive(docker):
    assert load(FakeProgress(), docker, ["a", "b", "c"], IMAGE, {}) == ["a", "c"]
    assert [argv[1] for argv in docker.argv] == ["save", "exec", "exec"]
    assert sorted(argv[3] for argv in docker.argv[1:]) == ["a", "c"]


def test_a_second_call_brings_nothing(docker):
    load(FakeProgress(), docker, ["a", "b"], IMAGE, {})
    docker.argv.clear()
    assert load(FakeProgress(), docker, ["a", "b"], IMAGE, {}) == []
    assert docker.argv == []


def test_a_node_that_did_not_take_it_is_an_error_and_is_not_marked(docker):
    docker.run_checked = lambda node, argv, timeout_s: "docker.io/library/consul:1.2.2"
    with pytest.raises(LabError, match="its store holds"):
        load(FakeProgress(), docker, ["a"], IMAGE, {})
    assert docker.marks["a"] == ""


def test_the_mark_of_an_image_with_a_folder_in_its_name_lies_beside_the_others():
    assert _mark(EngineImage("cascade-lab/rsyslog:1", "sha256:new")).rpartition("/")[0] == MARKS
