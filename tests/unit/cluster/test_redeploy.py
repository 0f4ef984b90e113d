"""The cure in the middle of a run: servers first and where they are, pods after them a share at a time, and stopped where it stands."""

import hashlib
import json
import re

import pytest
from fake_kube import FakeKube

from lab.adapters.docker import Ran
from lab.cluster import arms, gossip_key, redeploy
from lab.cluster.redeploy import APP, MARK, RedeployPowers, settle, under_way
from lab.cluster.units import Units
from lab.core.errors import Aborted, LabError, Unavailable
from tests.fakes import FakeClock

NAMESPACE = "/api/v1/namespaces/lab"


class FakeCore:
    """The core node: hashes of the servers' files, and what was sent to their processes."""

    def __init__(self, kube):
        self.kube = kube
        self.sent = []
        self.slow = 0
        self.hangs = 0
        self.servers = True
        self.caps = [0.5]

    def cap_of(self, node):
        return self.caps[-1]

    def cap(self, node, cores):
        self.caps.append(cores)

    def run(self, node, argv, *, timeout_s):
        assert node == "core"
        if argv[0] == "pkill":
            self.sent.append((argv, self.caps[-1]))
            return Ran(0 if self.servers else 1, "")
        assert argv[0] == "sha256sum"
        self.hangs -= 1
        if self.hangs >= 0:
            raise Unavailable("run sha256sum in core", "timed out after 8 s")
        self.slow -= 1
        text = "old" if self.slow >= 0 else self.kube.secrets["gossip"]["gossip.json"]
        return Ran(0, "\n".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {file}" for file in argv[1:]))


class World(RedeployPowers):
    def __init__(self, kube):
        self.docker = FakeCore(kube)
        self.clock = FakeClock()
        self.units = Units(self.docker)
        self.core = "core"


@pytest.fixture
def kube(monkeypatch, tmp_path):
    deployment = {
        "metadata": {"generation": 1},
        "spec": {"replicas": 20, "strategy": {"type": "Recreate"}, "template": {"metadata": {}}},
        "status": {"observedGeneration": 1, "replicas": 20, "updatedReplicas": 20, "availableReplicas": 20},
    }
    found = FakeKube({APP: deployment, NAMESPACE: {"metadata": {}}})
    found.listed = [{"metadata": {"name": f"consul-{number}", "uid": f"uid-{number}"}} for number in range(3)]
    monkeypatch.setattr(redeploy, "Kube", lambda: found)
    monkeypatch.setattr(gossip_key, "FOLDER", tmp_path)
    return found


@pytest.fixture
def world(kube):
    return World(kube)


def begin(world, key="new", verify=True, mark="1"):
    world.redeploy_agents(mark, key, 0.25, verify=verify)


def carries(kube, **words):
    kube.objects[NAMESPACE] = {"metadata": {"annotations": {arms.ANNOTATION: json.dumps(words)}}}


def handed_out(kube):
    return json.loads(kube.secrets["gossip"]["gossip.json"])


def observe(kube, updated, available):
    deployment = kube.objects[APP]
    deployment["status"] = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": 20,
        "updatedReplicas": updated,
        "availableReplicas": available,
    }


def test_the_servers_get_the_key_and_are_restarted_before_the_first_pod_is_replaced(kube, world):
    carries(kube, encryption="off")
    world.docker.slow = 1
    begin(world)
    assert handed_out(kube)["encrypt"] == gossip_key.gossip_key(2).get_secret_value()
    assert [argv for argv, _ in world.docker.sent] == [["pkill", "-TERM", "-f", redeploy.SERVER]]
    assert [path for path, _ in kube.merges] == [
        NAMESPACE,
        *(f"/api/v1/namespaces/lab/pods/consul-{number}" for number in range(3)),
        APP,
    ]
    spec = kube.objects[APP]["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 0}}
    assert spec["template"]["metadata"]["annotations"] == {MARK: "1"}


def test_the_servers_are_restarted_only_when_their_files_hold_the_new_key(kube, world):
    world.docker.slow = 4
    begin(world)
    assert world.clock.slept == [0.3] * 4
    assert len(world.docker.sent) == 1


def test_a_core_node_at_its_cap_is_waited_for_and_its_cap_is_lifted_while_the_servers_are_ended(kube, world):
    world.docker.hangs = 2
    begin(world)
    assert world.clock.slept == [0.3] * 2
    assert [cap_cores for _, cap_cores in world.docker.sent] == [0]
    assert world.docker.caps == [0.5, 0, 0.5]


def test_a_core_without_servers_is_told_and_no_pod_is_replaced(kube, world):
    world.docker.servers = False
    with pytest.raises(LabError, match="no process of theirs"):
        begin(world)
    assert not world.redeploy_under_way()


def test_kubelets_that_wrote_the_old_file_are_told_again_until_they_write_the_new_one(kube, world):
    world.docker.slow = 40  # 12 s
    begin(world)
    told = [change["metadata"]["annotations"][MARK] for path, change in kube.merges if "/pods/" in path]
    assert told == [mark for mark in ("1.1", "1.2", "1.3") for _ in range(3)]


def test_files_that_do_not_change_end_it_before_anything_was_restarted(kube, world):
    world.docker.slow = 10**6
    with pytest.raises(Aborted, match="0 of 3 have it"):
        begin(world)
    assert world.docker.sent == []
    assert APP not in [path for path, _ in kube.merges]


def test_no_key_stands_in_a_command_or_a_patch(kube, world):
    begin(world)
    key = handed_out(kube)["encrypt"]
    assert key not in f"{world.docker.sent} {kube.merges} {kube.objects}"


@pytest.mark.parametrize(
    ("encryption", "verify", "number", "verifies"),
    [
        ("off", True, 2, True),
        ("off", False, 2, False),
        ("on", True, 2, True),
        ("on-without-verify", True, 2, False),
        ("same-key-everywhere", True, 1, True),
    ],
)
def test_which_key_is_handed_out_depends_on_how_the_pool_began(kube, world, encryption, verify, number, verifies):
    carries(kube, encryption=encryption)
    begin(world, verify=verify)
    assert handed_out(kube)["encrypt"] == gossip_key.gossip_key(number).get_secret_value()
    assert handed_out(kube)["encrypt_verify_incoming"] is verifies


def test_redeployment_alone_restarts_the_same_and_leaves_the_secret_as_it_is(kube, world):
    begin(world, key="unchanged")
    assert kube.secrets == {}
    assert len(world.docker.sent) == 1
    assert under_way(kube.objects[APP])


def test_beginning_twice_does_nothing_more(kube, world):
    begin(world)
    before = (list(kube.merges), list(world.docker.sent))
    begin(world)
    assert (kube.merges, world.docker.sent) == before


def test_the_cluster_no_longer_carries_its_arm_so_the_next_run_makes_it_anew(kube, world):
    carries(kube, encryption="off")
    begin(world)
    words = arms.applied(kube)
    assert json.loads(words) == {"encryption": "off", "redeployed": "1"}
    assert words != arms.Arm(encryption="off").words


def test_it_is_under_way_until_every_pod_is_new_and_there(kube, world):
    assert not world.redeploy_under_way()
    begin(world)
    assert (world.redeploy_under_way(), world.redeployed()) == (True, 0)
    observe(kube, 5, 15)
    assert (world.redeploy_under_way(), world.redeployed()) == (True, 5)
    observe(kube, 20, 20)
    assert (world.redeploy_under_way(), world.redeployed()) == (False, 20)


def test_what_is_stopped_stays_where_it_stands_and_stopping_again_is_fine(kube, world):
    begin(world)
    observe(kube, 5, 15)
    world.stop_redeploy()
    world.stop_redeploy()
    assert not world.redeploy_under_way()
    assert [change for path, change in kube.merges if path == APP][1:] == [{"spec": {"paused": True}}]


def test_stopping_what_is_complete_or_never_began_changes_nothing(kube, world):
    world.stop_redeploy()
    begin(world)
    observe(kube, 20, 20)
    world.stop_redeploy()
    assert [change["spec"]["paused"] for path, change in kube.merges if path == APP] == [False]


def test_settling_leaves_the_deployment_as_the_manifest_has_it(kube, world):
    before = json.loads(json.dumps(kube.objects[APP]["spec"]))
    begin(world)
    observe(kube, 5, 15)
    world.stop_redeploy()
    settle(kube)
    assert kube.objects[APP]["spec"] == {**before, "template": {"metadata": {"annotations": {}}}}
    settle(kube)


@pytest.mark.parametrize(
    ("line", "hit"),
    [
        ("consul agent -config-file=/etc/cascade-lab/server.hcl -node=consul-0", True),
        ("vault server -config=/etc/cascade-lab/server.hcl -log-level=warn", False),
        (f"timeout -s KILL 8 pkill -TERM -f {redeploy.SERVER}", False),
        ("consul agent -node=app-x2vqz", False),
    ],
)
def test_servers_of_consul_are_restarted_and_nothing_else_of_the_core_node(line, hit):
    assert bool(re.search(redeploy.SERVER, line)) is hit
