"""What the command line answers when it is called in this process."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    code: int
    text: str


Lab = Callable[..., Answer]
