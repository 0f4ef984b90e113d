"""What can go wrong, sorted by what the caller should do about it.

LabError                 anything the lab refuses, loses or cannot finish      exit 4
|- Refused               stop: the request cannot be carried out as it stands   exit 2
|- Unavailable           retry later: something that should answer does not     exit 4
|- Aborted               the run was given up before it could be judged         exit 4
`- NotHealed             do not reuse the cluster: a fault could not be undone  exit 5
"""

from typing import ClassVar


class LabError(Exception):
    """What was tried, what came back, what to do next.

    Args:
        tried: the action and its object, as a phrase ("start the engine").
        came_back: what the system answered, shortened by the caller.
        next_step: a command that can be pasted, or one sentence.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, tried: str, came_back: str = "", next_step: str = "") -> None:
        super().__init__(tried, came_back, next_step)
        self.tried = tried
        self.came_back = came_back
        self.next_step = next_step

    def __str__(self) -> str:
        lines = [f"could not {self.tried}"]
        if self.came_back:
            lines.append(f"  came back: {self.came_back}")
        if self.next_step:
            lines.append(f"  next: {self.next_step}")
        return "\n".join(lines)


class Refused(LabError):
    """The request is wrong or unsafe as it stands; nothing was changed."""

    exit_code = 2


class Unavailable(LabError):
    """A part that should answer does not; the same call may work later."""


class Aborted(LabError):
    """The run was given up before it could be judged."""


class NotHealed(LabError):
    """A fault could not be undone or could not be seen to be undone."""

    exit_code = 5
