"""An arm of an experiment as a kustomization: small, relative, and named on the cluster."""

import json
from pathlib import Path

import pytest
from fake_kube import FakeKube

from lab.adapters import shell
from lab.cluster import arms, gossip_key, shape
from lab.cluster.arms import Arm
from lab.core import paths
from lab.core.errors import LabError
from lab.images import versions
from lab.runner.load import EXPERIMENTS, load_experiment

MANIFESTS = Path("/home/someone/lab/manifests")
PLACE = Path("/var/tmp/cascade-lab/arm")
NAMESPACE = "/api/v1/namespaces/lab"


def made(arm):
    return arms.kustomization(arm, MANIFESTS, PLACE)


@pytest.mark.parametrize("name", ["baseline", "cascade", "flapping", "partition"])
def test_an_experiment_that_changes_nothing_runs_on_the_manifests_as_they_stand(name):
    assert Arm.of(load_experiment(name)) == Arm()
    assert Arm().words == ""
    assert made(Arm())["components"] == []


def test_another_consul_is_another_tag_for_servers_and_agents():
    arm = Arm.of(load_experiment("baseline", ["consul.version=1.2.3"]))
    assert made(arm)["images"] == [{"name": "consul", "newTag": "1.2.3"}]
    assert arm.words == '{"consul": "1.2.3"}'


def test_paths_are_relative_and_no_workload_pod_is_wanted_yet():
    whole = made(Arm())
    assert whole["resources"] == ["../../../../home/someone/lab/manifests"]
    assert whole["replicas"] == [{"name": "app", "count": 0}]


@pytest.mark.parametrize(("metadata", "words"), [({}, ""), ({"annotations": {}}, ""), ({"annotations": {arms.ANNOTATION: "{}"}}, "{}")])
def test_the_cluster_tells_its_arm(metadata, words):
    assert arms.applied(FakeKube({NAMESPACE: {"metadata": metadata}})) == words


@pytest.fixture
def kubectl(monkeypatch, tmp_path):
    """What kubectl was asked, with what the cluster said of its arm at that moment."""
    monkeypatch.setattr(arms, "FOLDER", tmp_path / "arm")
    monkeypatch.setattr(gossip_key, "FOLDER", tmp_path / "secrets")
    kube = FakeKube({NAMESPACE: {"metadata": {}}})
    kube.asked = []
    monkeypatch.setattr(shell, "run", lambda argv, **_: kube.asked.append((argv[1:], arms.applied(kube))))
    return kube


def test_it_is_applied_whole_by_the_manager_that_brought_the_cluster_up(kubectl, tmp_path):
    arms.apply(Arm(consul="1.2.3"), kubectl)
    wanted = ["--kubeconfig", str(paths.KUBECONFIG), "apply", "--server-side", "--force-conflicts", "-k", str(tmp_path / "arm")]
    assert kubectl.asked == [(wanted, arms.UNFINISHED)]
    stored = json.loads((tmp_path / "arm" / "kustomization.yaml").read_text())
    assert (tmp_path / "arm" / stored["resources"][0]).resolve() == paths.project() / "manifests"


def test_the_cluster_carries_an_arm_only_when_all_of_it_is_applied(kubectl, monkeypatch):
    arms.apply(Arm(encryption="on"), kubectl)
    assert arms.applied(kubectl) == '{"encryption": "on"}'
    arms.apply(Arm(), kubectl)
    assert arms.applied(kubectl) == ""

    def broken(argv, **_):
        raise LabError("run kubectl", "no")

    monkeypatch.setattr(shell, "run", broken)
    with pytest.raises(LabError):
        arms.apply(Arm(encryption="on"), kubectl)
    assert arms.applied(kubectl) == arms.UNFINISHED


@pytest.mark.parametrize(
    ("settings", "encryption"),
    [
        ([], ""),
        (["consul.encryption=on"], "on"),
        (["consul.encryption=off"], ""),
        (["remedies=[{remedy: redeploy-agents, heal_at_s: 60}]"], "off"),
        (["consul.encryption=same-key-everywhere", "remedies=[{remedy: redeploy-agents, heal_at_s: 60}]"], "same-key-everywhere"),
    ],
)
def test_pods_have_the_secret_where_a_key_can_come_into_it(settings, encryption):
    arm = Arm.of(load_experiment("baseline", settings))
    assert arm.encryption == encryption
    assert [Path(name).name for name in made(arm)["components"]] == (["gossip-encryption"] if encryption else [])


@pytest.mark.parametrize("encryption", ["", "off", "on", "on-without-verify", "same-key-everywhere"])
def test_the_secret_holds_what_the_arm_says_and_nothing_else_does(kubectl, encryption):
    arms.apply(Arm(encryption=encryption), kubectl)
    if not encryption:
        assert kubectl.secrets == {}
        return
    held = json.loads(kubectl.secrets["gossip"]["gossip.json"])
    if encryption == "off":
        assert held == {}
        return
    assert held["encrypt"] == gossip_key.gossip_key(1).get_secret_value()
    assert held["encrypt_verify_incoming"] is held["encrypt_verify_outgoing"] is (encryption != "on-without-verify")
    assert held["encrypt"] not in f"{kubectl.asked} {kubectl.merges} {(arms.FOLDER / 'kustomization.yaml').read_text()}"


def test_the_fidelity_statement_names_the_consul_that_ran():
    for version in versions.CONSUL_RECIPES:
        assert f"Consul {version} (" in shape.fidelity(version)[0]
    assert "before Target's upgrade" in shape.fidelity("1.2.2")[0]


def test_every_experiment_has_an_arm():
    assert {name: Arm.of(load_experiment(name)).consul for name in EXPERIMENTS} == dict.fromkeys(EXPERIMENTS, "1.2.2")
