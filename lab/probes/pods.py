"""Link 4: the workload's pods by state, their evictions, and what happens to each, all from one watch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.core.protocols import Emit, Reading
from lab.probes.reflector import Object, Watched

_SERIES = ("pods_running", "pods_pending", "pods_terminating", "evictions_total")


@dataclass(frozen=True, slots=True)
class Pod:
    """What matters of a pod.

    Args:
        name: of the pod.
        node: where it was placed; empty before.
        phase: Pending, Running, Succeeded, Failed.
        ready: all containers run and are ready, and its node is not known to be lost.
        terminating: its deletion was asked for.
        disruption: reason of its DisruptionTarget condition, such as DeletionByTaintManager; empty without one.
        failure: reason of a failed phase.
    """

    name: str
    node: str
    phase: str
    ready: bool
    terminating: bool
    disruption: str
    failure: str


def pod_of(found: Object) -> Pod:
    """The pod that an API object describes."""
    status = found.get("status", {})
    true = {each["type"]: each.get("reason", "") for each in status.get("conditions", ()) if each["status"] == "True"}
    phase = status.get("phase", "Pending")
    return Pod(
        name=found["metadata"]["name"],
        node=found["spec"].get("nodeName", ""),
        phase=phase,
        ready=phase == "Running" and "Ready" in true,
        terminating="deletionTimestamp" in found["metadata"],
        disruption=(true["DisruptionTarget"] or "DisruptionTarget") if "DisruptionTarget" in true else "",
        failure=status.get("reason", "") if phase == "Failed" else "",
    )


def changes(old: Pod | None, new: Pod) -> list[tuple[str, str]]:
    """What happened between two sights of a pod, as (change, reason), in the order in which it must have happened."""
    found = [("created", "")] if old is None else []
    if new.ready and not (old and old.ready):
        found.append(("running", ""))
    if new.disruption and not (old and old.disruption):
        found.append(("evicting", new.disruption))
    if new.phase == "Failed" and not (old and old.phase == "Failed"):
        found.append(("failed", new.failure))
    return found


class PodCache:
    """The pods by uid, and the count of evictions since the watch began. One thread writes; readers take whole snapshots."""

    def __init__(self) -> None:
        self._pods: dict[str, Pod] = {}
        self._evictions = 0
        self._known = False

    @property
    def evictions(self) -> int:
        """Pods seen to be evicted since the watch began, by a taint or by a kubelet under pressure."""
        return self._evictions

    def pods(self) -> list[Pod]:
        """All pods that the API has, terminating ones included."""
        return list(self._pods.values())

    def replace(self, objects: Iterable[Object], emit: Emit) -> None:
        """Take over a fresh list. The first one is where the run starts: its evictions are not ours to count."""
        listed = {found["metadata"]["uid"]: found for found in objects}
        for uid in self._pods.keys() - listed.keys():
            self._forget(uid, emit)
        for found in listed.values():
            if self._known:
                self._see(found, emit)
            else:
                self._start(found, emit)
        self._known = True

    def apply(self, change: str, found: Object, emit: Emit) -> None:
        """Take over one change; the last sight of a deleted pod may tell why it went."""
        self._see(found, emit)
        if change == "DELETED":
            self._forget(found["metadata"]["uid"], emit)

    def _start(self, found: Object, emit: Emit) -> None:
        pod = self._pods[found["metadata"]["uid"]] = pod_of(found)
        _tell(emit, pod, "running" if pod.ready else "created", "at start")

    def _see(self, found: Object, emit: Emit) -> None:
        uid, pod = found["metadata"]["uid"], pod_of(found)
        happened = changes(self._pods.get(uid), pod)
        self._pods[uid] = pod
        self._evictions += any(change == "evicting" or (change, reason) == ("failed", "Evicted") for change, reason in happened)
        for change, reason in happened:
            _tell(emit, pod, change, reason)

    def _forget(self, uid: str, emit: Emit) -> None:
        pod = self._pods.pop(uid, None)
        if pod is not None:
            _tell(emit, pod, "deleted", pod.disruption or pod.failure)


def _tell(emit: Emit, pod: Pod, change: str, reason: str) -> None:
    emit("pod", {"pod": pod.name, "node": pod.node, "change": change, "reason": reason})


@dataclass(slots=True)
class PodsProbe:
    """Counts of the cache.

    Args:
        cache: filled by the watch.
        watch: says whether the cache can be believed.
        interval_s: chosen: evictions come in waves seconds apart; counting a hundred pods costs microseconds.
        timeout_s: nothing is waited for.
    """

    cache: PodCache
    watch: Watched
    interval_s: float = 1.0
    timeout_s: float = 1.0
    name: str = "pods"

    def sample(self) -> Sequence[Reading]:
        """`pods_running`, `pods_pending`, `pods_terminating`, `evictions_total`."""
        if self.watch.problem:
            return [Reading(series, "lab", None, self.watch.problem) for series in _SERIES]
        pods = self.cache.pods()
        counts = (
            sum(pod.ready and not pod.terminating for pod in pods),
            sum(pod.phase == "Pending" and not pod.terminating for pod in pods),
            sum(pod.terminating for pod in pods),
            self.cache.evictions,
        )
        return [Reading(series, "lab", float(count)) for series, count in zip(_SERIES, counts, strict=True)]
