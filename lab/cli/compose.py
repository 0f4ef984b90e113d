"""Where the parts are put together: the only place that knows concrete worlds, probes, loads and faults at once."""

import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from lab.adapters import debian, shell
from lab.adapters.docker import NEIGHBOUR, Docker
from lab.adapters.host import Agents
from lab.adapters.kube import Kube
from lab.adapters.niceness import at_niceness
from lab.cluster import bring_up, doctor, engine, neighbour, reset, shape
from lab.cluster import calibrate as calibration
from lab.cluster.arms import Arm
from lab.cluster.settle import until
from lab.cluster.world import KindWorld, open_world
from lab.core import paths
from lab.core.errors import Aborted, Refused
from lab.core.experiment import Experiment, Workload
from lab.core.ledger import Ledger
from lab.core.neighbour import Neighbour
from lab.core.progress import Progress
from lab.core.protocols import LoadGenerator, Probe, Watch
from lab.core.secrets import Deployer, VaultKeys
from lab.core.shipper import DEFAULT_SHIPPER, Shipper
from lab.core.vault import DEFAULT_STORAGE, Storage
from lab.faults.table import FAULTS
from lab.images import state as images
from lab.images import versions
from lab.images.build import build_consul, build_shipper, build_vault
from lab.images.containers import image_id
from lab.images.linked import of_image
from lab.images.table import Image, by_part
from lab.probes.neighbour import Beside, by_pool, neighbour_probes, neighbour_watches
from lab.probes.table import Handles, standard_probes, standard_watches
from lab.workload.accounting import account
from lab.workload.delivered import account_now
from lab.workload.locust import Load, LoadSettings
from lab.workload.tallies import read_all

__all__ = ["FAULTS", "LabWorld", "calibrate", "dismiss_neighbour", "host", "ledger", "world"]

CALIBRATION_ALLOWED_S = 60.0
"""Chosen: the window of 20 s, Locust's start and stop."""
FIRST_ANSWERS_ALLOWED_S = 30.0
"""Chosen: Locust was seen to need up to 12 s until its first request on a busy host."""


def ledger() -> Ledger:
    """The machine's ledger."""
    return Ledger(paths.LEDGER)


def world() -> KindWorld:
    """The cluster of this machine.

    Raises:
        Refused: no engine answers.
    """
    if engine.find() is None:
        raise Refused("reach the lab", "no container engine answers", "bring the lab up: lab up")
    return open_world()


def host() -> doctor.Host:
    """What the doctor looks at."""
    return doctor.read_host(_engine_version, _lab_is_up, debian.missing_tools, images.made)


@dataclass(frozen=True, slots=True)
class Doors:
    """How a run reaches its cluster.

    Args:
        kind: the cluster.
        kube: opens its API; asked again after the cluster was made anew.
    """

    kind: KindWorld
    kube: Callable[[], Kube]


class LabWorld:
    """The real world of one run: cluster, probes, load, and the accounting of its lines. Implements `lab.core.protocols.World`."""

    def __init__(self, progress: Progress, experiment: Experiment, doors: Doors | None = None) -> None:
        self._progress = progress
        self._experiment = experiment
        self._doors = doors or Doors(world(), Kube)
        self._kind = self._doors.kind
        if not self._kind.docker.nodes():
            raise Refused("run an experiment", "there is no cluster", "bring the lab up: lab up")
        self._kube = self._doors.kube()
        self._handles: Handles | None = None
        self._beside: Beside | None = None
        self._living, self._living_beside = by_pool(Agents().living, experiment.neighbour)

    def __getattr__(self, name: str) -> Any:
        """The cluster's powers (freeze, thaw, ...)."""
        return getattr(self._kind, name)

    def provide(self) -> None:
        """See `World.provide`: the Consul, the Vault and the shipper that are asked for, a fresh measurement, and free ports for a neighbour."""
        experiment = self._experiment
        if experiment.neighbour.pods and not self._kind.docker.nodes(NEIGHBOUR):
            doctor.need_ports(neighbour.PORTS, "make the second cluster")
        with at_niceness(0):  # a run goes first, but its compilers must not starve the cluster
            build_consul(self._progress, experiment.consul.version)
            build_vault(self._progress, experiment.vault.storage)
            build_shipper(self._progress, experiment.workload.shipper)
            known = calibration.recall(experiment.workload)
            if known is None or known.stale(self._kind.clock.utc()):
                calibrate(self._progress, experiment.workload)

    def reset(self, pods: int) -> None:
        """See `World.reset`."""
        self._kube.close()
        self._kube = fresh_cluster(self._progress, self._doors, pods, Arm.of(self._experiment), self._experiment.neighbour)
        calm_cores = calibration.await_calm(self._kind, self._progress, self._plan())
        if self._outdone(calm_cores):
            _measured(self._progress, self._kind, self._experiment.workload, calm_cores)
        self._kind.cap(self._plan())

    def probes(self) -> Sequence[Probe]:
        """The standard probes, and those of the neighbour where there is one."""
        beside = self._neighbour()
        return [*standard_probes(self._shared()), *(neighbour_probes(beside) if beside else [])]

    def watches(self) -> Sequence[Watch]:
        """The standard watches, and those of the neighbour where there is one."""
        beside = self._neighbour()
        return [*standard_watches(self._shared()), *(neighbour_watches(beside) if beside else [])]

    def load(self, folder: Path) -> LoadGenerator:
        """Locust, its raw lines in `folder`."""
        return _load(self._experiment.workload, folder, self._kind)

    def facts(self) -> dict[str, Any]:
        """Host, versions, settings, fidelity."""
        settings = {
            "caps": asdict(self._plan()),
            "calibration": asdict(self._calibration()),
            "shares": shape.SHARES,
            "timers": shape.SCALED_TIMERS,
            "workload": self._experiment.workload.model_dump(),
        }
        consul, storage = self._experiment.consul.version, self._experiment.vault.storage
        fidelity = shape.fidelity(consul, self._experiment.workload, storage, self._experiment.neighbour)
        known = {**_versions(consul, storage), **_shipper_version(self._experiment.workload.shipper)}
        return {"host": _host_facts(), "versions": known, "settings": settings, "fidelity": fidelity}

    def accounting(self) -> dict[str, Any]:
        """Where every line went."""
        living = {pod["metadata"]["name"] for pod in self._kube.pods(reset.labelled("app"))}
        if not self._experiment.workload.logging:
            return asdict(account(read_all(), {}, living))
        return asdict(account_now(self._kind.clock, living))

    def _shared(self) -> Handles:
        if self._handles is None:
            names = [node.name for node in self._kind.nodes]
            clock, docker, deployer = self._kind.clock, self._kind.docker, _deployer()
            workload = self._experiment.workload
            self._handles = Handles(
                clock,
                self._kube,
                docker,
                names,
                self._kind.app_nodes,
                deployer=deployer,
                logging=workload.logging,
                shipper=workload.shipper,
                storage=self._experiment.vault.storage,
                living=self._living,
            )
        return self._handles

    def _neighbour(self) -> Beside | None:
        if self._beside is None and self._experiment.neighbour.pods:
            shared = self._shared()
            self._beside = Beside(shared.clock, Kube(paths.NEIGHBOUR_KUBECONFIG), shared.docker, neighbour.APP, self._living_beside)
        return self._beside

    def _calibration(self) -> calibration.Calibration:
        found = calibration.recall(self._experiment.workload)
        if found is None:
            raise Refused("cap the nodes", "this machine has no measurement for the workload", "lab calibrate")
        return found

    def _outdone(self, calm_cores: float) -> bool:
        """Is the measurement one of a busy machine? Only the arm that it was made on can tell: another Consul or shipper may take less."""
        same_arm = Arm.of(self._experiment) == Arm.of_workload(self._experiment.workload)
        return same_arm and self._calibration().outdone(calm_cores)

    def _plan(self) -> shape.Plan:
        try:
            return self._planned()
        except Refused:  # it may have been measured while the host was busy: the next run measures again
            calibration.forget(self._experiment.workload)
            raise

    def _planned(self) -> shape.Plan:
        wanted, cores = self._experiment, len(os.sched_getaffinity(0))
        return shape.plan(self._calibration().use, wanted.shape, len(self._kind.app_nodes), cores, wanted.neighbour)


def calibrate(progress: Progress, workload: Workload) -> calibration.Calibration:
    """Bring up the workload uncapped, measure, and remember."""
    kind = world()
    fresh_cluster(progress, Doors(kind, Kube), workload.pods, Arm.of_workload(workload)).close()
    found = _measured(progress, kind, workload, calibration.await_calm(kind, progress))
    kind.keep_pristine(workload.pods)
    return found


def fresh_cluster(progress: Progress, doors: Doors, pods: int, arm: Arm, beside: Neighbour | None = None) -> Kube:
    """A steady lab with `pods` workload pods on a fresh Kafka and Consul, as `arm` says: swept if it is calm, else made anew.

    A neighbour is made before that, as it takes a CPU for half a minute, and its agents join after it: the pool must be the first cluster's alone
    until it is steady.
    """
    doors.kind.dismiss_neighbour(progress, _engine_env)
    kube = doors.kube()
    if worn := reset.worn(kube, doors.kind.clock.utc()):
        kube.close()
        bring_up.renew(progress, doors.kind, _engine_env(), worn)
        kube = doors.kube()
    if beside is not None and beside.pods:
        doors.kind.uncap()
        doors.kind.make_neighbour(progress, _engine_env)
    for image in _on_request(arm):
        doors.kind.uncap()
        doors.kind.hold(progress, image.tag, image.on.split(), partial(_image_id, image.tag), _engine_env)
    reset.fresh(doors.kind, kube, progress, pods, arm)
    if beside is not None and beside.pods:
        doors.kind.join_neighbour(progress, beside, arm.consul)
    return kube


def dismiss_neighbour(progress: Progress) -> bool:
    """Remove the second cluster that a run has left; True if there was one."""
    return world().dismiss_neighbour(progress, _engine_env)


def _on_request(arm: Arm) -> list[Image]:
    """The images that the arm needs and no node image holds."""
    wanted = {
        versions.CONSUL_RECIPES[arm.consul]: arm.consul != versions.CONSUL,
        versions.VAULT_RAFT_RECIPE: arm.vault != DEFAULT_STORAGE,
        "rsyslog": arm.shipper != DEFAULT_SHIPPER,
    }
    return [by_part(part) for part, there in wanted.items() if there]


def _image_id(tag: str) -> str:
    return image_id(tag) or ""


def _engine_env() -> Mapping[str, str]:
    found = engine.find()
    return found.env() if found else {}


def _load(workload: Workload, folder: Path, kind: KindWorld) -> Load:
    return Load(LoadSettings.of(workload, folder, kind.clock.now_s()))


def _deployer() -> Deployer | None:
    """Who deploys on the lab's platform, if it was set up."""
    keys = VaultKeys.recall(paths.VAULT_KEYS)
    return keys.deployer if keys else None


def _measured(progress: Progress, kind: KindWorld, workload: Workload, calm_cores: float) -> calibration.Calibration:
    """With load, and only with it: what nobody asked for anything takes is no steady use."""
    folder = paths.STATE / "calibration"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    load = _load(workload, folder, kind)
    load.start("steady", CALIBRATION_ALLOWED_S)
    try:
        until(progress, kind.clock, "the load's first answers", lambda: load.problem() or load.unanswered(), FIRST_ANSWERS_ALLOWED_S)
        with progress.step("measuring the steady use of a node", CALIBRATION_ALLOWED_S) as step:
            found = calibration.measure(kind, workload, calm_cores)
            if problem := load.problem():
                raise Aborted("measure a node under load", problem, "lab doctor; then lab calibrate")
            step.say(f"{found.use_cores:.3f} cores")
    finally:
        load.stop()
    calibration.remember(found)
    return found


def _host_facts() -> dict[str, Any]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / doctor.GIB, 1),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cgroup": host().cgroup,
    }


def _versions(consul: str, storage: Storage) -> Mapping[str, str]:
    packages = ("cascade-lab", "docker", "kubernetes", "py-consul", "kafka-python", "locust")
    programs = {
        "python": platform.python_version(),
        "Kubernetes": versions.KUBERNETES,
        "Consul": consul,
        "linked into Consul": of_image(by_part(versions.CONSUL_RECIPES[consul]).tag),
        "Kafka": versions.KAFKA,
        "Vault": versions.VAULT if storage == DEFAULT_STORAGE else versions.VAULT_RAFT,
        "HAProxy": versions.HAPROXY,
        "consul-template": versions.CONSUL_TEMPLATE,
        "kind": versions.KIND,
    }
    return {**programs, **{name: version(name) for name in packages}}


def _shipper_version(shipper: Shipper) -> dict[str, str]:
    return {} if shipper == DEFAULT_SHIPPER else {"rsyslog": versions.RSYSLOG}


def _engine_version() -> str:
    if engine.find() is None:
        return "installed" if shell.found("dockerd") else ""
    return Docker().version()


def _lab_is_up() -> bool:
    return engine.find() is not None and bool(Docker().nodes())
