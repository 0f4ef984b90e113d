"""A platform with three remedies: its gossip has a key, its Vault has storage of its own, and its pods have what a component of the user's own adds.

The key is in a file of its own, used by every agent, and in nothing that a real run shows, writes or starts. Vault asks Consul for nothing.
"""

import json
import stat
from collections.abc import Callable

import pytest

from lab.adapters.clock import SystemClock
from lab.adapters.consul import Consul
from lab.adapters.docker import Docker
from lab.adapters.kube import NAMESPACE, Kube, Object
from lab.adapters.vault import Vault
from lab.cluster import arms, reset
from lab.cluster.gossip_key import FOLDER
from lab.cluster.world import KindWorld, open_world
from lab.core import paths
from lab.core.errors import LabError, Unavailable
from lab.core.secrets import VaultKeys
from lab.core.vault import ACTIVE, INSTANCES
from tests.cluster.watched import WatchedRun, watched

pytestmark = pytest.mark.cluster

SHORT = ("workload.pods=2", "steady_s=10", "outage_s=5", "flood_s=5", "recovery_s=10", "metastable_after_s=5")
REMEDIES = ("consul.encryption=on", "vault.storage=raft")
SERVERS = ("pkill", "-f", "^consul agent .*server[.]hcl")
COMPONENT = """apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
  - patch: '[{"op": "add", "path": "/spec/template/metadata/annotations", "value": {"remedy": "mine"}}]'
    target: {kind: Deployment, name: app}
"""
REDEPLOYED_WITHIN_S = 90.0
"""Chosen: two pods on uncapped nodes, the servers' restart, and a kubelet that takes up to 30 s to write their files."""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, up: Callable[[], None]) -> WatchedRun:
    """A short baseline with them."""
    up()
    mine = tmp_path_factory.mktemp("mine")
    (mine / "kustomization.yaml").write_text(COMPONENT, encoding="utf-8")
    return watched("baseline", tmp_path_factory.mktemp("guarded") / "run", *SHORT, *REMEDIES, f"components=[{mine}]")


def key() -> bytes:
    return (FOLDER / "gossip-1.key").read_bytes()


def test_the_key_is_in_a_file_for_the_owner_alone(guarded: WatchedRun) -> None:
    assert {stat.S_IMODE(file.stat().st_mode) for file in FOLDER.iterdir()} == {0o600}
    assert key() in guarded.secrets


def test_the_pool_was_whole_with_it(guarded: WatchedRun) -> None:
    """Else the other tests would look for what was not there."""
    lines = [json.loads(line) for line in (guarded.folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    alive = [line["value"] for line in lines if line.get("series") == "members_alive"]
    assert max(value for value in alive if value is not None) == 2 + 3
    kube = Kube()
    assert '"encryption": "on"' in arms.applied(kube)
    kube.close()


def test_every_pod_has_what_the_user_s_component_adds(guarded: WatchedRun) -> None:
    kube = Kube()
    pods = [pod for pod in kube.pods(reset.labelled("app")) if "deletionTimestamp" not in pod["metadata"]]
    kube.close()
    assert [pod["metadata"]["annotations"]["remedy"] for pod in pods] == ["mine"] * 2


def test_nothing_that_the_run_wrote_said_or_started_shows_it(guarded: WatchedRun) -> None:
    assert [leaf.name for leaf in guarded.folder.iterdir() if guarded.found_in(leaf.read_bytes())] == []
    assert not guarded.found_in(guarded.said)
    assert guarded.shown is False


def test_neither_objects_nor_engine_nor_logs_show_it(guarded: WatchedRun) -> None:
    kube, docker, world = Kube(), Docker(), open_world()
    listed = [json.dumps(kube.get(f"/api/v1/namespaces/{NAMESPACE}/{kind}")) for kind in ("pods", "configmaps", "events")]
    kube.close()
    inspected = [json.dumps(docker.inspect(node.name)) for node in docker.nodes()]
    logs = world.docker.run_checked(world.core, ["sh", "-c", f"cat /var/log/pods/{NAMESPACE}_*/*/*.log"], timeout_s=60)
    assert not any(guarded.found_in(text.encode()) for text in (*listed, *inspected, logs))


def test_three_vaults_stood_and_every_login_went_through(guarded: WatchedRun) -> None:
    lines = [json.loads(line) for line in (guarded.folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    last = {line["target"]: line["value"] for line in lines if line.get("series") == "vault_health_code"}
    assert sorted(last.values()) == [200, 429, 429]
    logins = [line["value"] for line in lines if line.get("series") == "vault_login_ms"]
    assert len(logins) > 3
    assert None not in logins


def test_a_vault_with_storage_of_its_own_does_not_need_consul(guarded: WatchedRun) -> None:
    """While all Consul servers stand still; one on Consul does not answer a login then."""
    world, keys = open_world(), VaultKeys.recall(paths.VAULT_KEYS)
    assert keys is not None
    assert keys.deployer is not None
    vault = next(one for one in (Vault(number) for number in range(INSTANCES["raft"])) if one.health().status == ACTIVE)
    freeze, thaw = ([SERVERS[0], signal, *SERVERS[1:]] for signal in ("-STOP", "-CONT"))
    try:
        world.docker.run_checked(world.core, freeze, timeout_s=10)
        with pytest.raises(Unavailable):
            Consul(timeout_s=2.0, keep=False).leader()
        vault.revoke(vault.login(keys.deployer))
        assert vault.health().status == ACTIVE
    finally:
        world.docker.run_checked(world.core, thaw, timeout_s=10)


def test_a_new_key_takes_the_place_of_the_old_one_in_the_middle(guarded: WatchedRun) -> None:
    """The last: what it leaves is made anew before the next run. With three servers and two agents under one key before and another after."""
    world, clock = open_world(), SystemClock()
    world.uncap()
    world.redeploy_agents("here", "new", 1.0, verify=True)
    give_up_s = clock.now_s() + REDEPLOYED_WITHIN_S
    while world.redeploy_under_way() or _alive() != 2 + 3:
        assert clock.now_s() < give_up_s, (world.redeployed(), _alive())
        clock.sleep(0.5)
    assert world.redeployed() == 2
    new = (FOLDER / "gossip-2.key").read_bytes()
    assert new != key()
    kube = Kube()
    living = [pod for name in ("app", "consul") for pod in kube.pods(reset.labelled(name)) if "deletionTimestamp" not in pod["metadata"]]
    kube.close()
    held = [_key_file(world, pod) for pod in living]
    assert len(held) == 2 + 3
    assert all(new.decode() in text and key().decode() not in text for text in held)


def _key_file(world: KindWorld, pod: Object) -> str:
    folder = f"/var/lib/kubelet/pods/{pod['metadata']['uid']}/volumes/kubernetes.io~secret/{arms.SECRET}"
    return world.docker.run_checked(pod["spec"]["nodeName"], ["cat", f"{folder}/{arms.SECRET_FILE}"], timeout_s=10)


def _alive() -> int:
    """Members that a server takes for alive; old agents whose farewell it could not read count until it has missed them."""
    try:
        return list(Consul(timeout_s=2.0, keep=False).members().values()).count("alive")
    except LabError:
        return 0
