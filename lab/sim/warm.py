"""Have the gossip pool's machine code ready before a run, so that its minute of compiling is seen as what it is."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from lab.sim.compiled import folder
from lab.sim.gossip import script
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size


def warm() -> None:
    """Load the compiled code, or compile it and keep it; a pool of four members runs for a second. Of several processes one compiles, the others wait."""
    with _one_at_a_time():
        pool = GossipPool(
            Size(4, 5, samples=2, notes=10), Rules(), np.random.default_rng(0), [Action(10, script.START, 4, 0)], observers=[0]
        )
        pool.run(1.0)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Holds the lock on the folder of the compiled code, if there is one; the system lets go of it when the process ends."""
    place = folder()
    if place is None:
        yield
        return
    with (place / "lock").open("w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
