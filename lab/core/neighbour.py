"""A second, small cluster beside the lab's own, to which nothing is done: what an experiment may ask of it, and how it is told apart.

In the incident the agents of all clusters were in one gossip pool, so that one cluster's trouble was every cluster's.
"""

from typing import Literal

from pydantic import Field

from lab.core.strict import Strict

PREFIX = "neighbour"
"""Its pods, and so its members of a pool, are called `neighbour-...`; its series and events in a history `neighbour_...`."""
Wanted = Literal["calm", "poisoned", "unasked"]
Found = Literal["calm", "poisoned", "unknown"]
"""What may be expected of it, and what may have become of it."""


class Neighbour(Strict):
    """The neighbour of a run: a kind cluster of one control plane and one app node, which lives as long as the run."""

    pods: int = Field(
        0,
        ge=0,
        le=30,
        description="workload pods of a second small cluster, each an app and a Consul agent without sidecars; 0: there is no such cluster",
    )
    pool: Literal["shared", "own"] = Field(
        "shared",
        description="whose gossip pool its agents join: shared (the large cluster's, as in the incident), or own (that of a Consul server in their own cluster; the control arm)",
    )
    cap_cores: float = Field(
        0.25, gt=0, le=16, description="CPU cap of its app node; five times what five idle pods take, as it must not starve by itself"
    )

    @property
    def shares_the_pool(self) -> bool:
        """Are there agents in the large cluster's pool that are not its own?"""
        return self.pods > 0 and self.pool == "shared"


def is_neighbour(member: str) -> bool:
    """Is that the name of one of the neighbour's members?"""
    return member.startswith(f"{PREFIX}-")
