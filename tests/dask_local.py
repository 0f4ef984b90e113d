"""A real Dask cluster on this machine's loopback: worker processes of one thread each."""

from collections.abc import Iterator
from contextlib import contextmanager

from distributed import LocalCluster


@contextmanager
def local_cluster(workers: int = 2) -> Iterator[LocalCluster]:
    """Port 0: any that is free, also of the scheduler's page, which no option leaves out; without Bokeh it is no dashboard."""
    with LocalCluster(n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        yield cluster
