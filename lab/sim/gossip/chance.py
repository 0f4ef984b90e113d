"""Random numbers with their state in the pool, so that the same seed gives the same run on any machine (SplitMix64)."""

import math

import numpy as np

from lab.sim.compiled import compiled
from lab.sim.gossip.state import Pool

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _32, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32), np.uint64(11)


@compiled
def draw(pool: Pool) -> np.uint64:
    """64 random bits. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014)."""
    state = pool.chance[0] + _STEP
    pool.chance[0] = state
    mixed = (state ^ (state >> _30)) * _FIRST
    mixed = (mixed ^ (mixed >> _27)) * _SECOND
    return np.uint64(mixed ^ (mixed >> _31))


@compiled
def below(pool: Pool, bound: int) -> int:
    """A whole number in 0 .. bound - 1; `bound` at least 1 and below 2^32."""
    return int(np.int64(((draw(pool) >> _32) * np.uint64(bound)) >> _32))


@compiled
def share(pool: Pool) -> float:
    """A number in [0, 1)."""
    return float(draw(pool) >> _11) / 9007199254740992.0


@compiled
def poisson(pool: Pool, mean: float) -> int:
    """A Poisson number, by the product of uniform ones, in pieces that do not underflow. Source: D. Knuth, The Art of Computer Programming 2, 3.4.1, algorithm Q."""
    count, left = 0, mean
    while left > 0:
        floor, product = math.exp(-min(left, 500.0)), share(pool)
        while product > floor:
            product *= share(pool)
            count += 1
        left -= 500.0
    return count
