"""What opens the lab's Vault: it is in one file, in nothing that a real run shows, writes or starts, and it opens Vault again after a restart."""

import json
import stat

import pytest

from lab.adapters.clock import SystemClock
from lab.adapters.docker import Docker
from lab.adapters.kube import NAMESPACE, Kube
from lab.adapters.vault import Vault
from lab.cluster.gossip_key import FOLDER
from lab.cluster.world import open_world
from lab.core import paths
from lab.core.errors import Unavailable
from lab.core.vault import DEFAULT_STORAGE, INSTANCES
from tests.cluster.command import lab, verdict
from tests.cluster.watched import WatchedRun

pytestmark = pytest.mark.cluster


def test_the_keys_are_in_one_file_for_the_owner_alone(baseline: WatchedRun) -> None:
    assert stat.S_IMODE(paths.VAULT_KEYS.stat().st_mode) == 0o600
    others = [leaf for leaf in paths.STATE.rglob("*") if leaf.is_file() and leaf != paths.VAULT_KEYS and leaf.parent != FOLDER]
    assert [leaf for leaf in others if baseline.found_in(leaf.read_bytes())] == []


def test_no_file_of_a_run_holds_one(baseline: WatchedRun) -> None:
    folder = baseline.folder
    assert {"history.jsonl", "verdict.json", "report.html", "experiment.json"} <= {leaf.name for leaf in folder.iterdir()}
    assert [leaf.name for leaf in folder.iterdir() if baseline.found_in(leaf.read_bytes())] == []
    assert not baseline.found_in(baseline.said)


def test_the_run_has_used_them(baseline: WatchedRun) -> None:
    """Else the other tests would look for what was not there."""
    lines = [json.loads(line) for line in (baseline.folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    logins = [line for line in lines if line.get("series") == "vault_login_ms" and line["value"] is not None]
    deploys = [line for line in lines if line.get("series") == "deploy_ms" and line["value"] is not None]
    assert len(baseline.secrets) >= 4
    assert len(logins) > 3
    assert len(deploys) > 3


def test_no_process_ever_showed_one(baseline: WatchedRun) -> None:
    assert baseline.shown is False


def test_no_command_of_the_lab_says_one(baseline: WatchedRun) -> None:
    for command in (["status"], ["status", "--json"], ["up"], ["judge", str(baseline.folder)]):
        assert not baseline.found_in(lab(*command).text.encode()), command


def test_neither_the_cluster_nor_the_engine_holds_one(baseline: WatchedRun) -> None:
    kube, docker = Kube(), Docker()
    kinds = ("pods", "configmaps", "secrets", "services", "events")
    listed = [json.dumps(kube.get(f"/api/v1/namespaces/{NAMESPACE}/{kind}")) for kind in kinds]
    inspected = [json.dumps(docker.inspect(node.name)) for node in docker.nodes()]
    kube.close()
    assert not any(baseline.found_in(text.encode()) for text in (*listed, *inspected))


def test_no_log_of_a_pod_of_the_core_holds_one(baseline: WatchedRun) -> None:
    world = open_world()
    logs = world.docker.run_checked(world.core, ["sh", "-c", f"cat /var/log/pods/{NAMESPACE}_*/*/*.log"], timeout_s=60)
    assert "Vault server started" in logs
    assert not baseline.found_in(logs.encode())


def test_users_were_served_through_the_balancer(baseline: WatchedRun) -> None:
    asked = dict(verdict(baseline.folder)["requests"])  # type: ignore[call-overload]
    assert asked["n"] > 100
    assert asked["failed"] <= 0.01 * asked["n"]


def codes() -> list[int]:
    """Status of each instance's health; 0 while it does not answer."""
    found = []
    for number in range(INSTANCES[DEFAULT_STORAGE]):
        try:
            found.append(Vault(number).health().status)
        except Unavailable:
            found.append(0)
    return found


def test_instances_that_were_killed_come_back_sealed_and_up_unseals_them(baseline: WatchedRun) -> None:
    assert sorted(codes()) == [200, 429]
    world, clock = open_world(), SystemClock()
    world.docker.run_checked(world.core, ["pkill", "-KILL", "-x", "vault"], timeout_s=10)
    end_s = clock.now_s() + 120
    while codes() != [503, 503]:
        assert clock.now_s() < end_s, codes()
        clock.sleep(1)
    assert lab("up").code == 0
    assert sorted(codes()) == [200, 429]
