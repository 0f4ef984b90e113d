"""`lab doctor`, `up`, `down`, `status`, `heal`, and the measuring of `calibrate`: the machine and the cluster."""

import json
import shutil
from dataclasses import asdict
from typing import Annotated

import typer

from lab.adapters.clock import SystemClock
from lab.adapters.docker import Docker
from lab.cli import compose
from lab.cli.console import terminal
from lab.cli.help import GIVEN_UP, HEALED, examples
from lab.cluster import bring_up, doctor, engine, leftovers
from lab.cluster.arms import FIRST
from lab.core import paths
from lab.core.errors import Refused
from lab.core.experiment import Workload
from lab.images import auto
from lab.runner import heal as healing
from lab.runner.lock import is_held, run_lock

MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]note[/]", "missing": "[red]missing[/]"}
AsJson = Annotated[bool, typer.Option("--json", help="machine-readable")]

EPILOGS = {
    "doctor": examples("lab doctor", "lab doctor --json", exits="0 nothing is missing, 2 something is", see=("lab up",)),
    "up": examples("lab up", "lab up --images build", exits=GIVEN_UP, see=("lab doctor", "lab run", "lab images", "lab down")),
    "down": examples("lab down", exits=GIVEN_UP, see=("lab status", "lab heal")),
    "status": examples("lab status", "lab status --json", see=("lab heal", "lab down")),
    "heal": examples("lab heal", exits=HEALED, see=("lab status",)),
}


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (doctor_command, up, down, status, heal):
        name = command.__name__.removesuffix("_command")
        app.command(name, epilog=EPILOGS[name])(command)


def doctor_command(as_json: AsJson = False) -> None:
    """Say what this machine lacks, and what to run for it.

    Processor, memory, disk, engine, build tools, limits of the kernel, ports. Changes nothing.
    """
    findings = doctor.examine(compose.host())
    console = terminal()
    if as_json:
        console.rich.print_json(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            fix = f"\n{'':22}{finding.fix}" if finding.fix else ""
            console.rich.print(
                f"{MARKS[finding.level]:<{9 + len(MARKS[finding.level]) - _width(finding.level)}} {finding.subject:<13}{finding.saw}{fix}"
            )
    if any(finding.level == "missing" for finding in findings):
        raise typer.Exit(Refused.exit_code)


def up(images: Annotated[auto.Mode, typer.Option(help="how to get images that are missing: auto, pull or build")] = "auto") -> None:
    """Bring the lab up: engine, images, cluster, platform.

    The platform is Kafka, Consul, Vault and the load balancer. A second call changes nothing. It takes about a minute where the images are
    there; the first time they are pulled, or built from package registries, which takes some 20 minutes on 2 cores.
    """
    console = terminal()
    missing = [finding for finding in doctor.examine(compose.host()) if finding.level == "missing"]
    if missing:
        raise Refused(
            "bring the lab up on this machine",
            "; ".join(f"{f.subject}: {f.saw}" for f in missing),
            "\n        ".join(f.fix for f in missing),
        )
    running = engine.ensure(console)
    auto.ensure(console, images)
    with run_lock(paths.LOCK, SystemClock()):
        made = bring_up.up(console, compose.world(), running.env())
    console.line("The lab is up." if made else "The lab was up already.")
    for name, place in bring_up.ENDPOINTS.items():
        console.line(f"  {name:<22}{place}")
    console.line("Next: lab run cascade (about 6 minutes), or lab run baseline; lab down removes everything.")


def down() -> None:
    """Heal, then remove the lab; its cache and your runs stay.

    Cluster, network, routes and settings of the kernel go; an engine that the lab started is stopped.
    """
    console = terminal()
    with run_lock(paths.LOCK, SystemClock()):
        found = engine.find() or (engine.ensure(console) if engine.left_behind() else None)
        if found is None and paths.KUBECONFIG.exists():
            raise Refused(
                "remove the lab",
                "the engine that its cluster runs in does not answer",
                "start it, or set DOCKER_HOST as for lab up; then lab down",
            )
        docker = Docker() if found else None
        bring_up.down(console, docker, found.env() if found else {})
        engine.stop(console)
    shutil.rmtree(paths.STATE, ignore_errors=True)
    console.line(f"The lab is gone from this machine. Kept: {paths.cache()} (downloads, builds, images) and your runs.")


def status(as_json: AsJson = False) -> None:
    """Say what of the lab is on this machine.

    Clusters, open faults, and leftovers that belong to neither a cluster nor a run. Changes nothing.
    """
    found = leftovers.status(Docker() if engine.find() else None, is_held(paths.LOCK))
    console = terminal()
    if as_json:
        console.rich.print_json(json.dumps(asdict(found)))
        return
    for name, things in asdict(found).items():
        console.line(f"{name.replace('_', ' '):<13}{', '.join(things) or 'none'}")


def heal() -> None:
    """Heal what a killed run left open, and see it healed.

    Every run begins with it. A neighbour that it left is removed. Refused while a run is alive: that one heals by itself.
    """
    console = terminal()
    with run_lock(paths.LOCK, SystemClock()):
        healed = healing.heal_open(compose.ledger(), compose.world(), compose.FAULTS, SystemClock())
        alone = not compose.dismiss_neighbour(console)
    console.line(f"healed: {', '.join(healed)}" if healed else "nothing to heal" if alone else "no fault was open")


def measure_node(pods: int, requests_per_s: float) -> None:
    """Measure the steady use of the nodes under so much of the workload of `cascade`, and keep it."""
    console = terminal()
    with run_lock(paths.LOCK, SystemClock()):
        found = compose.calibrate(console, Workload(pods=pods, requests_per_s=requests_per_s, watches_per_pod=FIRST.watches_per_pod))
    console.line(
        f"An app node uses {found.use_cores:.3f} cores at rest (largest {found.use_cores_max:.3f}, {found.window_s:.0f} s, {pods} pods, {requests_per_s:g} requests/s)."
    )


def _width(text: str) -> int:
    return len({"ok": "ok", "warn": "note", "missing": "missing"}[text])
