"""The whole lab on the real stack: a killed bring-up, up, baseline, faults, a power cut, killed runners, cascade, down.

What baseline must not show is in test_vault_secrets.py, which runs right after it (conftest.py).

The tests of this file depend on one another and run in the order they stand in.
"""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lab.adapters.clock import SystemClock
from lab.adapters.consul import NEIGHBOURS_PORT, Consul
from lab.adapters.docker import Docker
from lab.adapters.kafka import Broker
from lab.cluster import arms, engine
from lab.cluster.bring_up import Kubes
from lab.cluster.world import open_world
from lab.core import paths
from lab.core.ledger import Ledger
from lab.core.neighbour import is_neighbour
from lab.faults.table import FAULTS
from lab.images import nodes
from lab.runner.heal import SEEN_WITHIN_S
from tests.cluster.command import LAB, lab, status, verdict
from tests.cluster.injurer import spec_of
from tests.cluster.machine import machine
from tests.cluster.watched import WatchedRun

pytestmark = pytest.mark.cluster

SMALL = ["--set", "workload.pods=2", "--set", "workload.flood_lines_per_s=300", "--set", "steady_s=10", "--set", "outage_s=8"]
SMALL += ["--set", "faults.0.heal_at_s=8", "--set", "flood_s=5", "--set", "recovery_s=15", "--set", "metastable_after_s=10"]
"""A cascade that is cheap to kill: it need not fall over, it only has to be in each of its phases."""

NODES = 7
PODS = 35
FAULT_SETTINGS: dict[str, dict[str, object]] = {
    "pause-broker": {},
    "flap-broker": {"away_s": 5, "back_s": 2},
    "partition-broker": {},
    "kill-agents": {"share": 0.5, "every_s": 10},
    "pause-agents": {"share": 0.5, "away_s": 12, "back_s": 4},
    "churn-pods": {"pods_low": 30, "pods_high": PODS, "half_period_s": 5},
    "stress-node": {"nodes": 2, "workers": 2},
    "redeploy-agents": {"key": "unchanged"},  # the last: it leaves the pods half replaced
}
CLOCK = SystemClock()
HEALED_WITHIN_S = 10.0
"""Promise of the lab: this long after the runner's death Kafka answers and no fault is open. What is done to the workload is healed within
`SEEN_WITHIN_S`: half of the agents killed on capped nodes start again at the same time, and an answer of a node then takes seconds."""


def test_after_a_killed_bring_up_down_leaves_nothing(before: dict[str, object]) -> None:
    """Killed together with its engine and the nodes that it had begun."""
    bring_up = subprocess.Popen([*LAB, "up"], stdout=subprocess.DEVNULL)
    try:
        give_up_s = CLOCK.now_s() + 3600  # on a new machine images are built first
        while _begun_nodes() < NODES and bring_up.poll() is None:
            assert CLOCK.now_s() < give_up_s
            CLOCK.sleep(0.2)
        assert bring_up.poll() is None
    finally:
        bring_up.kill()
        bring_up.wait()
    if engine.our_pid() is None:
        pytest.skip("the engine is not the lab's own")
    _kill_engine()
    assert lab("down").code == 0
    assert machine() == before
    assert status() == {"clusters": [], "open_faults": [], "leftovers": []}


def test_up_brings_everything_and_a_second_call_changes_nothing(before: dict[str, object], up: Callable[[], None]) -> None:
    assert before["state"] is False
    up()
    assert status() == {"clusters": ["cascade-lab"], "open_faults": [], "leftovers": []}
    again = lab("up", timeout_s=60)
    assert again.code == 0
    assert "was up already" in again.text
    with Kubes() as kube:
        assert arms.carries(kube, arms.FIRST)  # so that no run makes the core anew for nothing
    nodes.clean_work()  # a build of images begins with it, and the nodes are made from images that were containers once
    assert status() == {"clusters": ["cascade-lab"], "open_faults": [], "leftovers": []}


def test_baseline_fires_nothing_and_loses_no_line(baseline: WatchedRun) -> None:
    found = verdict(baseline.folder)
    assert baseline.code == 0, found["reasons"]
    assert {link["status"] for link in found["links"]} == {"quiet"}  # type: ignore[attr-defined]
    logs = dict(found["logs"])  # type: ignore[call-overload]
    assert logs["written"] == logs["delivered"] > 0


@pytest.mark.parametrize(("name", "settings"), FAULT_SETTINGS.items(), ids=FAULT_SETTINGS)
def test_a_fault_bites_and_is_healed_when_its_runner_is_killed(name: str, settings: dict[str, object], tmp_path: Path) -> None:
    """On the pods that baseline has left."""
    world = open_world()
    fault = FAULTS[name].from_record(spec_of(name, settings).settings())
    assert not fault.is_active(world)
    argv = [sys.executable, "-m", "tests.cluster.injurer", name, json.dumps(settings), str(tmp_path)]
    run = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert run.stdout is not None
        assert run.stdout.readline() == "injected\n"
        assert fault.is_active(world)
        assert [entry.fault for entry in Ledger(paths.LEDGER).open_entries()] == [name]
    finally:
        run.kill()
        run.communicate()
    killed_s = CLOCK.now_s()
    changes = [json.loads(line).get("change") for line in (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    assert changes == [None, "open", "injected", "witnessed"]
    while Ledger(paths.LEDGER).open_entries():
        assert CLOCK.now_s() - killed_s < (HEALED_WITHIN_S if fault.target == "broker" else SEEN_WITHIN_S)
        CLOCK.sleep(0.2)
    assert not fault.is_active(world)
    assert status()["open_faults"] == []


def test_after_a_killed_engine_up_makes_a_new_cluster(up: Callable[[], None]) -> None:
    """What a power cut leaves: containers that do not run, below an engine that does not either."""
    up()
    if engine.our_pid() is None:
        pytest.skip("the engine is not the lab's own")
    _kill_engine()
    left = status()
    assert left["clusters"] == []
    assert left["leftovers"]
    answer = lab("up", timeout_s=600)
    assert answer.code == 0, answer.text
    assert "removing the cluster that is there" in answer.text  # the engine starts some nodes again, without their routes
    assert status() == {"clusters": ["cascade-lab"], "open_faults": [], "leftovers": []}


@pytest.mark.parametrize("phase", ["steady", "outage", "flood", "recovery"])
def test_a_killed_runner_leaves_no_fault_open(phase: str, tmp_path: Path, up: Callable[[], None]) -> None:
    up()
    run = subprocess.Popen([*LAB, "run", "cascade", "--out", str(tmp_path / "run"), *SMALL], stdout=subprocess.DEVNULL)
    try:
        _await_phase(tmp_path / "run" / "history.jsonl", phase, run)
        second = lab("run", "baseline", "--out", str(tmp_path / "second"))
        assert second.code == 2
        assert str(run.pid) in second.text
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    killed_s = CLOCK.now_s()
    while (seen := status())["open_faults"] or seen["leftovers"]:
        assert CLOCK.now_s() - killed_s < HEALED_WITHIN_S, seen
    assert _kafka_answers()


def test_a_neighbour_is_in_the_pool_and_what_a_killed_run_leaves_of_it_is_healed(tmp_path: Path, up: Callable[[], None]) -> None:
    """What it does when the first cluster is hurt is left to `lab run shared-gossip`: that takes 6 minutes."""
    up()
    run = subprocess.Popen(
        [*LAB, "run", "cascade", "--out", str(tmp_path / "run"), *SMALL, "--set", "neighbour.pods=2"], stdout=subprocess.DEVNULL
    )
    try:
        _await_phase(tmp_path / "run" / "history.jsonl", "steady", run)
        assert status() == {"clusters": ["cascade-lab", "cascade-lab-neighbour"], "open_faults": [], "leftovers": []}
        alive = {name for name, state in Consul(NEIGHBOURS_PORT, keep=False).members().items() if state == "alive"}
        assert sum(is_neighbour(name) for name in alive) == 2
        assert len(alive) == 2 + 2 + 3  # the pods of the first cluster, and the servers
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    left = status()
    assert left["clusters"] == ["cascade-lab"]
    assert {"container cascade-lab-neighbour-control-plane", "container cascade-lab-neighbour-worker"} <= set(left["leftovers"])
    killed_s = CLOCK.now_s()
    assert lab("heal").code == 0
    while (seen := status())["leftovers"]:
        assert CLOCK.now_s() - killed_s < SEEN_WITHIN_S, seen
    assert seen == {"clusters": ["cascade-lab"], "open_faults": [], "leftovers": []}


def test_the_cascade_really_happens(tmp_path: Path, up: Callable[[], None]) -> None:
    """The lab promises four runs of five, so one of two must be as expected; the other's reasons are shown."""
    up()
    for run in (tmp_path / "run", tmp_path / "again"):
        answer = lab("run", "cascade", "--out", str(run))
        found = verdict(run)
        if answer.code == 0:
            break
    assert answer.code == 0, found["reasons"]
    assert dict(found["logs"])["unaccounted"] == 0  # type: ignore[call-overload]
    assert {path.name for path in run.iterdir()} >= {"experiment.json", "history.jsonl", "verdict.json", "report.html", "locust.csv"}
    assert lab("judge", str(run)).code == 0


def test_down_leaves_nothing(before: dict[str, object], up: Callable[[], None]) -> None:
    if not status()["clusters"]:  # the one that a cascade has worn goes as it is
        up()
    assert lab("down").code == 0
    assert machine() == before
    assert status() == {"clusters": [], "open_faults": [], "leftovers": []}


def _await_phase(history: Path, phase: str, run: subprocess.Popen[bytes]) -> None:
    """Until the phase has begun and, in an outage, the fault has bitten."""
    give_up_s = CLOCK.now_s() + 400
    wanted = ("fault", "change", "witnessed") if phase == "outage" else ("phase", "phase", phase)
    while CLOCK.now_s() < give_up_s and run.poll() is None:
        lines = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("}")]
        if any(event["kind"] == wanted[0] and event.get(wanted[1]) == wanted[2] for event in events):
            return
        CLOCK.sleep(0.5)
    pytest.fail(f"the run did not reach {phase}")


def _kill_engine() -> None:
    """SIGKILL to dockerd, its containerd and everything in the node containers, all at once as far as that goes."""
    mark = str(engine.RUN)
    with contextlib.closing(Docker()) as docker:
        inits = [docker.pid(node.name) for node in docker.nodes()]
    engines = [process.pid for process in psutil.process_iter(["cmdline"]) if mark in " ".join(process.info["cmdline"] or [])]
    killed = [psutil.Process(pid) for pid in (*engines, *inits) if psutil.pid_exists(pid)]
    for process in killed:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(killed, timeout=30)
    assert not alive


def _begun_nodes() -> int:
    """Running node containers; 0 while no engine answers."""
    if engine.find() is None:
        return 0
    with contextlib.closing(Docker()) as docker:
        return sum(docker.pid(node.name) > 0 for node in docker.nodes())


def _kafka_answers() -> bool:
    with contextlib.closing(Broker(CLOCK)) as broker:
        return broker.answers(2.0)
