from pathlib import Path

import pytest
from ruamel.yaml import YAML

FOLDERS = [Path(__file__).parents[3] / "manifests" / name for name in ("core", "workload")]
FILES = [path for folder in FOLDERS for path in sorted(folder.glob("*.yaml")) if path.name != "kustomization.yaml"]
OBJECTS = {path.name: list(YAML(typ="safe").load_all(path.read_text())) for path in FILES}
PODS = {name: objects[0]["spec"]["template"]["spec"] for name, objects in OBJECTS.items() if "template" in objects[0].get("spec", {})}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_kustomization_names_every_file(folder):
    named = YAML(typ="safe").load((folder / "kustomization.yaml").read_text())["resources"]
    assert sorted(named) == sorted(path.name for path in folder.glob("*.yaml") if path.name != "kustomization.yaml")


@pytest.mark.parametrize("name", OBJECTS)
def test_each_file_holds_one_object_that_says_whose_it_is(name):
    (found,) = OBJECTS[name]
    assert found["metadata"]["labels"]["app.kubernetes.io/part-of"] == "cascade-lab"


@pytest.mark.parametrize("name", PODS)
def test_nothing_is_pulled_and_nothing_reaches_the_api(name):
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["nodeSelector"]["lab.role"] in {"core", "app"}
    assert {container["imagePullPolicy"] for container in pod["containers"]} == {"Never"}
    assert all(":" in container["image"] for container in pod["containers"])


def test_sidecars_have_no_cpu_limit():
    assert not [c["name"] for pod in PODS.values() for c in pod["containers"] if "cpu" in c["resources"].get("limits", {})]


def test_node_ports_are_those_that_the_cluster_maps_to_the_host():
    ports = {port["nodePort"] for (found,) in OBJECTS.values() for port in found.get("spec", {}).get("ports", []) if "nodePort" in port}
    assert ports == {30080, 30092, 30500, 30501}


@pytest.mark.parametrize("name", ["consul.yaml", "app.yaml"])
def test_consul_is_told_its_own_address(name):
    agent = next(c for c in PODS[name]["containers"] if c["name"] == "consul")
    assert {"-bind=$(POD_IP)", "-advertise=$(POD_IP)", "-node=$(POD_NAME)"} <= set(agent["command"])
    assert "disable_update_check" in " ".join(agent["command"]) + str(OBJECTS["consul-config.yaml"])


def test_each_consul_server_has_an_address_and_servers_and_agents_join_by_it():
    agent = next(c for c in PODS["app.yaml"]["containers"] if c["name"] == "consul")
    for n in range(3):
        service = OBJECTS[f"consul-address-{n}.yaml"][0]["spec"]
        assert service["selector"] == {"statefulset.kubernetes.io/pod-name": f"consul-{n}"}
        assert f'"{service["clusterIP"]}:8301"' in OBJECTS["consul-config.yaml"][0]["data"]["server.hcl"]
        assert f"-retry-join={service['clusterIP']}:8301" in agent["command"]


def test_a_frozen_broker_is_neither_restarted_nor_cut_off():
    assert "livenessProbe" not in PODS["kafka.yaml"]["containers"][0]
    assert OBJECTS["kafka-service.yaml"][0]["spec"]["publishNotReadyAddresses"] is True
