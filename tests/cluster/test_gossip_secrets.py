"""The key of the pool's gossip: in a file of its own, used by every agent, and in nothing that a real run shows, writes or starts."""

import json
import stat
from collections.abc import Callable

import pytest

from lab.adapters.docker import Docker
from lab.adapters.kube import NAMESPACE, Kube
from lab.cluster import arms
from lab.cluster.gossip_key import FOLDER
from lab.cluster.world import open_world
from tests.cluster.watched import WatchedRun, watched

pytestmark = pytest.mark.cluster

SHORT = ("workload.pods=2", "steady_s=10", "outage_s=5", "flood_s=5", "recovery_s=10", "metastable_after_s=5", "consul.encryption=on")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, up: Callable[[], None]) -> WatchedRun:
    """A short baseline whose gossip is encrypted."""
    up()
    return watched("baseline", tmp_path_factory.mktemp("guarded") / "run", *SHORT)


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
