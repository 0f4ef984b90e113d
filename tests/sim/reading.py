"""What a pool's arrays say, in the tests' words: how they are laid out is known here alone."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from lab.sim.gossip import state
from lab.sim.gossip.pool import GossipPool
from lab.sim.gossip.state import Pool


def states(arrays: Pool) -> NDArray[np.int32]:
    """(R, M) views: ABSENT to LEFT."""
    return arrays.heard & state.STATE_BITS


def incarnations(arrays: Pool) -> NDArray[np.int32]:
    """(R, M) the incarnation that each row knows of each name."""
    return arrays.heard >> state.INC_SHIFT


def serf(arrays: Pool) -> NDArray[np.int8]:
    """(R, M) as what serf lists each name at each row."""
    return arrays.pairs["serf"]


def queued(arrays: Pool) -> NDArray[np.bool_]:
    """(R, M) whether a message about the name waits to be sent."""
    return arrays.pairs["message"] > 0


def suspecting(arrays: Pool) -> NDArray[np.bool_]:
    """(R, M) whether a suspicion runs against the name."""
    return arrays.pairs["suspicion"] > 0


def lap(arrays: Pool, row: int) -> list[int]:
    """Names in the row's member list, sorted."""
    return sorted(int(name) for name in arrays.order[row, : arrays.rows["list_n"][row]])


def each_row(arrays: Pool, count: str) -> NDArray[np.int64]:
    """(R,) what each row keeps count of: alive_n, failed_n, queued_n."""
    return arrays.rows[count]


def knowers(arrays: Pool) -> NDArray[np.int64]:
    """(M,) running rows that hold each name alive or suspect, as counted."""
    return arrays.names["knowers"]


def phantoms(arrays: Pool) -> tuple[int, int]:
    """Views that hold an ended process alive: as kept, and as they add up."""
    return int(arrays.clock[state.PHANTOMS]), int(arrays.names["knowers"][arrays.names["ended_ms"] >= 0].sum())


def digest(pool: GossipPool) -> str:
    """Of all that a run is judged by, however it is laid out."""
    arrays = pool.arrays
    parts = (states(arrays), incarnations(arrays), serf(arrays), arrays.counts, arrays.samples, pool.notes)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part, np.float64).tobytes() for part in parts)).hexdigest()
