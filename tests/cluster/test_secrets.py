"""What opens the lab's Vault: it is in one file, in nothing that a real run shows, writes or starts, and it opens Vault again after a restart."""

import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.adapters.clock import SystemClock
from lab.adapters.docker import Docker
from lab.adapters.kube import NAMESPACE, Kube
from lab.adapters.vault import PORTS, Vault
from lab.cluster.world import open_world
from lab.core import paths
from lab.core.errors import Unavailable
from lab.core.secrets import VaultKeys
from tests.cluster.command import LAB, lab, verdict

pytestmark = pytest.mark.cluster

SHORT = ["--set", "workload.pods=5", "--set", "steady_s=20", "--set", "outage_s=5", "--set", "flood_s=5", "--set", "recovery_s=10"]
SHORT += ["--set", "metastable_after_s=5", "--set", "workload.through=balancer"]
RUN_S_MAX = 900.0


def secrets() -> list[bytes]:
    """In the clear: here and nowhere else."""
    keys = VaultKeys.recall(paths.VAULT_KEYS)
    assert keys is not None
    assert keys.deployer is not None
    hidden = [keys.unseal_key, keys.root_token, keys.deployer.role_id, keys.deployer.secret_id]
    return [secret.get_secret_value().encode() for secret in hidden]


@pytest.fixture(scope="module", autouse=True)
def after() -> Iterator[None]:
    """Whatever fails, the machine is left without the lab."""
    yield
    lab("down")


def found_in(text: bytes) -> bool:
    return any(secret in text for secret in secrets())


def processes() -> Iterator[bytes]:
    """Command lines and environments of all processes of this machine, those in containers too."""
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            for file in ("cmdline", "environ"):
                try:
                    yield (process / file).read_bytes()
                except OSError:
                    continue  # it has ended


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, up: Callable[[], None]) -> tuple[Path, bytes, bool]:
    """A short run: its folder, what it said, and whether a secret was ever in the process list while it lasted."""
    up()
    folder = tmp_path_factory.mktemp("secrets") / "run"
    said = folder.parent / "said"
    clock, seen = SystemClock(), False
    with said.open("wb") as sink:
        running = subprocess.Popen([*LAB, "run", "baseline", "--out", str(folder), *SHORT], stdout=sink, stderr=subprocess.STDOUT)
        end_s = clock.now_s() + RUN_S_MAX
        while running.poll() is None:
            assert clock.now_s() < end_s
            seen = seen or (paths.VAULT_KEYS.exists() and any(found_in(text) for text in processes()))
            clock.sleep(0.5)
    return folder, said.read_bytes(), seen


def test_the_keys_are_in_one_file_for_the_owner_alone(run: tuple[Path, bytes, bool]) -> None:
    assert stat.S_IMODE(paths.VAULT_KEYS.stat().st_mode) == 0o600
    others = [leaf for leaf in paths.STATE.rglob("*") if leaf.is_file() and leaf != paths.VAULT_KEYS]
    assert [leaf for leaf in others if found_in(leaf.read_bytes())] == []


def test_no_file_of_a_run_holds_one(run: tuple[Path, bytes, bool]) -> None:
    folder, said, _ = run
    assert {"history.jsonl", "verdict.json", "report.html", "experiment.json"} <= {leaf.name for leaf in folder.iterdir()}
    assert [leaf.name for leaf in folder.iterdir() if found_in(leaf.read_bytes())] == []
    assert not found_in(said)


def test_the_run_has_used_them(run: tuple[Path, bytes, bool]) -> None:
    """Else the other tests would look for what was not there."""
    lines = [json.loads(line) for line in (run[0] / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    logins = [line for line in lines if line.get("series") == "vault_login_ms" and line["value"] is not None]
    deploys = [line for line in lines if line.get("series") == "deploy_ms" and line["value"] is not None]
    assert len(logins) > 3
    assert len(deploys) > 3


def test_no_process_ever_showed_one(run: tuple[Path, bytes, bool]) -> None:
    assert run[2] is False


def test_no_command_of_the_lab_says_one(run: tuple[Path, bytes, bool]) -> None:
    for command in (["status"], ["status", "--json"], ["up"], ["judge", str(run[0])]):
        assert not found_in(lab(*command).text.encode()), command


def test_neither_the_cluster_nor_the_engine_holds_one(run: tuple[Path, bytes, bool]) -> None:
    kube, docker = Kube(), Docker()
    kinds = ("pods", "configmaps", "secrets", "services", "events")
    listed = [json.dumps(kube.get(f"/api/v1/namespaces/{NAMESPACE}/{kind}")) for kind in kinds]
    inspected = [json.dumps(docker.inspect(node.name)) for node in docker.nodes()]
    kube.close()
    assert not any(found_in(text.encode()) for text in (*listed, *inspected))


def test_no_log_of_a_pod_of_the_core_holds_one(run: tuple[Path, bytes, bool]) -> None:
    world = open_world()
    logs = world.docker.run_checked(world.core, ["sh", "-c", f"cat /var/log/pods/{NAMESPACE}_*/*/*.log"], timeout_s=60)
    assert "Vault server started" in logs
    assert not found_in(logs.encode())


def test_users_were_served_through_the_balancer(run: tuple[Path, bytes, bool]) -> None:
    asked = dict(verdict(run[0])["requests"])  # type: ignore[call-overload]
    assert asked["n"] > 100
    assert asked["failed"] <= 0.01 * asked["n"]


def codes() -> list[int]:
    """Status of each instance's health; 0 while it does not answer."""
    found = []
    for number in range(len(PORTS)):
        try:
            found.append(Vault(number).health().status)
        except Unavailable:
            found.append(0)
    return found


def test_instances_that_were_killed_come_back_sealed_and_up_unseals_them(run: tuple[Path, bytes, bool]) -> None:
    assert sorted(codes()) == [200, 429]
    world, clock = open_world(), SystemClock()
    world.docker.run_checked(world.core, ["pkill", "-KILL", "-x", "vault"], timeout_s=10)
    end_s = clock.now_s() + 120
    while codes() != [503, 503]:
        assert clock.now_s() < end_s, codes()
        clock.sleep(1)
    assert lab("up").code == 0
    assert sorted(codes()) == [200, 429]
