"""Independent pieces of a computation on all cores, with progress and a bound."""

import multiprocessing
import os
from collections.abc import Callable, Hashable, Mapping
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
    workers = min(len(jobs), len(os.sched_getaffinity(0)))
    found: dict[Key, Found] = {}
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(job): key for key, job in jobs.items()}
        try:
            for done in as_completed(running, timeout=allowed_s):
                found[running[done]] = done.result()
                step.say(f"{len(found)} of {len(jobs)}")
        except TimeoutError as late:
            pool.shutdown(wait=False, cancel_futures=True)
            raise Aborted(
                "finish the computation", f"{len(found)} of {len(jobs)} parts were done after {allowed_s:.0f} s", instead
            ) from late
    return {key: found[key] for key in jobs}
