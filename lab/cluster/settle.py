"""Wait for a condition with a bound, and say what was last seen.

The only loop that waits in the cluster's code.
"""

from collections.abc import Callable

from lab.core.clock import Clock
from lab.core.errors import Aborted, LabError, Refused
from lab.core.progress import Progress

POLL_S = 0.5
"""Chosen: a condition is seen at most half a second late; each look costs the API server one cheap read."""


def until(progress: Progress, clock: Clock, title: str, look: Callable[[], str], allowed_s: float, poll_s: float = POLL_S) -> None:
    """Look until nothing is missing.

    Args:
        progress: shows what is missing.
        clock: paces the looks.
        title: what is waited for.
        look: says what is still missing, or "" when all is there. A part that does not answer yet counts as missing; a refusal is passed on,
            as no waiting helps against it.
        allowed_s: gives up after so long.
        poll_s: pause between two looks.

    Raises:
        Aborted: the time is up; the message says what was last seen.
    """
    with progress.step(title, allowed_s) as step:
        give_up_s = clock.now_s() + allowed_s
        while missing := _ask(look):
            step.say(missing)
            if clock.now_s() >= give_up_s:
                raise Aborted(f"see {title} within {allowed_s:.0f} s", missing, "lab status; lab down && lab up starts afresh")
            clock.sleep(poll_s)
        step.say("")


def _ask(look: Callable[[], str]) -> str:
    try:
        return look()
    except Refused:
        raise
    except LabError as error:
        return error.came_back.splitlines()[0] if error.came_back else str(error)
