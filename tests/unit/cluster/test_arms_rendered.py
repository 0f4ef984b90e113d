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


@pytest.mark.parametrize("more", [{}, {"encryption": "on", "agents_per_pod": 2, "logging": False}])
def test_watchers_are_one_container_more_with_their_number(more: dict, tmp_path: Path) -> None:
    found, without = containers(made(Arm(watches_per_pod=20, **more), tmp_path)), containers(made(Arm(**more), tmp_path))
    watcher = found.pop("watcher")
    assert {each["name"]: each["value"] for each in watcher["env"]} == {"WATCHES": "20"}
    assert found == without
