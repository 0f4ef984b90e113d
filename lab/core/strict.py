"""The base of everything that is read from an experiment file."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Nothing unknown, nothing converted: `"50"` and `true` are not numbers, `.nan` and `.inf` are not durations."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
