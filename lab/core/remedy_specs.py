"""What an experiment file may say of each remedy that acts in the middle of a run. What a remedy sets before a run is a field of its own."""

from typing import Any, Literal

from pydantic import Field

from lab.core.fault_specs import ActTimes


class RemedyTimes(ActTimes):
    """When a remedy begins, and by when it is over, in seconds after the steady phase; it may act in any phase."""

    remedy: str

    @property
    def act(self) -> str:
        """Its name in the fault table, which holds remedies too: both are undone by the same ledger."""
        return self.remedy

    def settings(self) -> dict[str, Any]:
        """What makes the remedy; times are the timeline's business."""
        return self.model_dump(mode="json", exclude=set(RemedyTimes.model_fields))


class RedeployAgentsSpec(RemedyTimes):
    """Replace all agents a share at a time, servers included, with a new key or with nothing new; what is not done by heal_at_s is left as it stands."""

    remedy: Literal["redeploy-agents"]
    key: Literal["new", "unchanged"] = Field(
        "new", description="new: one that the old agents do not have, the cure; unchanged: redeployment alone, its control"
    )
    verify: bool = Field(default=True, description="refuse gossip that is not encrypted; without it old agents are still believed")
    share_at_once: float = Field(
        0.25, gt=0, le=1, description="share of the pods that may be away at one time; chosen: Kubernetes' own default for a rolling update"
    )
    mark: str = Field("1", pattern=r"^[a-z0-9-]{1,20}$", description="names this redeployment; two in one run need two names")


RemedySpec = RedeployAgentsSpec
"""One remedy of an experiment."""

REMEDY_SPECS: dict[str, type[RemedyTimes]] = {"redeploy-agents": RedeployAgentsSpec}
"""Name -> what may be said of it."""
