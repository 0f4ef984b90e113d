"""Link 5: false positives as they are seen all over the pool, and at its healthy members.

The literature counts a failure that is told of a living member at any member (FP), and apart those told by healthy members alone (FP-): a starved
member misses acknowledgements that did arrive, and what it says of the others is its own trouble. Here one random agent after the other is asked
for its view. Source: Dadgar, Phillips, Currey, "Lifeguard: Local Health Awareness for More Accurate Failure Detection" (2018), which counts events;
these are members held for failed at the time of asking. An agent too starved to answer adds nothing, so FP is a lower bound.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lab.core.errors import Unavailable
from lab.core.protocols import Reading
from lab.probes.ask import Paced, reason

HEALTHY_SCORE = 0
"""The health score of a member all of whose probes are on time (hashicorp/memberlist awareness.go)."""
TARGET = "agents"


class View(Protocol):
    """The pool as one agent sees it."""

    @property
    def name(self) -> str: ...
    @property
    def health_score(self) -> int | None: ...
    @property
    def members(self) -> Mapping[str, str]: ...


class Agents(Protocol):
    """Some agent or other; may be asked by several threads at once."""

    def view(self) -> View: ...


@dataclass(slots=True)
class ViewsProbe:
    """Members wrongly held for failed, as one random agent sees it.

    Args:
        agents: takes a new connection each time, and so another agent; its time-out is `timeout_s`.
        living: names of the agents whose processes run on this host.
        interval_s: chosen: 50 agents are each asked every four minutes on average, and a view of 300 members is 100 kB to read; less costs CPU.
        timeout_s: as for reads through agents.
    """

    agents: Agents
    living: Callable[[], set[str]]
    interval_s: float = 5.0
    timeout_s: float = 10.0
    name: str = "gossip_views"
    _paced: Paced = field(init=False)

    def __post_init__(self) -> None:
        self._paced = Paced(2, self.interval_s * 0.4)

    def sample(self) -> Sequence[Reading]:
        """`gossip_fp` as any agent sees it, `gossip_fp_minus` as one sees it that is healthy."""
        return self._paced.ask(self._ask, self.name)

    def _ask(self) -> Sequence[Reading]:
        try:
            view = self.agents.view()
        except Unavailable as error:
            return [Reading(series, TARGET, None, reason(error)) for series in ("gossip_fp", "gossip_fp_minus")]
        failed = {name for name, state in view.members.items() if state == "failed"}
        wrongly = float(len(failed & self.living()) if failed else 0)
        return [Reading("gossip_fp", TARGET, wrongly), _minus(view, wrongly)]


def _minus(view: View, wrongly: float) -> Reading:
    if view.health_score == HEALTHY_SCORE:
        return Reading("gossip_fp_minus", TARGET, wrongly)
    return Reading("gossip_fp_minus", TARGET, None, f"not asked of a healthy member: {view.name} has the score {view.health_score}")
