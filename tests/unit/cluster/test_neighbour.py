"""The second cluster: its ranges and routes, its objects, when its agents are where they belong, and that nothing of it stays."""

import ipaddress
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from ruamel.yaml import YAML

from lab.adapters.consul import NEIGHBOURS_PORT
from lab.adapters.docker import CLUSTER, NEIGHBOUR
from lab.cli import compose
from lab.cluster import kind, leftovers, neighbour
from lab.cluster.shape import Plan, read_nodes
from lab.cluster.world import KindWorld
from lab.core import paths
from lab.core.errors import Aborted, Unavailable
from lab.core.neighbour import Neighbour
from tests.fakes import FakeClock, FakeProgress

CONFIG = YAML(typ="safe").load((paths.project() / neighbour.CONFIG).read_text())
FIRST = read_nodes(paths.project() / neighbour.FIRST_CONFIG)
KUBECTL = shutil.which("kubectl", path=str(paths.cache() / "bin")) or shutil.which("kubectl")


class Engine:
    """Holds nodes by cluster, keeps what was run in them, and forgets a cluster that kind deletes."""

    def __init__(self, *here):
        self.clusters = {CLUSTER: [node.name for node in FIRST], NEIGHBOUR: [neighbour.CONTROL, neighbour.APP]}
        self.clusters = {name: nodes for name, nodes in self.clusters.items() if name in here}
        self.ran = {}
        self.uncapped = []
        self.network = True
        self.dead = False

    def nodes(self, cluster=CLUSTER):
        return [SimpleNamespace(name=name, id=f"id-{name}", state="running") for name in self.clusters.get(cluster, [])]

    def strangers(self, cluster=CLUSTER):
        return []

    def ensure_network(self, subnet):
        self.network = True

    def remove_network(self):
        assert not self.clusters, "a network with nodes on it cannot be removed"
        self.network = False

    def addresses(self, cluster=CLUSTER):
        part = 10 if cluster == NEIGHBOUR else 1
        return {name: f"198.18.1.{part + place}" for place, name in enumerate(self.clusters[cluster])}

    def cap(self, name, cores):
        self.uncapped += [name] if cores == 0 else []

    def run_checked(self, node, argv, *, timeout_s):
        if self.dead:
            raise Unavailable("run", "timed out")
        self.ran.setdefault(node, []).extend(argv[-1].splitlines())

    def leftovers(self):
        return [f"container {name}" for nodes in self.clusters.values() for name in nodes]


@pytest.fixture
def engine(monkeypatch, tmp_path):
    engine = Engine(CLUSTER, NEIGHBOUR)

    def run(argv, **_):
        engine.sent.append(argv[1:3])
        if argv[1:3] == ["delete", "cluster"]:
            del engine.clusters[argv[argv.index("--name") + 1]]
        if argv[1:3] == ["create", "cluster"]:
            engine.clusters[NEIGHBOUR] = [neighbour.CONTROL]
            raise Aborted("run kind", "exit 1")

    engine.sent = []
    monkeypatch.setattr(kind, "kind", lambda: "kind")
    monkeypatch.setattr(kind, "shell", SimpleNamespace(run=run))
    monkeypatch.setattr(kind, "host", SimpleNamespace(thaw=lambda _: 0))
    monkeypatch.setattr(paths, "NEIGHBOUR_KUBECONFIG", tmp_path / "kubeconfig")
    return engine


def test_its_ranges_are_the_labs_and_nobody_elses():
    taken = [CONFIG["networking"][name] for name in ("podSubnet", "serviceSubnet")]
    taken += [
        YAML(typ="safe").load((paths.project() / "kind-config.yaml").read_text())["networking"][name]
        for name in ("podSubnet", "serviceSubnet")
    ]
    ranges = [ipaddress.ip_network(each) for each in [*taken, "198.18.1.0/24"]]
    assert all(each.subnet_of(ipaddress.ip_network("198.18.0.0/15")) for each in ranges)
    assert not [(one, other) for place, one in enumerate(ranges) for other in ranges[place + 1 :] if one.overlaps(other)]


def test_its_nodes_are_images_that_are_there_and_its_agents_answer_on_the_host():
    assert CONFIG["name"] == NEIGHBOUR
    assert {node["image"] for node in CONFIG["nodes"]} <= {node.image for node in FIRST}
    (mapped,) = [mapping for node in CONFIG["nodes"] for mapping in node.get("extraPortMappings", [])]
    assert (mapped["listenAddress"], mapped["hostPort"]) == ("127.0.0.1", NEIGHBOURS_PORT)


def test_each_cluster_routes_to_the_pods_of_the_other_and_the_neighbour_to_the_first_ones_services(engine):
    neighbour.connect(engine, FIRST)
    far, near = engine.addresses(), engine.addresses(NEIGHBOUR)
    for node in FIRST:
        assert f"ip route replace 198.19.129.0/24 via {near[neighbour.APP]}" in engine.ran[node.name]
    for node in (neighbour.CONTROL, neighbour.APP):
        assert f"ip route replace 198.19.1.0/24 via {far['cascade-lab-worker']}" in engine.ran[node]
        assert f"ip route replace 198.19.6.0/24 via {far['cascade-lab-worker6']}" in engine.ran[node]
        assert f"ip route replace 198.19.192.0/20 via {far['cascade-lab-worker']}" in engine.ran[node], "the core node serves them"


def test_removed_it_leaves_no_node_no_route_and_no_file(engine):
    paths.NEIGHBOUR_KUBECONFIG.touch()
    neighbour.remove(FakeProgress(), engine, FIRST, {})
    assert list(engine.clusters) == [CLUSTER]
    assert set(engine.uncapped) == {neighbour.CONTROL, neighbour.APP}
    assert engine.ran == {node.name: [f"ip route del 198.19.{part}.0/24 2>/dev/null || true" for part in (128, 129)] for node in FIRST}
    assert not paths.NEIGHBOUR_KUBECONFIG.exists()


def test_it_is_removed_where_the_first_cluster_does_not_answer_too(engine):
    engine.dead = True
    neighbour.remove(FakeProgress(), engine, FIRST, {})
    assert NEIGHBOUR not in engine.clusters


def test_down_removes_both_clusters_before_their_network(engine):
    kind.delete(engine, {})
    assert (engine.clusters, engine.network) == ({}, False)


def test_one_that_kind_could_not_make_is_removed_and_the_first_cluster_stays(engine):
    del engine.clusters[NEIGHBOUR]
    with pytest.raises(Aborted):
        neighbour.make(FakeProgress(), engine, FIRST, {})
    assert list(engine.clusters) == [CLUSTER]
    assert engine.network


@pytest.fixture
def orphan(engine, monkeypatch):
    """A `kind create` that has made no node yet, and whose lab was killed."""
    del engine.clusters[NEIGHBOUR]
    monkeypatch.setitem(kind.KUBECONFIGS, NEIGHBOUR, paths.NEIGHBOUR_KUBECONFIG)
    words = ["sh", "-c", "echo; read x; :", "kind", "create", "cluster", "--kubeconfig", str(paths.NEIGHBOUR_KUBECONFIG)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it runs: until then the kernel may show it without its words
        yield process
        process.kill()


def test_one_whose_making_goes_on_without_its_run_is_ended_before_it_has_a_node(engine, orphan):
    world = KindWorld(engine, FakeClock(), FIRST)
    assert world.dismiss_neighbour(FakeProgress(), dict)
    assert not psutil.pid_exists(orphan.pid)
    assert not world.dismiss_neighbour(FakeProgress(), dict)


@pytest.mark.parametrize(
    ("here", "alive", "clusters", "left"),
    [
        ((CLUSTER,), False, [CLUSTER], []),
        ((CLUSTER, NEIGHBOUR), True, [CLUSTER, NEIGHBOUR], []),
        ((CLUSTER, NEIGHBOUR), False, [CLUSTER], [f"container {neighbour.CONTROL}", f"container {neighbour.APP}"]),
        ((NEIGHBOUR,), False, [], [f"container {neighbour.CONTROL}", f"container {neighbour.APP}"]),
    ],
)
def test_it_belongs_to_a_living_run_and_without_one_it_is_left_over(monkeypatch, tmp_path, here, alive, clusters, left):
    monkeypatch.setattr(paths, "STATE", tmp_path / "none")
    monkeypatch.setattr(paths, "LEDGER", tmp_path / "ledger.jsonl")
    monkeypatch.setattr(leftovers, "processes", list)
    monkeypatch.setattr(leftovers.host, "has_blackhole", lambda: False)
    found = leftovers.status(Engine(*here), alive)
    assert (list(found.clusters), list(found.leftovers)) == (clusters, left)


def test_its_app_node_is_capped_where_there_is_one(engine):
    capped = {}
    engine.cap = capped.__setitem__
    world = KindWorld(engine, FakeClock(), FIRST)
    world.cap(Plan(0.2, 0.4, 5))
    assert neighbour.APP not in capped
    world.cap(Plan(0.2, 0.4, 5, neighbour_cap_cores=0.3))
    assert (capped[neighbour.APP], capped["cascade-lab-worker"], neighbour.CONTROL in capped) == (0.3, 0.4, False)


class Pool:
    """Members, and a leader."""

    def __init__(self, alive, leader="198.19.1.2:8300"):
        self._alive = alive.split()
        self._leader = leader

    def members(self):
        return {**dict.fromkeys(self._alive, "alive"), "neighbour-app-0": "left"}

    def leader(self):
        return self._leader


SERVERS, AGENTS = "consul-0 consul-1 consul-2", "neighbour-app-1 neighbour-app-2"


@pytest.mark.parametrize(
    ("pool", "own", "first"),
    [
        ("shared", Pool(f"{SERVERS} app-1 {AGENTS}"), Pool(f"{SERVERS} app-1 {AGENTS}")),
        ("own", Pool(f"neighbour-consul-1 {AGENTS}"), Pool(f"{SERVERS} app-1")),
    ],
)
def test_its_agents_are_awaited_in_the_pool_that_was_asked_for(pool, own, first):
    clock = FakeClock()
    neighbour.await_members(FakeProgress(), clock, Neighbour(pods=2, pool=pool), own, first)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("pool", "own", "first", "said"),
    [
        ("shared", Pool(f"{SERVERS} neighbour-app-1"), Pool(f"{SERVERS} neighbour-app-1"), "see 1 of 2 of themselves and 3 others"),
        ("shared", Pool(f"{SERVERS} {AGENTS}"), Pool(SERVERS), "the first cluster sees 0 of them"),
        ("shared", Pool(AGENTS), Pool(f"{SERVERS} {AGENTS}"), "and 0 others"),
        ("shared", Pool(f"{SERVERS} {AGENTS}", ""), Pool(f"{SERVERS} {AGENTS}"), "know no leader"),
        ("own", Pool(f"{SERVERS} neighbour-consul-1 {AGENTS}"), Pool(f"{SERVERS} {AGENTS}"), "and 3 others; the first cluster sees 2"),
    ],
)
def test_elsewhere_they_are_not_taken_for_there(pool, own, first, said):
    with pytest.raises(Aborted, match=said):
        neighbour.await_members(FakeProgress(), FakeClock(), Neighbour(pods=2, pool=pool), own, first)


class World:
    """Keeps what it is asked to do."""

    def __init__(self):
        self.did = []
        self.clock = FakeClock()

    def __getattr__(self, name):
        return lambda *_: self.did.append(name)


@pytest.mark.parametrize(
    ("beside", "did"),
    [
        (Neighbour(), ["dismiss_neighbour", "fresh"]),
        (Neighbour(pods=5), ["dismiss_neighbour", "uncap", "make_neighbour", "fresh", "join_neighbour"]),
    ],
)
def test_it_is_made_before_the_fresh_pool_and_joins_it_after_and_one_of_before_is_gone_by_then(monkeypatch, beside, did):
    world = World()
    monkeypatch.setattr(compose.reset, "worn", lambda *_: "")
    monkeypatch.setattr(compose.reset, "fresh", lambda *_: world.did.append("fresh"))
    compose.fresh_cluster(FakeProgress(), compose.Doors(world, lambda: None), 5, compose.Arm(), beside)
    assert world.did == did


def rendered(wanted: Neighbour, folder: Path) -> dict[tuple[str, str], dict]:
    """Every object of the neighbour, by kind and name."""
    text = json.dumps(neighbour.kustomization(wanted, "1.2.3", paths.project() / "manifests", folder))
    (folder / "kustomization.yaml").write_text(text)
    ran = subprocess.run([str(KUBECTL), "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return {(found["kind"], found["metadata"]["name"]): found for found in YAML(typ="safe").load_all(ran.stdout)}


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl here: lab images ensure builds one")
@pytest.mark.parametrize("pool", ["shared", "own"])
def test_its_pods_are_an_app_and_an_agent_whose_names_and_service_are_their_own(pool, tmp_path):
    objects = rendered(Neighbour(pods=4, pool=pool), tmp_path)
    app = objects["Deployment", "neighbour-app"]["spec"]
    containers = {each["name"]: each for each in app["template"]["spec"]["containers"]}
    assert (app["replicas"], set(containers), containers["consul"]["image"]) == (4, {"app", "consul"}, "consul:1.2.3")
    agent = containers["consul"]["command"]
    assert 'name = "neighbour"' in agent[-1], "the first cluster's balancer sends users to `app`"
    assert [word for word in agent if "retry-join" in word] == ["-retry-join=$(JOIN)"]
    joins = {each["name"]: each.get("value") for each in containers["consul"]["env"]}["JOIN"]
    servers = [found["spec"]["clusterIP"] for (what, name), found in objects.items() if (what, name) == ("Service", "neighbour-consul")]
    assert (f"{servers[0]}:8301" if servers else "198.19.192.20:8301") == joins
    assert bool(servers) == (pool == "own") == (("Deployment", "neighbour-consul") in objects)
    assert (
        objects["Service", "neighbour-agent"]["spec"]["ports"][0]["nodePort"] == CONFIG["nodes"][1]["extraPortMappings"][0]["containerPort"]
    )


def test_its_agent_is_the_lab_s_own_but_for_whom_it_joins_and_what_it_offers():
    def agent(file: str) -> list[str]:
        pod = YAML(typ="safe").load((paths.project() / "manifests" / file).read_text())["spec"]["template"]["spec"]
        command = next(each["command"] for each in pod["containers"] if each["name"] == "consul")
        return [word for word in command if not word.startswith(("-retry-join=", "-hcl=service"))]

    assert agent("neighbour/pods.yaml") == agent("workload/app.yaml")
