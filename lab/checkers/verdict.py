"""The verdict of a run and its form on disk, verdict.json."""

import json
from typing import Any, Literal

from pydantic import Field

from lab.checkers.claims import Claims
from lab.checkers.neighbour import NeighbourVerdict
from lab.checkers.pool import Pool
from lab.checkers.requests import RequestSummary
from lab.checkers.result import LinkResult, Strict
from lab.checkers.trust import LabCost, Logs
from lab.core.neighbour import Wanted

Answer = Literal["held", "deviated", "unknown"]
RunStatus = Literal["completed", "aborted", "interrupted"]


class ExpectedVerdict(Strict):
    """What the experiment said it would show."""

    verdict: Literal["held", "deviated"]
    links: list[int]
    neighbour: Wanted = "unasked"


class Metastable(Strict):
    """Was the bad state still there a stated time after its cause was gone? `verdict` null: cannot tell."""

    verdict: bool | None
    reason: str
    judged_at_s: float | None = None
    recovered_at_s: float | None = Field(None, description="when all links from 3 on were back; null: not within the watch")


class Evidence(Strict):
    """Figures that stand behind the verdict."""

    claims: Claims | None
    strict_order: bool = Field(description="the links fired also in the order of their numbers")
    out_of_order: list[str]
    pool: Pool | None = Field(None, description="what the gossip pool did after its agents were killed; null where none were")
    neighbour: NeighbourVerdict | None = Field(None, description="what became of the second cluster; null where there was none")


class Verdict(Strict):
    """The judgement of one run. Seconds are on the run clock."""

    schema_version: Literal[1] = 1
    experiment: str
    status: RunStatus
    verdict: Answer
    expected: ExpectedVerdict
    as_expected: bool = Field(
        description="completed, nothing in doubt, the expected verdict, the expected links in order of cause, and of the neighbour what was expected"
    )
    reasons: list[str]
    warnings: list[str]
    links: list[LinkResult]
    metastable: Metastable
    logs: Logs | None
    requests: RequestSummary | None
    fidelity: Any = Field(description="how the lab differs from what it stands for, as the run's opening event states it")
    lab: LabCost
    evidence: Evidence

    def to_json(self) -> str:
        """The text of verdict.json."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Verdict":
        """Read what `to_json` wrote.

        Raises:
            pydantic.ValidationError: the text is not a verdict.
        """
        return cls.model_validate_json(text)

    def link(self, number: int) -> LinkResult:
        """The result of one link."""
        return next(result for result in self.links if result.link == number)


def schema_text() -> str:
    """The JSON Schema of verdict.json, as published in verdict.schema.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Verdict.model_json_schema(mode="serialization")}
    return json.dumps(schema, indent=2) + "\n"
