"""Arms as kustomize makes them, where there is a kubectl: patches that fit one by one may not fit together."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lab.cluster import arms
from lab.cluster.arms import Arm
from lab.core import paths
from lab.core.vault import INSTANCES
from lab.images import versions

KUBECTL = shutil.which("kubectl", path=str(paths.cache() / "bin")) or shutil.which("kubectl")
SIDECARS = {"app", "logger", "metrics", "consul"}
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="no kubectl here: lab images ensure builds one")


def made(arm: Arm, folder: Path) -> dict[tuple[str, str], dict]:
    """Every object of the arm, by kind and name."""
    (folder / "kustomization.yaml").write_text(json.dumps(arms.kustomization(arm, paths.project() / "manifests", folder)))
    ran = subprocess.run([str(KUBECTL), "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return {(found["kind"], found["metadata"]["name"]): found for found in YAML(typ="safe").load_all(ran.stdout)}


def containers(objects: dict[tuple[str, str], dict]) -> dict[str, dict]:
    """Those of a workload pod, by name."""
    return {each["name"]: each for each in objects["Deployment", "app"]["spec"]["template"]["spec"]["containers"]}


@pytest.mark.parametrize("arm", [Arm(), Arm(encryption="on", agents_per_pod=2, logging=False)])
def test_no_other_arm_has_a_collector_or_rsyslog(arm: Arm, tmp_path: Path) -> None:
    objects = made(arm, tmp_path)
    assert ("DaemonSet", "collector") not in objects
    assert "rsyslog" not in json.dumps(objects["Deployment", "app"])


@pytest.mark.parametrize("more", [{}, {"encryption": "on", "agents_per_pod": 2}])
def test_rsyslog_is_the_logger_with_all_that_the_logger_has(more: dict, tmp_path: Path) -> None:
    objects = made(Arm(shipper="rsyslog", **more), tmp_path)
    usual, found = containers(made(Arm(), tmp_path))["logger"], containers(objects)["logger"]
    assert found["image"] == "cascade-lab/rsyslog:1"
    assert found["command"] == ["/bin/sh", "/etc/shipper/ship.sh", "sidecar"]
    assert {name: found[name] for name in ("resources", "volumeMounts", "imagePullPolicy")} == {
        name: usual[name] for name in ("resources", "volumeMounts", "imagePullPolicy")
    }
    assert {each["name"] for each in found["env"]} == {"KAFKA", "POD_NAME", "NODE_NAME", "LOG_FILE", "WORK"}
    assert set(containers(objects)) == SIDECARS
    assert containers(objects)["app"] == containers(made(Arm(), tmp_path))["app"]


@pytest.mark.parametrize("more", [{}, {"encryption": "on", "agents_per_pod": 2}])
def test_with_collectors_pods_have_no_logger_and_all_else_is_as_ever(more: dict, tmp_path: Path) -> None:
    objects = made(Arm(shipper="rsyslog-daemonset", **more), tmp_path)
    found = containers(objects)
    assert set(found) == SIDECARS - {"logger"}
    assert any(each["name"] == "AGENTS" for each in found["consul"]["env"]) == bool(more)
    assert any(found["app"]["command"][-1] == f"{each['mountPath']}/to_stdout.py" for each in found["app"]["volumeMounts"])
    assert "to_stdout.py" in objects["ConfigMap", "to-stdout"]["data"]
    assert objects["DaemonSet", "collector"]["metadata"]["namespace"] == "lab"
    assert found["metrics"] == containers(made(Arm(), tmp_path))["metrics"]


@pytest.mark.parametrize("more", [{}, {"encryption": "on", "logging": False}])
def test_a_vault_with_storage_of_its_own_has_nothing_of_consul_and_all_else_of_the_usual_one(more: dict, tmp_path: Path) -> None:
    objects, usual = made(Arm(vault="raft", **more), tmp_path), made(Arm(**more), tmp_path)
    found, before = (each["StatefulSet", "vault"]["spec"] for each in (objects, usual))
    (vault,), (old,) = (each["template"]["spec"]["containers"] for each in (found, before))
    assert (vault["image"], found["replicas"]) == (f"vault:{versions.VAULT_RAFT}", INSTANCES["raft"])
    assert {name: vault[name] for name in old if name not in {"image", "env", "volumeMounts"}} == {
        name: old[name] for name in old if name not in {"image", "env", "volumeMounts"}
    }
    assert {each["name"] for each in vault["env"]} == {"VAULT_RAFT_NODE_ID", "POD_IP", "VAULT_API_ADDR", "VAULT_CLUSTER_ADDR", "GOMAXPROCS"}
    config = objects["ConfigMap", "vault-config"]["data"]["server.hcl"]
    assert 'storage "raft"' in config
    assert "consul" not in config.lower() + json.dumps(vault).lower()
    assert {key for key in usual if key[1].startswith("vault")} | {("Service", "vault-2-external")} == {
        key for key in objects if key[1].startswith("vault")
    }


def test_every_voter_is_asked_by_its_own_name_and_has_its_data_in_its_pod(tmp_path: Path) -> None:
    objects = made(Arm(vault="raft"), tmp_path)
    config, pod = objects["ConfigMap", "vault-config"]["data"]["server.hcl"], objects["StatefulSet", "vault"]["spec"]["template"]["spec"]
    service = objects["StatefulSet", "vault"]["spec"]["serviceName"]
    named = [line.split('"')[1] for line in config.splitlines() if "leader_api_addr" in line]
    assert named == [f"http://vault-{number}.{service}:8200" for number in range(INSTANCES["raft"])]
    assert objects["Service", service]["spec"]["publishNotReadyAddresses"] is True
    place = next(each["mountPath"] for each in pod["containers"][0]["volumeMounts"] if each["name"] == "data")
    assert f'path = "{place}"' in config
    assert {"name": "data", "emptyDir": {}} in pod["volumes"]


@pytest.mark.parametrize("more", [{}, {"encryption": "on", "agents_per_pod": 2, "logging": False}])
def test_watchers_are_one_container_more_with_their_number(more: dict, tmp_path: Path) -> None:
    found, without = containers(made(Arm(watches_per_pod=20, **more), tmp_path)), containers(made(Arm(**more), tmp_path))
    watcher = found.pop("watcher")
    assert {each["name"]: each["value"] for each in watcher["env"]} == {"WATCHES": "20"}
    assert found == without


@pytest.mark.parametrize("more", [{}, {"encryption": "on", "watches_per_pod": 20}, {"shipper": "rsyslog"}])
def test_a_component_limits_the_loggers_and_nothing_else(more: dict, tmp_path: Path) -> None:
    mine = str(paths.project() / "manifests" / "mitigations" / "sidecar-limit")
    usual, found = made(Arm(**more), tmp_path), made(Arm(**more, components=(mine,)), tmp_path)
    limits = containers(found)["logger"]["resources"].pop("limits")
    assert limits == {**containers(usual)["logger"]["resources"].pop("limits"), "cpu": "10m"}
    namespaces = [objects.pop(("Namespace", "lab"))["metadata"]["annotations"][arms.MADE_FROM] for objects in (usual, found)]
    assert namespaces[0] != namespaces[1]
    pods = [objects["Deployment", "app"]["spec"]["template"]["spec"] for objects in (usual, found)]
    for pod in pods:  # kustomize puts those first that a patch names
        pod["containers"].sort(key=lambda container: container["name"])
    assert usual == found
