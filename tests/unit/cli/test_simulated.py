"""`lab run --world sim`: what it needs, what it leaves, and that it leaves the same again."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lab.cli import simulated_job
from lab.cli.main import app
from lab.cli.on_demand import MODULES
from lab.core.errors import Refused
from lab.runner.load import load_experiment

CLIENTS = ("docker", "kubernetes", "kafka", "consul", "locust", "gevent", "psutil", "requests", "tenacity")
WITHOUT_CLIENTS = f"""
import sys
sys.modules |= dict.fromkeys({CLIENTS!r})  # importing one of them now fails
from lab.cli.main import main
main()
"""
SHORT = ["--set", "steady_s=12", "--set", "outage_s=12", "--set", "faults.0.heal_at_s=12", "--set", "flood_s=10", "--set", "recovery_s=60"]
FILES = {"experiment.json", "history.jsonl", "requests.csv", "verdict.json", "report.html"}


def simulated(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A run in a process of its own, in which no client of engine or cluster can be imported."""
    argv = [sys.executable, "-c", WITHOUT_CLIENTS, "run", "cascade", "--world", "sim", "--out", str(folder), *SHORT, *options]
    return subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "history.jsonl").read_bytes()).hexdigest()


def test_a_simulated_run_needs_no_client_and_leaves_the_folder_of_a_run(tmp_path: Path) -> None:
    ran = simulated(tmp_path / "run")
    assert ran.returncode in (0, 1), ran.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    assert "SIMULATED" in ran.stdout
    assert "s allowed" in ran.stdout
    verdict = json.loads((tmp_path / "run" / "verdict.json").read_text())
    assert verdict["fidelity"][0].startswith("SIMULATED")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "simulated: no container ran" in page[: page.index("Hypothesis")]


def test_the_same_seed_gives_the_same_bytes_in_every_process_and_another_seed_does_not(tmp_path: Path) -> None:
    for name in ("one", "two"):
        simulated(tmp_path / name, "--seed", "7")
    simulated(tmp_path / "other", "--seed", "8")
    job = simulated_job.jobs({7: load_experiment("cascade", [*SHORT[1::2], "seed=7"])})[7]
    simulated_job.make(job, tmp_path / "here")
    simulated_job.make(job, tmp_path / "again")
    assert len({digest(tmp_path / name) for name in ("one", "two", "here", "again")}) == 1
    assert digest(tmp_path / "other") != digest(tmp_path / "one")


def test_a_sampled_pool_too_gives_the_same_bytes_in_every_process_and_says_what_it_is(tmp_path: Path) -> None:
    for name in ("one", "two"):
        simulated(tmp_path / name, "--set", "agents=3000")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    verdict = json.loads((tmp_path / "one" / "verdict.json").read_text())
    assert any("Gossip is an approximation: of 3,003 members 128 are followed" in line for line in verdict["fidelity"])


def test_repeats_go_into_a_folder_each_and_are_told_together(tmp_path: Path) -> None:
    ran = simulated(tmp_path / "runs", "--seed", "7", "--repeat", "2")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["seed-7", "seed-8"]
    assert "fired in 2 of 2" in ran.stdout
    assert "of 2 runs as expected" in ran.stdout
    assert digest(tmp_path / "runs" / "seed-7") != digest(tmp_path / "runs" / "seed-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--repeat", "2"], "only simulated runs are repeated"),
        (["--set", "agents=1000"], "only the simulator knows `agents`"),
    ],
)
def test_what_only_the_simulator_can_do_is_refused_on_containers(options: list[str], said: str) -> None:
    ran = CliRunner().invoke(app, ["run", "cascade", *options])
    assert said in str(ran.exception)


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_component_that_is_not_there_is_refused_before_anything_is_touched(more: tuple[str, ...], tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["run", "cascade", *more, "--set", f"components=[manifests/mitigations/sidecar-limit, {tmp_path}]"])
    assert isinstance(ran.exception, Refused)
    assert f"put the component {tmp_path} over the manifests" in str(ran.exception)


def test_a_fault_that_the_simulator_cannot_do_is_refused_before_the_run(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    text = (Path("lab/experiments/cascade.yaml")).read_text().replace("fault: pause-broker", "fault: kill-agents")
    mine.write_text(text)
    ran = CliRunner().invoke(app, ["run", str(mine), "--world", "sim", "--out", str(tmp_path / "run")])
    assert "simulate the fault kill-agents" in str(ran.exception)
    assert not (tmp_path / "run" / "history.jsonl").exists()


def test_every_command_is_found_and_a_wrong_name_gets_the_nearest() -> None:
    group = typer.main.get_command(app)
    context = typer.Context(group)
    assert all(group.get_command(context, name).name == name for name in MODULES)
    assert "Did you mean 'judge'?" in CliRunner().invoke(app, ["juge"]).output


@pytest.mark.parametrize("setting", ["workload.shipper=rsyslog", "vault.storage=raft", "components=[manifests/mitigations/sidecar-limit]"])
def test_one_shipper_and_one_vault_are_simulated(setting: str) -> None:
    ran = CliRunner().invoke(app, ["run", "cascade", "--world", "sim", "--set", setting])
    assert isinstance(ran.exception, Refused)
    assert f"simulate {setting.partition('=')[0]}" in str(ran.exception)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("gossip-poison", "workload.agents_per_pod"),
        ("gossip-cure", "remedies"),
        ("gossip-poison", "workload.logging"),
        ("shared-gossip", "neighbour.pods"),
    ],
)
def test_what_only_containers_can_do_is_not_simulated(name: str, field: str, tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["run", name, "--world", "sim", "--out", str(tmp_path / "run")])
    assert isinstance(ran.exception, Refused)
    assert field in ran.exception.tried
    assert not (tmp_path / "run").exists()
