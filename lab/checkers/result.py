"""What a checker answers for one link of the chain."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["fired", "quiet", "unknown", "unmeasured"]
"""Unknown is what was asked and not learnt; unmeasured what this run never asked."""


class Strict(BaseModel):
    """Base of everything that is written to verdict.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SteadyRange(Strict):
    """Where a measure lies while nothing is broken: 1st and 99th percentile of `n` samples of the steady phase."""

    low: float
    high: float
    n: int = Field(ge=1)


class LinkResult(Strict):
    """One link of the chain, judged. Times are seconds on the run clock; they are null where nothing fired."""

    link: int
    title: str
    status: Status
    measure: str = Field(description="what was measured, in words")
    steady: SteadyRange | None = Field(None, description="range of the measure in the steady phase")
    fired_at_s: float | None = None
    after: int | None = Field(None, description="the link that came before this one in order of cause, and fired")
    lag_s: float | None = Field(None, description="seconds from `after` to this link")
    peak: float | None = Field(None, description="largest value of the measure after the steady phase")
    unit: str
    recovered_at_s: float | None = Field(None, description="from here on back in the steady range; null: never within the watch (censored)")
    reason: str = Field(description="one sentence: why this status")
    evidence: dict[str, Any] = Field(default_factory=dict)
