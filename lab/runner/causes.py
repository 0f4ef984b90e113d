"""Which event led to which: from a late symptom back to the step of the timeline that set it off.

What is not known is guessed by the chain that the lab is about, nearest first: a pod's end by the trouble of its node, a member's end by
the end of its pod, a node's trouble by the newest thing the run did. A pod that merely runs explains nothing that comes after the run's
next deed: then that deed is named. A guess names what came before on the same object; it proves nothing.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

from lab.core.agents import pod_of

_DONE_BY_THE_RUN = {"step", "fault", "locust"}
_ENDED = {"evicting", "deleted", "failed"}


class Causes:
    """Remembers the newest event of each object. Not safe for threads: the recorder locks."""

    def __init__(self) -> None:
        self._stimulus: int | None = None
        self._phase: int | None = None
        self._node: dict[str, tuple[int, bool]] = {}
        self._pod: dict[str, tuple[int, str, bool]] = {}
        self._member: dict[str, int] = {}
        self._ended: deque[int] = deque(maxlen=1000)

    def of(self, kind: str, fields: Mapping[str, Any]) -> int | None:
        """The `seq` of the event that most likely led to one that is about to be written."""
        newest = self._phase if self._stimulus is None else self._stimulus
        match kind:
            case "node":
                return self._of_node(fields, newest)
            case "pod":
                return self._of_pod(fields, newest)
            case "member_change":
                return self._of_member(fields, newest)
            case "kube_event":
                return self._of_object(str(fields.get("object", "")), newest)
            case "sample":
                return newest
            case _:
                return self._phase

    def note(self, seq: int, kind: str, fields: Mapping[str, Any]) -> None:
        """Remember an event that was written."""
        if kind == "run":
            self._phase = seq
        elif kind == "phase":
            self._phase = seq
            self._stimulus = None if fields.get("phase") == "steady" else self._stimulus
        elif kind in _DONE_BY_THE_RUN:
            self._stimulus = seq
        elif kind == "node":
            self._node[fields["node"]] = (seq, fields["ready"] == "True")
        elif kind == "pod":
            self._pod[fields["pod"]] = (seq, fields.get("node") or "", fields["change"] in _ENDED)
            if fields["change"] in {"deleted", "failed"}:
                self._ended.append(seq)
        elif kind == "member_change":
            self._member[fields["member"]] = seq

    def _of_node(self, fields: Mapping[str, Any], newest: int | None) -> int | None:
        seq, ready = self._node.get(fields["node"], (None, True))
        return newest if ready else seq

    def _of_pod(self, fields: Mapping[str, Any], newest: int | None) -> int | None:
        change, pod = fields["change"], fields["pod"]
        before = self._pod.get(pod, (None, "", False))[0]
        if change == "created" and before is None:
            return self._ended.popleft() if self._ended else newest
        if change in _ENDED:
            return before if change == "deleted" and before is not None else self._trouble_of(fields.get("node"), newest)
        return newest if before is None else before

    def _of_member(self, fields: Mapping[str, Any], newest: int | None) -> int | None:
        pod = self._pod.get(pod_of(fields["member"]))
        if fields["state"] == "alive" or pod is None:
            return pod[0] if pod else self._member.get(fields["member"], newest)
        return self._of_living_pod(pod, newest)

    def _of_object(self, name: str, newest: int | None) -> int | None:
        name = name.rpartition("/")[2]
        if name in self._pod:
            return self._of_living_pod(self._pod[name], newest)
        if name not in self._node:
            return newest
        seq, ready = self._node[name]
        return max(seq, newest) if ready and newest is not None else seq

    def _of_living_pod(self, pod: tuple[int, str, bool], newest: int | None) -> int:
        """The latest of: the pod's own event, the trouble of its node, and, if neither is trouble, the newest deed of the run."""
        seq, node, ended = pod
        trouble = self._trouble_of(node, None)
        if trouble is not None:
            return max(seq, trouble)
        return seq if ended or newest is None else max(seq, newest)

    def _trouble_of(self, node: str | None, otherwise: int | None) -> int | None:
        seq, ready = self._node.get(node or "", (None, True))
        return otherwise if ready else seq
