"""An arm of an experiment as a kustomization: small, relative, and named on the cluster."""

import json
from pathlib import Path

import pytest
from fake_kube import FakeKube

from lab.adapters import shell
from lab.cluster import arms, calibrate, gossip_key, shape
from lab.cluster.arms import Arm
from lab.core import paths
from lab.core.errors import LabError
from lab.core.experiment import Workload
from lab.core.neighbour import Neighbour
from lab.images import versions
from lab.runner.load import EXPERIMENTS, load_experiment

MANIFESTS = Path("/home/someone/lab/manifests")
PLACE = Path("/var/tmp/cascade-lab/arm")
NAMESPACE = "/api/v1/namespaces/lab"
NOW = "2019-01-15T00:00:00+00:00"


def made(arm):
    return arms.kustomization(arm, MANIFESTS, PLACE)


@pytest.mark.parametrize("name", ["baseline", "cascade", "flapping", "flood-only", "partition"])
def test_an_experiment_of_the_chain_runs_on_what_lab_up_brings_up(name):
    assert Arm.of(load_experiment(name)) == arms.FIRST


def test_an_experiment_that_changes_nothing_runs_on_the_manifests_as_they_stand():
    assert Arm.of(load_experiment("cascade", ["workload.watches_per_pod=0"])) == Arm()
    assert Arm().words == ""
    assert made(Arm())["components"] == []


def test_another_consul_is_another_tag_for_servers_and_agents():
    arm = Arm.of(load_experiment("baseline", ["consul.version=1.2.3"]))
    assert made(arm)["images"] == [{"name": "consul", "newTag": "1.2.3"}]
    assert arm.words == '{"consul": "1.2.3", "watches_per_pod": 20}'


def test_paths_are_relative_and_no_workload_pod_is_wanted_yet():
    whole = made(Arm())
    assert whole["resources"] == ["../../../../home/someone/lab/manifests"]
    assert whole["replicas"] == [{"name": "app", "count": 0}]


@pytest.mark.parametrize(("metadata", "words"), [({}, ""), ({"annotations": {}}, ""), ({"annotations": {arms.ANNOTATION: "{}"}}, "{}")])
def test_the_cluster_tells_its_arm(metadata, words):
    assert arms.applied(FakeKube({NAMESPACE: {"metadata": metadata}})) == words


def test_a_change_of_the_manifests_is_another_arm_but_not_one_of_what_is_no_part_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "project", lambda: tmp_path)
    for name in ("workload/app.yaml", "neighbour/pods.yaml", "coredns-patch.yaml"):
        (tmp_path / "manifests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "manifests" / name).write_text("kind: Pod\n")
    kube = FakeKube({NAMESPACE: {"metadata": {"annotations": arms.annotations(arms.FIRST)}}})
    assert arms.carries(kube, arms.FIRST)
    assert not arms.carries(kube, Arm())
    (tmp_path / "manifests/neighbour/pods.yaml").write_text("kind: Deployment\n")
    (tmp_path / "manifests/coredns-patch.yaml").unlink()
    assert arms.carries(kube, arms.FIRST)
    (tmp_path / "manifests/workload/app.yaml").write_text("kind: Deployment\n")
    assert not arms.carries(kube, arms.FIRST)
    assert not arms.carries(FakeKube({NAMESPACE: {"metadata": {}}}), arms.FIRST)  # one that an older lab made


def test_a_component_of_the_user_s_own_comes_last_and_its_content_is_part_of_the_arm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "mine" / "kustomization.yaml"
    place.parent.mkdir()
    place.write_text("kind: Component\n")
    arm = Arm.of(load_experiment("cascade", ["components=[mine]"]))
    assert arm.components == (str(tmp_path / "mine"),)
    built = arms.kustomization(arm, MANIFESTS, tmp_path / "arm")
    assert built["components"][-1] == "../mine"
    assert Arm.of_workload(load_experiment("cascade", ["components=[mine]"]).workload) == arms.FIRST  # caps are those of the arm without it
    kube = FakeKube({NAMESPACE: {"metadata": {"annotations": arms.annotations(arm)}}})
    assert arms.carries(kube, arm)
    assert not arms.carries(kube, arms.FIRST)
    place.write_text("kind: Component\npatches: []\n")
    assert not arms.carries(kube, arm)


def test_what_is_applied_says_which_manifests_it_was_made_from():
    (said,) = [json.loads(patch["patch"]) for patch in made(Arm())["patches"]]
    assert (said["kind"], said["metadata"]["name"]) == ("Namespace", "lab")
    assert said["metadata"]["annotations"] == {arms.MADE_FROM: arms.fingerprint(Arm(), MANIFESTS)}


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
    assert [Path(name).name for name in made(arm)["components"]] == (["gossip-encryption", "watchers"] if encryption else ["watchers"])


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


def test_many_agents_and_no_kafka_come_after_what_names_the_agent_by_its_place():
    arm = Arm(encryption="on", agents_per_pod=10, logging=False)
    assert [Path(name).name for name in made(arm)["components"]] == ["gossip-encryption", "many-agents", "no-kafka"]
    _, patch = [json.loads(each["patch"]) for each in made(arm)["patches"]]
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert container == {"name": "consul", "env": [{"name": "AGENTS", "value": "10"}]}


def test_gossip_poison_is_an_arm_of_ten_agents_a_pod_and_no_kafka_and_its_nodes_are_calibrated_on_the_default_consul():
    experiment = load_experiment("gossip-poison", ["consul.version=1.22.3", "consul.encryption=on"])
    assert Arm.of(experiment) == Arm("1.22.3", "on", 10, logging=False)
    assert Arm.of_workload(experiment.workload) == Arm(agents_per_pod=10, logging=False)


def test_another_shipper_is_a_component_after_what_names_the_agent_by_its_place():
    arm = Arm.of(load_experiment("cascade", ["workload.shipper=rsyslog", "consul.encryption=on"]))
    assert [Path(name).name for name in made(arm)["components"]] == ["gossip-encryption", "rsyslog", "watchers"]
    assert json.loads(arm.words) == {"encryption": "on", "shipper": "rsyslog", "watches_per_pod": 20}
    assert not arm.collects


def test_collectors_are_another_component():
    arm = Arm.of(load_experiment("cascade", ["workload.shipper=rsyslog-daemonset"]))
    assert [Path(name).name for name in made(arm)["components"]] == ["rsyslog-daemonset", "watchers"]
    assert arm.collects


def test_a_vault_with_storage_of_its_own_is_a_component_and_changes_no_cap():
    experiment = load_experiment("cascade", ["vault.storage=raft", "workload.shipper=rsyslog"])
    arm = Arm.of(experiment)
    assert [Path(name).name for name in made(arm)["components"]] == ["rsyslog", "vault-raft", "watchers"]
    assert json.loads(arm.words) == {"shipper": "rsyslog", "vault": "raft", "watches_per_pod": 20}
    assert Arm.of_workload(experiment.workload) == arms.FIRST


@pytest.mark.parametrize(
    ("words", "storage"),
    [
        ("", "consul"),
        (Arm(consul="1.2.3").words, "consul"),
        (Arm(vault="raft").words, "raft"),
        ('{"redeployed": "x", "vault": "raft"}', "raft"),
    ],
)
def test_an_arm_s_words_tell_where_its_vault_keeps_its_data(words, storage):
    assert arms.storage(words) == storage


def test_shippers_are_compared_under_the_caps_of_the_default_one():
    assert Arm.of_workload(Workload(shipper="rsyslog")) == Arm()


@pytest.mark.parametrize(
    "arm", [Arm(encryption="on", agents_per_pod=2, logging=False), Arm(shipper="rsyslog"), Arm(shipper="rsyslog-daemonset", vault="raft")]
)
def test_every_component_that_an_arm_names_is_there(arm):
    for name in made(arm)["components"]:
        assert (paths.project() / "manifests" / Path(name).relative_to(made(Arm())["resources"][0]) / "kustomization.yaml").is_file()


def test_the_fidelity_statement_names_the_consul_that_ran():
    for version in versions.CONSUL_RECIPES:
        assert f"Consul {version} (" in shape.fidelity(version, Workload())[0]
    assert "before Target's upgrade" in shape.fidelity("1.2.2", Workload())[0]


def test_the_fidelity_statement_says_when_agents_share_a_pod_and_when_there_is_no_kafka():
    usual = shape.fidelity("1.2.2", Workload())
    shared, without = shape.fidelity("1.2.2", Workload(agents_per_pod=10, logging=False))[len(usual) :]
    assert "10 Consul agents live in each pod" in shared
    assert "no Kafka" in without


def test_the_fidelity_statement_names_the_shipper_that_ran():
    assert "kafka-python shippers" in shape.fidelity("1.2.2", Workload())[0]
    assert "rsyslog shippers" in shape.fidelity("1.2.2", Workload(shipper="rsyslog"))[0]
    (said,) = shape.fidelity("1.2.2", Workload(shipper="rsyslog-daemonset"))[len(shape.fidelity("1.2.2", Workload())) :]
    assert "stdout" in said


def test_the_fidelity_statement_names_the_vault_that_ran():
    usual, own = shape.fidelity("1.2.2", Workload()), shape.fidelity("1.2.2", Workload(), "raft")
    (said,) = [line for line in own if line not in usual]
    assert f"Vault {versions.VAULT} keeps data and lock in Consul" in " ".join(usual)
    assert said.startswith(f"Vault {versions.VAULT_RAFT}, of 2020, keeps its data itself on three instances")
    assert said.partition(";")[2] in " ".join(usual)


def test_the_fidelity_statement_says_that_there_is_a_neighbour_and_whose_pool_it_is_in():
    usual = shape.fidelity("1.2.2", Workload())
    assert shape.fidelity("1.2.2", Workload(), neighbour=Neighbour()) == usual
    for pool, words in (("shared", "the gossip pool of the first cluster"), ("own", "a pool of their own")):
        (said,) = shape.fidelity("1.2.2", Workload(), neighbour=Neighbour(pods=5, pool=pool))[len(usual) :]
        assert "5 pods" in said
        assert words in said


def test_every_experiment_has_an_arm():
    assert {name: Arm.of(load_experiment(name)).consul for name in EXPERIMENTS} == dict.fromkeys(EXPERIMENTS, "1.2.2")


@pytest.mark.parametrize(
    ("workload", "key"),
    [
        (Workload(pods=35), "35 pods, 25 requests/s"),
        (Workload(pods=20, agents_per_pod=10, requests_per_s=5, logging=False), "20 pods, 10 agents each, 5 requests/s, no Kafka"),
    ],
)
def test_a_calibration_is_kept_for_all_that_a_node_s_use_depends_on(monkeypatch, tmp_path, workload, key):
    monkeypatch.setenv("CASCADE_LAB_CACHE", str(tmp_path))
    found = calibrate.Calibration(
        workload.pods, workload.requests_per_s, 0.1, 0.2, 20.0, NOW, agents_per_pod=workload.agents_per_pod, logging=workload.logging
    )
    calibrate.remember(found)
    assert list(json.loads((tmp_path / "steady-use.json").read_text())) == [key]
    assert calibrate.recall(workload) == found
    assert calibrate.recall(Workload(pods=workload.pods + 1)) is None


def test_a_calibration_from_before_there_were_many_agents_still_counts(monkeypatch, tmp_path):
    monkeypatch.setenv("CASCADE_LAB_CACHE", str(tmp_path))
    old = {"pods": 35, "requests_per_s": 25.0, "use_cores": 0.124, "use_cores_max": 0.13, "window_s": 20.0, "measured_utc": NOW}
    (tmp_path / "steady-use.json").write_text(json.dumps({"35 pods, 25 requests/s": old}))
    found = calibrate.recall(Workload(pods=35))
    assert (found.use_cores, found.agents_per_pod, found.logging) == (0.124, 1, True)
