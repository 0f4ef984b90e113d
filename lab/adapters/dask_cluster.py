"""Jobs on a Dask cluster that the user runs: sent to its scheduler, done by its workers, taken back as they end.

The lab starts no cluster of its own and none is left behind: when the connection is closed, the scheduler forgets what it was asked for.
"""

import socket
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import urlsplit

from lab.core.errors import Aborted, LabError, Refused, Unavailable
from lab.core.paths import add_packages

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

ANSWER_S = 10.0
"""Chosen: a scheduler answers in milliseconds; more only makes a machine that is gone slower to notice."""
WORKER_S = 60.0
"""Chosen: workers that were started together with the scheduler are there after some seconds; a batch system may take longer and is to be waited for by its user."""


def as_finished(jobs: Mapping[Key, Callable[[], Found]], scheduler: str, allowed_s: float) -> Iterator[tuple[Key, Found]]:
    """What each job gave, with its key, as they end. When it is left early, jobs that have not begun are not done any more.

    A job whose worker is lost is done again by another one, up to three times (`distributed.scheduler.allowed-failures`).

    Args:
        jobs: are pickled, and so is what they give; their code must be installed where the scheduler and the workers run.
        scheduler: address, such as tcp://10.0.0.5:8786.
        allowed_s: for all of them together.

    Raises:
        Refused: Dask is not installed, or the address is not one.
        Unavailable: no scheduler or no worker answers.
        Aborted: the time is up, a job failed, or the scheduler was lost.
        LabError: what a job raised.
    """
    dask = _dask(scheduler)
    with _client(dask, scheduler) as client:
        sent = [(key, client.submit(job, pure=False)) for key, job in jobs.items()]
        keys, done = {future.key: key for key, future in sent}, 0
        ended = dask.as_completed([future for _, future in sent], loop=client.loop, timeout=allowed_s)
        sent.clear()  # the workers let go of what nobody here holds any more
        try:
            for future in ended:
                yield keys[future.key], _given(future, scheduler)
                done += 1
        except TimeoutError as late:
            came_back = f"{done} of {len(keys)} were done after {allowed_s:.0f} s"
            raise Aborted(f"finish the jobs at {scheduler}", came_back, "more workers, or fewer jobs") from late


def _dask(scheduler: str) -> Any:
    try:
        return import_module("distributed")
    except ImportError as error:
        came_back = "the package distributed is not installed"
        raise Refused(f"send jobs to the Dask scheduler {scheduler}", came_back, add_packages("--extra distributed")) from error


@contextmanager
def _client(dask: Any, scheduler: str) -> Iterator[Any]:
    tried = f"send jobs to the Dask scheduler {scheduler}"
    try:
        _reach(scheduler)
        client = dask.Client(scheduler, timeout=ANSWER_S, set_as_default=False, name="cascade-lab")
    except ValueError as error:
        raise Refused(tried, str(error), "give its address as `dask scheduler` prints it, such as tcp://10.0.0.5:8786") from error
    except OSError as error:  # a TimeoutError is one
        raise Unavailable(tried, str(error), "start one: dask scheduler") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER_S)
        except TimeoutError as error:
            raise Unavailable(tried, f"it has no worker after {WORKER_S:.0f} s", f"dask worker {scheduler} --nthreads 1") from error
        yield client


def _reach(scheduler: str) -> None:
    """Dask's own client tries a port that nobody listens at for a long time, and does not end well where it gives up."""
    address = urlsplit(scheduler)
    if address.scheme not in {"tcp", "tls"} or not address.hostname or not address.port:
        raise ValueError("it is not tcp://HOST:PORT or tls://HOST:PORT")
    socket.create_connection((address.hostname, address.port), timeout=ANSWER_S).close()


def _given(ended: Any, scheduler: str) -> Any:
    if ended.status == "finished":
        return ended.result()
    error = ended.exception() if ended.status == "error" else None
    if isinstance(error, LabError):
        raise error
    came_back = f"{type(error).__name__}: {error}" if error else f"it is {ended.status}: the scheduler was lost"
    raise Aborted(f"do a job at {scheduler}", came_back, "see what the workers print") from error
