"""Names of gossip members, and the pods they live in.

A pod with one agent gives it its own name. Where several share a pod (manifests/factors/many-agents), each is called POD-aSLOT-LIFE: the one
that follows a dead agent has the same slot and the next life.
"""

import re
from dataclasses import dataclass

_SHARED = re.compile(r"^(?P<pod>.+)-a(?P<slot>\d+)-(?P<life>\d+)$")
"""No pod of a deployment ends so: Kubernetes makes its suffixes of consonants and digits (apimachinery rand.go), and they hold no dash."""


@dataclass(frozen=True, slots=True)
class Member:
    """One name in the pool.

    Args:
        pod: where it lives.
        slot: which of the pod's agents, from 1; 0 where the pod has only one.
        life: how many agents were in this slot before.
    """

    pod: str
    slot: int = 0
    life: int = 0


def member(name: str) -> Member:
    """What a member's name tells."""
    found = _SHARED.match(name)
    return Member(found["pod"], int(found["slot"]), int(found["life"])) if found else Member(name)


def pod_of(name: str) -> str:
    """The pod of a member."""
    return member(name).pod
