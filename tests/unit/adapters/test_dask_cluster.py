"""Jobs on a Dask cluster: taken back as they end, done again where a worker is lost, and every failure in the lab's own words."""

import operator
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab.adapters import dask_cluster
from lab.adapters.dask_cluster import as_finished
from lab.core.errors import Aborted, LabError, Refused, Unavailable
from tests.dask_local import local_cluster


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with local_cluster() as cluster:
        yield cluster.scheduler_address


def own_process(_number: int) -> int:
    return os.getpid()


def ends_its_worker_once(mark: Path) -> str:
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def refuses() -> None:
    raise Refused("do it", "it is wrong", "do another")


def test_each_job_is_done_once_by_the_workers_and_comes_back_with_its_key(scheduler: str) -> None:
    found = dict(as_finished({number: partial(own_process, number) for number in range(20)}, scheduler, 60.0))
    assert sorted(found) == list(range(20))
    assert os.getpid() not in found.values()


def test_a_job_whose_worker_is_lost_is_done_by_another(scheduler: str, tmp_path: Path) -> None:
    jobs = {"killed": partial(ends_its_worker_once, tmp_path / "mark"), "other": partial(operator.add, "do", "ne")}
    assert dict(as_finished(jobs, scheduler, 120.0)) == {"killed": "done", "other": "done"}
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("job", "raised", "said"),
    [(refuses, Refused, "it is wrong"), (partial(operator.truediv, 1, 0), Aborted, "ZeroDivisionError: division by zero")],
)
def test_a_job_that_fails_there_fails_here(scheduler: str, job: Callable[[], Any], raised: type[LabError], said: str) -> None:
    with pytest.raises(raised, match=said):
        list(as_finished({1: job}, scheduler, 60.0))


def test_time_that_is_up_ends_it(scheduler: str) -> None:
    with pytest.raises(Aborted, match="0 of 1 were done after 0 s"):
        list(as_finished({1: partial(operator.add, 1, 1)}, scheduler, 0.0))


@pytest.mark.parametrize("address", ["10.0.0.5:8786", "tcp://10.0.0.5", "http://10.0.0.5:8786", "tcp://10.0.0.5:99999"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="as `dask scheduler` prints it"):
        list(as_finished({1: dict}, address, 60.0))


def test_a_scheduler_that_is_not_there_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(Unavailable, match="Connection refused"):
        list(as_finished({1: dict}, f"tcp://127.0.0.1:{port}", 60.0))


def test_a_scheduler_without_workers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "WORKER_S", 0.2)
    with local_cluster(workers=0) as cluster, pytest.raises(Unavailable, match="it has no worker after 0 s"):
        list(as_finished({1: dict}, cluster.scheduler_address, 60.0))


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Refused) as refused:
        list(as_finished({1: dict}, "tcp://127.0.0.1:8786", 60.0))
    assert refused.value.next_step.endswith("tools/bin/uv sync --frozen --inexact --extra distributed")
