"""Independent pieces of a computation on all cores, with progress and a bound."""

import multiprocessing
import os
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

from lab.core.errors import Aborted
from lab.core.progress import Step

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


def on_all_cores(jobs: Mapping[Key, Callable[[], Found]], step: Step, allowed_s: float, instead: str) -> dict[Key, Found]:
    """What each job gave, in the order of `jobs`.

    Args:
        jobs: are pickled, and so is what they give.
        step: told how many are done.
        allowed_s: for all of them together.
        instead: what a user may run when that is too little.

    Raises:
        Aborted: the time is up; jobs that run end first.
    """
    found: dict[Key, Found] = {}
    for key, gave in as_finished(jobs, allowed_s, instead):
        found[key] = gave
        step.say(f"{len(found)} of {len(jobs)}")
    return {key: found[key] for key in jobs}


def as_finished(jobs: Mapping[Key, Callable[[], Found]], allowed_s: float, instead: str) -> Iterator[tuple[Key, Found]]:
    """The same, each with its key, as they end. When it is left early, no more jobs begin.

    Raises:
        Aborted: the time is up.
    """
    done = 0
    with ProcessPoolExecutor(min(len(jobs), len(os.sched_getaffinity(0))), multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(job): key for key, job in jobs.items()}
        try:
            for ended in as_completed(running, timeout=allowed_s):
                yield running[ended], ended.result()
                done += 1
        except TimeoutError as late:
            raise Aborted("finish the computation", f"{done} of {len(jobs)} parts were done after {allowed_s:.0f} s", instead) from late
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
