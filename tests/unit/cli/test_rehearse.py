"""`lab run --dry-run`: every command, word for word, and nothing touched. `pytest --update-golden` writes the texts anew."""

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.cli import rehearse as rehearsal
from lab.cluster import calibrate, gossip_key
from lab.core.errors import LabError, Refused
from lab.core.fault_specs import FAULT_SPECS
from lab.core.paths import project
from lab.runner.load import load_experiment
from tests.command_line import Lab

GOLDEN = project() / "tests" / "golden"
TIMES = {"inject_at_s": 0, "heal_at_s": 40}
EACH: dict[str, dict[str, Any]] = {
    "pause-broker": {},
    "flap-broker": {"away_s": 15, "back_s": 5},
    "partition-broker": {"loss_ratio": 0.5},
    "kill-agents": {"share": 0.5, "every_s": 20},
    "pause-agents": {"share": 0.5, "away_s": 12, "back_s": 4},
    "churn-pods": {"pods_low": 10, "pods_high": 35, "half_period_s": 15},
    "stress-node": {"nodes": 2, "workers": 2},
}


@pytest.fixture(autouse=True)
def _measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has measured the workload, and a folder to see what is left in."""
    found = {
        "pods": 35,
        "requests_per_s": 25.0,
        "use_cores": 0.124,
        "use_cores_max": 0.13,
        "window_s": 20.0,
        "measured_utc": "2026-11-25T09:00:00+00:00",
    }
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "steady-use.json").write_text(
        json.dumps({"35 pods, 20 watches each, 25 requests/s": {**found, "watches_per_pod": 20}})
    )
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("CASCADE_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "here")


def told(name: str, *changes: str) -> list[str]:
    lines: list[str] = []
    rehearsal.rehearse(load_experiment(name, changes), lines.append)
    return lines


def compared(lines: list[str], name: str, *, update: bool) -> None:
    golden = GOLDEN / name
    if update:
        golden.write_text("\n".join(lines) + "\n")
    assert "\n".join(lines) + "\n" == golden.read_text(), "after a wanted change: pytest --update-golden"


def test_cascade_sends_these_commands_at_these_times(update_golden: bool) -> None:
    compared(told("cascade"), "dry-run-cascade.txt", update=update_golden)


@pytest.mark.parametrize("fault", sorted(EACH))
def test_each_fault_sends_these_commands(fault: str, update_golden: bool) -> None:
    entry = json.dumps([{"fault": fault, **TIMES, **EACH[fault]}])
    lines = told("cascade", f"faults={entry}")
    outage = lines[lines.index("# phase outage") : lines.index("# phase flood")]
    compared(outage, f"dry-run-{fault}.txt", update=update_golden)


def test_no_fault_is_left_out_here() -> None:
    assert set(EACH) == set(FAULT_SPECS)


def test_the_cure_sends_these_commands_and_makes_no_key(update_golden: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gossip_key, "FOLDER", tmp_path / "secrets")
    lines = told("gossip-cure", "consul.version=1.2.3", "consul.encryption=on")
    remedy = lines[lines.index("# phase recovery") : lines.index("# phase heal")]
    compared(remedy, "dry-run-redeploy-agents.txt", update=update_golden)
    assert [line for line in lines if line.startswith("kubectl apply") and '"consul": "1.2.3"' in line]
    assert [line for line in lines if "docker save consul:1.2.3" in line]
    assert not [line for line in lines if "kafka" in line and "probe" in line]
    assert not (tmp_path / "secrets").exists()


def test_a_vault_with_storage_of_its_own_comes_to_the_core_node_alone_and_every_instance_is_opened() -> None:
    lines = told("baseline", "vault.storage=raft")
    (brought,) = [line for line in lines if "docker save" in line]
    assert brought.startswith("for node in cascade-lab-worker; do docker save vault:1.4.3 |")
    assert [line for line in lines if line.startswith("kubectl apply") and '"vault": "raft"' in line]
    assert [line.partition(" ")[2].partition("/v1")[0] for line in lines if "sys/init" in line] == [
        f"http://127.0.0.1:{port}" for port in (18200, 18201, 18202)
    ]


def test_a_neighbour_is_made_before_the_pool_is_fresh_joins_it_after_and_is_capped_and_removed() -> None:
    lines = told("shared-gossip")
    places = [
        next(place for place, line in enumerate(lines) if line.startswith(words))
        for words in (
            "kind create cluster --config kind-neighbour.yaml",
            "# one pool of 63 members",
            "kubectl --kubeconfig /var/tmp/cascade-lab/neighbour-kubeconfig apply",
            "docker update --cpu-period 100000 --cpu-quota 25000 cascade-lab-neighbour-worker",
            "# probe neighbour_agent_read_ms",
            "kind delete cluster --name cascade-lab-neighbour",
            "write verdict.json",
        )
    ]
    assert places == sorted(places)
    assert not [line for line in told("gossip-poison") if "neighbour" in line]


def test_a_rehearsal_leaves_nothing_behind_and_needs_no_cluster(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    answer = lab("run", "cascade", "--dry-run", "--out", "here-it-would-be")
    assert (answer.code, "docker exec cascade-lab-worker timeout -s KILL 8 pkill -STOP -f 'kafka[.]Kafka'" in answer.text) == (0, True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_caps_that_do_not_fit_are_refused_and_the_measurement_stays() -> None:
    workload = load_experiment("cascade").workload
    known = calibrate.recall(workload)
    with pytest.raises(Refused, match="cap 5 app nodes"):
        told("cascade", "shape.cap_multiple=6", "shape.core_cap_cores=1.9")
    assert calibrate.recall(workload) == known
    assert known is not None


def test_without_a_measurement_it_says_that_one_comes_first() -> None:
    lines = told("cascade", "workload.pods=36")
    assert [line for line in lines if "lab calibrate comes first" in line]
    assert [line for line in lines if "--cpu-quota MEASURED" in line]


def connect() -> None:
    with socket.socket() as opened:
        opened.connect(("127.0.0.1", 9))


@pytest.mark.parametrize("touch", [connect, lambda: subprocess.run(["true"], check=True), lambda: Path("x").unlink()])
def test_a_door_that_was_forgotten_is_shut(touch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("x").touch()
    monkeypatch.setattr(rehearsal.ToldWorld, "freeze_broker", lambda _: touch())
    with pytest.raises(LabError, match="without touching anything"):
        told("cascade")
    assert Path("x").exists()


def test_after_a_rehearsal_the_doors_are_open_again() -> None:
    told("baseline")
    subprocess.run(["true"], check=True)
