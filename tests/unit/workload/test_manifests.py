import base64
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lab.cluster import arms, neighbour, reset
from lab.cluster.doctor import PORTS

MANIFESTS = Path(__file__).parents[3] / "manifests"
FOLDERS = [MANIFESTS / name for name in ("core", "workload")]
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
    third = YAML(typ="safe").load((MANIFESTS / "mitigations" / "vault-raft" / "external.yaml").read_text())
    services = [*(found for (found,) in OBJECTS.values()), third]
    ports = {port["nodePort"] for found in services for port in found.get("spec", {}).get("ports", []) if "nodePort" in port}
    config = YAML(typ="safe").load((Path(__file__).parents[3] / "kind-config.yaml").read_text())
    mapped = [mapping for node in config["nodes"] for mapping in node.get("extraPortMappings", [])]
    assert ports == {mapping["containerPort"] for mapping in mapped}
    assert {mapping["listenAddress"] for mapping in mapped} == {"127.0.0.1"}
    assert {mapping["hostPort"] for mapping in mapped} < set(PORTS)


def test_the_neighbours_ports_are_those_of_its_file():
    config = YAML(typ="safe").load((Path(__file__).parents[3] / neighbour.CONFIG).read_text())
    mapped = [mapping["hostPort"] for node in config["nodes"] for mapping in node.get("extraPortMappings", [])]
    assert {config["networking"]["apiServerPort"], *mapped} == set(neighbour.PORTS)


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


@pytest.mark.parametrize("name", ["vault.yaml", "balancer.yaml", "canary.yaml"])
def test_what_seals_itself_or_goes_stale_is_not_started_again_for_it(name):
    assert not [c["name"] for c in PODS[name]["containers"] if "livenessProbe" in c]


def test_a_sealed_vault_can_be_reached_to_be_unsealed():
    for number in (0, 1):
        spec = OBJECTS[f"vault-{number}-external.yaml"][0]["spec"]
        assert spec["publishNotReadyAddresses"] is True
        assert spec["selector"] == {"statefulset.kubernetes.io/pod-name": f"vault-{number}"}
    assert "tcpSocket" in PODS["vault.yaml"]["containers"][0]["readinessProbe"]


def test_the_generator_may_signal_the_balancer():
    pod = PODS["balancer.yaml"]
    assert pod["shareProcessNamespace"] is True
    assert pod["securityContext"] == {"runAsUser": 0}


def test_every_farm_is_rendered_run_and_reloaded_by_one_name():
    config = OBJECTS["balancer-config.yaml"][0]["data"]
    farms = {name.removesuffix(".cfg.ctmpl") for name in config if name.endswith(".ctmpl")}
    run = {c["command"][-1] for c in PODS["balancer.yaml"]["containers"] if c["image"].startswith("haproxy")}
    assert farms == run == {"users", "canaries"}
    for farm in farms:
        for text in (f"{farm}.cfg.ctmpl", f"/run/balancer/{farm}.cfg", f"reload.sh {farm}"):
            assert text in config["consul-template.hcl"]


def test_no_object_holds_a_secret():
    assert {found["kind"] for (found,) in OBJECTS.values()}.isdisjoint({"Secret"})


def test_each_vault_asks_one_consul_server_by_its_address():
    env = {one["name"]: one.get("value", "") for one in PODS["vault.yaml"]["containers"][0]["env"]}
    for n in range(OBJECTS["vault.yaml"][0]["spec"]["replicas"]):
        spec = OBJECTS[f"consul-address-{n}.yaml"][0]["spec"]
        assert env["CONSUL_HTTP_ADDR"].replace("$(NUMBER)", str(n)) == f"{spec['clusterIP']}:8500"
        assert 8500 in [port["port"] for port in spec["ports"]]


COMPONENTS = [path.parent for path in sorted(MANIFESTS.glob("*/*/kustomization.yaml"))]


def listed(component):
    return YAML(typ="safe").load((component / "kustomization.yaml").read_text())


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda folder: folder.name)
def test_a_component_names_every_file_of_its_own_and_patches_what_is_there(component):
    found = listed(component)
    assert found["kind"] == "Component"
    generated = [file for each in found.get("configMapGenerator", []) for file in each["files"]]
    named = [*found.get("resources", []), *(patch["path"] for patch in found["patches"]), *generated]
    assert sorted(named) == sorted(path.name for path in component.iterdir() if path.name != "kustomization.yaml")
    there = {(objects[0]["kind"], objects[0]["metadata"]["name"]) for objects in OBJECTS.values()}
    for patch in found["patches"]:
        content = YAML(typ="safe").load((component / patch["path"]).read_text())
        target = patch.get("target") or {"kind": content["kind"], "name": content["metadata"]["name"]}
        assert (target["kind"], target["name"]) in there


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*/*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_container_that_a_json_patch_names_by_its_place_is_the_agent_s(path):
    steps = YAML(typ="safe").load(path.read_text())
    if not isinstance(steps, list):
        pytest.skip("no JSON patch")
    manifest = "consul.yaml" if path.name == "servers.yaml" else "app.yaml"
    place = int(steps[0]["path"].split("/")[5])
    assert steps[0] == {"op": "test", "path": f"/spec/template/spec/containers/{place}/name", "value": "consul"}
    assert PODS[manifest]["containers"][place]["name"] == "consul"
    assert {step["path"].split("/")[5] for step in steps if "/containers/" in step["path"]} == {str(place)}


def test_the_secret_of_this_tree_holds_no_key():
    secret = YAML(typ="safe").load((MANIFESTS / "mitigations" / "gossip-encryption" / "secret.yaml").read_text())
    assert {name: base64.b64decode(text) for name, text in secret["data"].items()} == {arms.SECRET_FILE: b"{}"}
    assert secret["metadata"]["name"] == arms.SECRET


def test_rsyslog_stands_in_the_logger_s_place_and_nothing_but_the_program_differs():
    pods = YAML(typ="safe").load((MANIFESTS / "factors" / "rsyslog" / "pods.yaml").read_text())
    (sidecar,) = pods["spec"]["template"]["spec"]["containers"]
    logger = next(each for each in PODS["app.yaml"]["containers"] if each["name"] == sidecar["name"] == "logger")
    assert set(sidecar) == {"name", "image", "command", "env"}
    env = {each["name"]: each.get("value", "") for each in [*logger["env"], *sidecar["env"]]}
    assert {"KAFKA", "POD_NAME", "NODE_NAME", "LOG_FILE", "WORK"} <= set(env)
    mounts = [each["mountPath"] for each in logger["volumeMounts"]]
    assert env["WORK"].startswith(f"{mounts[0]}/")
    assert env["LOG_FILE"] == f"{mounts[0]}/app.log"
    assert "/var/lib/cascade-lab/tally" in mounts  # what ship.sh takes for the tallies' folder


def test_a_collector_tails_what_the_runtime_stores_of_the_app_and_nothing_of_it_reaches_the_api():
    folder = MANIFESTS / "factors" / "rsyslog-daemonset"
    collector = YAML(typ="safe").load((folder / "collector.yaml").read_text())
    pod = collector["spec"]["template"]["spec"]
    (rsyslog,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is pod["enableServiceLinks"] is False
    assert pod["nodeSelector"] == PODS["app.yaml"]["nodeSelector"]
    env = {each["name"]: each.get("value", "") for each in rsyslog["env"]}
    deployment = OBJECTS["app.yaml"][0]["metadata"]
    assert (
        env["LOG_FILE"]
        == f"/var/log/pods/{deployment['namespace']}_{deployment['name']}-*/{PODS['app.yaml']['containers'][0]['name']}/*.log"
    )
    mounts = {each["mountPath"]: each["name"] for each in rsyslog["volumeMounts"]}
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert volumes[mounts["/var/log/pods"]]["hostPath"]["path"] == "/var/log/pods"
    assert env["WORK"] in mounts
    tally = next(each for each in PODS["app.yaml"]["volumes"] if each["name"] == "tally")
    assert volumes[mounts["/var/lib/cascade-lab/tally"]]["hostPath"] == tally["hostPath"]
    assert collector["metadata"]["name"] == reset.COLLECTOR == collector["spec"]["template"]["metadata"]["labels"][reset.NAME_LABEL]


def test_where_a_collector_ships_the_app_writes_to_stdout_and_has_no_logger():
    pods = YAML(typ="safe").load((MANIFESTS / "factors" / "rsyslog-daemonset" / "pods.yaml").read_text())
    app, logger = pods["spec"]["template"]["spec"]["containers"]
    assert (logger["name"], logger["$patch"]) == ("logger", "delete")
    assert app["command"] == ["python3", "-S", f"{app['volumeMounts'][0]['mountPath']}/to_stdout.py"]


def test_without_kafka_nothing_ships_and_the_app_logs_nothing():
    pods = YAML(typ="safe").load((MANIFESTS / "factors" / "no-kafka" / "pods.yaml").read_text())
    containers = {each["name"]: each for each in pods["spec"]["template"]["spec"]["containers"]}
    assert {name for name, each in containers.items() if each.get("$patch") == "delete"} == {"logger", "metrics"}
    assert containers["app"]["env"] == [{"name": "LINES_PER_REQUEST", "value": "0"}]
    users = {each["name"] for each in PODS["app.yaml"]["containers"] if any(env["name"] == "KAFKA" for env in each["env"])}
    assert users == {"logger", "metrics"}
