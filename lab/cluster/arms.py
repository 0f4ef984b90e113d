"""The arm of a run: what its experiment changes in the cluster's objects, as a kustomization over manifests/ that is applied before the run.

The cluster itself says which arm it carries and which manifests it was made from (annotations of its namespace), so that a run on another arm, or after
a change of the manifests, knows that all must be made anew.
Objects are applied by one field manager, so what one arm has set and the next does not say is gone again.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lab.adapters import shell
from lab.adapters.kube import NAMESPACE, NAMESPACES, Kube
from lab.cluster.gossip_key import gossip_file, gossip_key
from lab.core import paths
from lab.core.consul import DEFAULT_VERSION, Encryption
from lab.core.experiment import Experiment, Workload
from lab.core.shipper import DEFAULT_SHIPPER, Shipper
from lab.core.vault import DEFAULT_STORAGE, Storage

ANNOTATION = "cascade-lab/arm"
MADE_FROM = "cascade-lab/manifests"
NOT_OF_AN_ARM = ("coredns-patch.yaml", "neighbour")
"""Below manifests/: what is brought by `lab up` alone, and by each run that has a neighbour."""
UNFINISHED = "unfinished"
"""What the cluster says while it is being changed; no arm goes by that name, so that one which was interrupted is applied anew."""
SECRET, SECRET_FILE = "gossip", "gossip.json"
"""What servers and agents read their key from (manifests/mitigations/gossip-encryption)."""
FOLDER = paths.STATE / "arm"
APPLY_ALLOWED_S = 60.0
"""Chosen: kubectl takes 1 to 2 s for all objects on an idle machine."""


@dataclass(frozen=True, slots=True)
class Arm:
    """What differs from manifests/ as they stand.

    Args:
        consul: version of servers and agents.
        encryption: how the pool begins; "" where no key can come into it, in the middle of the run neither, and pods have no Secret.
        agents_per_pod: Consul agents in each workload pod.
        logging: Kafka and the sidecars that ship to it.
        shipper: what ships the log lines.
        vault: where Vault keeps its data.
        watches_per_pod: blocking queries that each workload pod keeps at its agent.
        components: folders of the user's own components, absolute.
    """

    consul: str = DEFAULT_VERSION
    encryption: Encryption | Literal[""] = ""
    agents_per_pod: int = 1
    logging: bool = True
    shipper: Shipper = DEFAULT_SHIPPER
    vault: Storage = DEFAULT_STORAGE
    watches_per_pod: int = 0
    components: tuple[str, ...] = ()

    @classmethod
    def of(cls, experiment: Experiment) -> "Arm":
        """The arm that an experiment asks for."""
        guarded = experiment.consul.encryption != "off" or experiment.remedies
        encryption = experiment.consul.encryption if guarded else ""
        return replace(
            cls.of_workload(experiment.workload),
            consul=experiment.consul.version,
            encryption=encryption,
            shipper=experiment.workload.shipper,
            vault=experiment.vault.storage,
            components=tuple(str(Path(component).resolve()) for component in experiment.components),
        )

    @classmethod
    def of_workload(cls, workload: Workload) -> "Arm":
        """What a workload asks for, on the default Consul, shipper and Vault, without components: nodes are calibrated on it, so that all arms of a comparison get the same caps."""
        return cls(agents_per_pod=workload.agents_per_pod, logging=workload.logging, watches_per_pod=workload.watches_per_pod)

    @property
    def collects(self) -> bool:
        """Does each app node have a collector?"""
        return self.shipper == "rsyslog-daemonset"

    @property
    def words(self) -> str:
        """How the cluster names it: "" as the manifests stand, else each thing that differs."""
        usual = asdict(Arm())
        changed = {name: value for name, value in asdict(self).items() if value != usual[name]}
        return json.dumps(changed, sort_keys=True) if changed else ""


FIRST = Arm(watches_per_pod=20)
"""What `lab up` brings up: the arm of `cascade` and `baseline`, so that the first of them need not make the core anew."""


def applied(kube: Kube) -> str:
    """The words of the arm that the cluster carries."""
    return _said(kube).get(ANNOTATION, "")


def carries(kube: Kube, arm: Arm) -> bool:
    """Does the cluster carry this arm, made from the manifests as they are now?"""
    return {ANNOTATION: "", MADE_FROM: "", **_said(kube)}.items() >= annotations(arm).items()


def annotations(arm: Arm) -> dict[str, str]:
    """What the namespace of a cluster says that carries this arm."""
    return {ANNOTATION: arm.words, MADE_FROM: fingerprint(arm, paths.project() / "manifests")}


def fingerprint(arm: Arm, manifests: Path) -> str:
    """Of all files that an arm is made from: names and content."""
    digest = hashlib.sha256()
    for folder in (manifests, *map(Path, arm.components)):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder)
            if folder != manifests or name.parts[0] not in NOT_OF_AN_ARM:
                content = path.read_bytes()
                digest.update(f"{name.as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _said(kube: Kube) -> dict[str, str]:
    return dict(kube.get(f"{NAMESPACES}/{NAMESPACE}")["metadata"].get("annotations") or {})


def storage(words: str) -> Storage:
    """Where the Vault of the arm with these words keeps its data."""
    found: Storage = json.loads(words).get("vault", DEFAULT_STORAGE) if words else DEFAULT_STORAGE
    return found


def note(kube: Kube, words: str) -> None:
    """Have the cluster say which arm it carries; "" for the manifests as they stand."""
    kube.merge(f"{NAMESPACES}/{NAMESPACE}", {"metadata": {"annotations": {ANNOTATION: words or None}}})


def apply(arm: Arm, kube: Kube) -> None:
    """Have the cluster carry this arm, with no workload pod wanted. Pods of stateful sets are left to the caller.

    Raises:
        LabError: kubectl refused; the message has what it said.
    """
    note(kube, UNFINISHED)
    folder = write(arm, pods=0)
    kubectl = [str(paths.cache() / "bin" / "kubectl"), "--kubeconfig", str(paths.KUBECONFIG)]
    shell.run([*kubectl, "apply", "--server-side", "--force-conflicts", "-k", str(folder)], timeout_s=APPLY_ALLOWED_S)
    if arm.encryption:
        key = None if arm.encryption == "off" else gossip_key(1)
        kube.fill_secret(SECRET, {SECRET_FILE: gossip_file(key, verify=arm.encryption != "on-without-verify")})
    note(kube, arm.words)


def write(arm: Arm, pods: int) -> Path:
    """The arm as a folder for `kubectl apply -k`, with so many workload pods wanted."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(kustomization(arm, paths.project() / "manifests", FOLDER, pods), indent=1)
    (FOLDER / "kustomization.yaml").write_text(text, encoding="utf-8")  # JSON is YAML
    return FOLDER


def kustomization(arm: Arm, manifests: Path, folder: Path, pods: int = 0) -> dict[str, Any]:
    """What kustomize makes the arm from.

    Args:
        arm: the arm.
        manifests: the lab's objects.
        folder: where it will lie; kustomize takes no absolute paths.
        pods: workload pods that are wanted.
    """
    # The paths are resolved, as `..` after a symbolic link leads elsewhere.
    here = folder.resolve()
    base = Path(os.path.relpath(manifests.resolve(), here))
    # In this order: the first two name the agent's container by its place, which the last one changes.
    wanted = {
        "mitigations/gossip-encryption": bool(arm.encryption),
        "factors/many-agents": arm.agents_per_pod > 1,
        "factors/no-kafka": not arm.logging,
        "factors/rsyslog": arm.shipper == "rsyslog",
        "factors/rsyslog-daemonset": arm.collects,
        "mitigations/vault-raft": arm.vault == "raft",
        "factors/watchers": arm.watches_per_pod > 0,
    }
    counts = {"consul": ("AGENTS", arm.agents_per_pod, 1), "watcher": ("WATCHES", arm.watches_per_pod, 0)}
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(base)],
        "components": [
            *(str(base / component) for component, there in wanted.items() if there),
            *(os.path.relpath(component, here) for component in arm.components),
        ],
        "images": [{"name": "consul", "newTag": arm.consul}],
        "replicas": [{"name": "app", "count": pods}],
        "patches": [
            _made_from(arm, manifests),
            *(_count(container, name, number) for container, (name, number, usual) in counts.items() if number > usual),
        ],
    }


def _made_from(arm: Arm, manifests: Path) -> dict[str, str]:
    """Have the namespace say it."""
    said = {"name": NAMESPACE, "annotations": {MADE_FROM: fingerprint(arm, manifests)}}
    return {"patch": json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": said})}


def _count(container: str, name: str, number: int) -> dict[str, str]:
    """Tell one of a pod's containers how many to run of what it runs (manifests/factors)."""
    told = {"name": container, "env": [{"name": name, "value": str(number)}]}
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "app", "namespace": NAMESPACE},
        "spec": {"template": {"spec": {"containers": [told]}}},
    }
    return {"patch": json.dumps(patch)}
