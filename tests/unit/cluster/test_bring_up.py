import contextlib
from types import SimpleNamespace

import pytest

from lab.cluster import arms, bring_up
from lab.core import paths
from tests.fakes import FakeProgress

SHAPE = ["a", "b"]


class FakeDocker:
    def __init__(self, states):
        self.states = states
        self.started = "at noon"

    def nodes(self, cluster="cascade-lab"):
        return [SimpleNamespace(name=name, id=f"id-{name}", state=state) for name, state in self.states.items()]

    def inspect(self, name):
        return {"State": {"StartedAt": self.started}}


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "WHOLE", tmp_path / "whole")
    world = SimpleNamespace(docker=FakeDocker(dict.fromkeys(SHAPE, "running")), nodes=SHAPE)
    paths.WHOLE.write_text(bring_up._lives(world))
    return world


def test_a_finished_cluster_that_runs_is_used(world):
    assert bring_up.unusable(world) == ""


def test_no_cluster_is_nothing_to_remove(world):
    world.docker.states = {}
    assert bring_up.unusable(world) == ""


@pytest.mark.parametrize(
    ("states", "why"),
    [({"a": "running", "b": "exited"}, "1 of 2 nodes do not run"), ({"a": "running"}, "1 nodes, and kind-config.yaml has 2")],
)
def test_a_cluster_that_lost_nodes_is_not(world, states, why):
    world.docker.states = states
    assert bring_up.unusable(world) == why


def test_nor_one_that_was_restarted_since(world):
    world.docker.started = "after the reboot"
    assert "restarted" in bring_up.unusable(world)


def test_nor_one_whose_bring_up_was_interrupted(world):
    paths.WHOLE.unlink()
    assert "not finished" in bring_up.unusable(world)


@pytest.mark.parametrize(
    ("carried", "done"),
    [("", ["consul"]), ('{"consul": "1.2.3"}', ["consul"]), ('{"vault": "raft"}', ["raft"]), (arms.UNFINISHED, ["renew"])],
)
def test_one_that_was_left_without_a_core_is_made_anew_and_no_vault_is_waited_for(world, monkeypatch, carried, done):
    seen = []
    monkeypatch.setattr(bring_up.host, "prepare", lambda: None)
    monkeypatch.setattr(bring_up, "Kubes", contextlib.nullcontext)
    monkeypatch.setattr(bring_up, "until", lambda *_: None)
    monkeypatch.setattr(arms, "applied", lambda _: carried)
    monkeypatch.setattr(bring_up, "renew", lambda *_: seen.append("renew"))
    world.clock, world.open_vault = None, lambda _, storage: seen.append(storage)
    world.dismiss_neighbour = lambda *_: seen.append("alone")
    bring_up.up(FakeProgress(), world, {})
    assert seen == ["alone", *done]
