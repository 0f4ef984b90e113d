"""Which of the three pools simulates so many members: the exact one, a sample of members, or a sample of members and of names."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lab.sim.gossip.layout import Actions, Rules, Size
from lab.sim.gossip.pool import NAMES_MAX as EXACT_NAMES_MAX
from lab.sim.gossip.pool import GossipPool
from lab.sim.gossip.sampled import NAMES_MAX, SampledPool
from lab.sim.gossip.thinned import ThinnedPool

EXACT_MEMBERS = 2_500
"""Most members at the start of which `pool_of` makes an exact pool. Chosen: memory and time go with the names that come to run, 0.5 GB of 2,500 and 4.5 GB of
the 8,000 that an exact pool holds at most; more members would leave no room for newcomers."""
WHOLE_MEMBERS = 10_000
"""Most members at the start of which all names are held. Chosen: a pool per node and each of ten pools of 41,000 agents are below it; a storm among 10,000 costs
0.1 s of CPU a second."""
KEPT_MEMBERS = 2_500
"""Above that, most members at the start whose names are kept. Chosen: shares of them have a sampling error of 1 % at most, far below that of 128 followed members."""


def is_exact(members: int) -> bool:
    """Does `pool_of` follow each of so many members?"""
    return members <= EXACT_MEMBERS


def names_max(members: int) -> int:
    """Most names of a pool that begins with so many members."""
    return EXACT_NAMES_MAX if is_exact(members) else NAMES_MAX


def times_of(members: int) -> int:
    """Names that each kept name stands for; 1 where all are held."""
    return 1 if members <= WHOLE_MEMBERS else math.ceil(members / KEPT_MEMBERS)


def pool_of(size: Size, rules: Rules, chance: np.random.Generator, actions: Actions = (), observers: Sequence[int] = ()) -> GossipPool:
    """The exact pool where it is affordable, else the sampled one, or where even that is not a thinned one. All have the same methods.

    Raises:
        ValueError: more names than `names_max`, and as `GossipPool`.
    """
    times = times_of(size.members)
    if is_exact(size.members):
        return GossipPool(size, rules, chance, actions, observers)
    if times == 1:
        return SampledPool(size, rules, chance, actions, observers)
    return ThinnedPool(replace(size, times=times), rules, chance, actions, observers)
