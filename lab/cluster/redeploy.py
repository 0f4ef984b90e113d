"""The cure of the incident: every agent new, with a key that the old ones do not have, while the old ones still run.

Servers take the key first and all at once: they are restarted where they are, so that what Consul knows stays. Then the workload's pods are
replaced, a share at a time, by Kubernetes itself. Until its turn comes an old agent hears no server that has another key, and the servers take
it out of the catalog with all that it has registered: with Consul 1.2.2 and one server that was seen within 8 s. Where the key is not asked for
(`verify` off) the old agents stay. How Target went about it was not told.
"""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal

from lab.adapters.docker import Docker
from lab.adapters.kube import DEPLOYMENTS, PODS, Kube, Object
from lab.cluster import arms
from lab.cluster.gossip_key import gossip_file, gossip_key
from lab.cluster.units import EXEC_TIMEOUT_S, Units
from lab.core.clock import Clock
from lab.core.errors import Aborted, LabError, Unavailable

MARK = "cascade-lab/redeployed"
"""Annotation of the pods that were made anew, and of the servers that are to read their files again."""
APP = f"{DEPLOYMENTS}/app"
SERVERS = "app.kubernetes.io/name=consul"
SERVER = "^consul agent .*server[.]hcl"
"""Pattern of a server's command line, and not of Vault's, whose file has the same name."""
FILE_ALLOWED_S = 30.0
"""Chosen: a kubelet that hears of a change to a pod writes its files within 2 s; by itself it looks once a minute."""
NUDGE_EVERY_S = 5.0
"""A change to a pod makes its kubelet look; one that hears of the pod before it hears of the Secret writes the old file, and must be told again.
Chosen: longer than it takes to write, and several times within the time allowed."""
LOOK_EVERY_S = 0.3

Key = Literal["new", "unchanged"]


class RedeployPowers:
    """Implements `Redeployable` for a world that has these parts."""

    docker: Docker
    clock: Clock
    units: Units
    core: str

    def open_kube(self) -> Kube:
        """The cluster's API; the caller closes it."""
        return Kube()

    def redeploy_agents(self, mark: str, key: Key, share: float, *, verify: bool) -> None:
        """Begin. Idempotent for one `mark`.

        Args:
            mark: names this redeployment.
            key: `new` for one that no agent has had; not new after all where the arm says that one key is everywhere.
            share: of the pods that may be away at one time.
            verify: refuse gossip that is not encrypted.

        Raises:
            Aborted: the servers' files did not change in time.
            LabError: there are no servers, or the core node did not answer in time.
        """
        with contextlib.closing(self.open_kube()) as kube:
            deployment = kube.get(APP)
            if _annotations(deployment["spec"]["template"]).get(MARK) == mark:
                return
            encryption = self._remember(kube, mark)
            if key == "new":
                self._hand_out(kube, encryption, mark, verify=verify and encryption != "on-without-verify")
            if self.units.run(self.core, ["pkill", "-TERM", "-f", SERVER]).code:
                raise LabError("restart the servers of Consul", "no process of theirs was found", "lab status")
            rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": f"{round(share * 100)}%", "maxSurge": 0}}
            marked = {"metadata": {"annotations": {MARK: mark}}}
            kube.merge(APP, {"spec": {"paused": False, "strategy": rolling, "template": marked}})

    def redeploy_under_way(self) -> bool:
        """Does Kubernetes still replace pods?"""
        with contextlib.closing(self.open_kube()) as kube:
            return under_way(kube.get(APP))

    def stop_redeploy(self) -> None:
        """Stop where it stands; what is new stays. Idempotent."""
        with contextlib.closing(self.open_kube()) as kube:
            if under_way(kube.get(APP)):
                kube.merge(APP, {"spec": {"paused": True}})

    def redeployed(self) -> int:
        """Pods that were made anew so far."""
        with contextlib.closing(self.open_kube()) as kube:
            deployment = kube.get(APP)
        marked = MARK in _annotations(deployment["spec"]["template"])
        return int(deployment.get("status", {}).get("updatedReplicas", 0)) if marked and _observed(deployment) else 0

    @staticmethod
    def _remember(kube: Kube, mark: str) -> str:
        """Have the cluster say that it no longer carries the arm it was given, so that the next run makes it anew; the arm's encryption."""
        words = arms.applied(kube)
        known: dict[str, Any] = json.loads(words) if words else {}
        arms.note(kube, json.dumps({**known, "redeployed": mark}))
        return str(known.get("encryption", "off"))

    def _hand_out(self, kube: Kube, encryption: str, mark: str, *, verify: bool) -> None:
        """Put the key into the Secret, and wait until the servers' files hold it."""
        text = gossip_file(gossip_key(1 if encryption == "same-key-everywhere" else 2), verify=verify)
        kube.fill_secret(arms.SECRET, {arms.SECRET_FILE: text})
        servers = kube.pods(SERVERS)
        wanted = hashlib.sha256(text.get_secret_value().encode()).hexdigest()
        files = [
            f"/var/lib/kubelet/pods/{pod['metadata']['uid']}/volumes/kubernetes.io~secret/{arms.SECRET}/{arms.SECRET_FILE}"
            for pod in servers
        ]
        began_s, nudges = self.clock.now_s(), 0
        while (new := self._holding(files, wanted)) < len(files):
            waited_s = self.clock.now_s() - began_s
            if waited_s >= FILE_ALLOWED_S:
                raise Aborted("give the servers their new key", f"{new} of {len(files)} have it after {FILE_ALLOWED_S:g} s", "lab status")
            if waited_s >= nudges * NUDGE_EVERY_S:
                nudges += 1
                for pod in servers:
                    kube.merge(f"{PODS}/{pod['metadata']['name']}", {"metadata": {"annotations": {MARK: f"{mark}.{nudges}"}}})
            self.clock.sleep(LOOK_EVERY_S)

    def _holding(self, files: Sequence[str], digest: str) -> int:
        """How many of these files of the core node have this SHA-256; none while it is too busy to tell."""
        try:
            seen = self.docker.run(self.core, ["sha256sum", *files], timeout_s=EXEC_TIMEOUT_S).output
        except Unavailable:
            return 0
        return sum(line.startswith(digest) for line in seen.splitlines())


def settle(kube: Kube) -> None:
    """Undo what a redeployment set and no manifest says; the caller has taken the pods away. Idempotent."""
    usual = {"type": "Recreate", "rollingUpdate": None}
    kube.merge(APP, {"spec": {"paused": None, "strategy": usual, "template": {"metadata": {"annotations": {MARK: None}}}}})


def under_way(deployment: Object) -> bool:
    """Is a redeployment neither complete nor stopped?"""
    spec, status = deployment["spec"], deployment.get("status", {})
    if MARK not in _annotations(spec["template"]) or spec.get("paused"):
        return False
    wanted = int(spec.get("replicas", 1))
    counts = [int(status.get(name, 0)) for name in ("updatedReplicas", "replicas", "availableReplicas")]
    return not _observed(deployment) or counts != [wanted] * 3


def _observed(deployment: Object) -> bool:
    return int(deployment.get("status", {}).get("observedGeneration", 0)) >= int(deployment["metadata"]["generation"])


def _annotations(thing: Object) -> dict[str, str]:
    return dict(thing.get("metadata", {}).get("annotations") or {})
