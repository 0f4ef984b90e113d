"""Have the gossip pool's machine code ready before a run, so that its minute of compiling is seen as what it is."""

import numpy as np

from lab.sim.gossip import script
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size


def warm() -> None:
    """Load the compiled code, or compile it and keep it; a pool of four members runs for a second."""
    pool = GossipPool(Size(4, 5, samples=2, notes=10), Rules(), np.random.default_rng(0), [Action(10, script.START, 4, 0)], observers=[0])
    pool.run(1.0)
