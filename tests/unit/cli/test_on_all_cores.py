"""Pieces of a computation in other processes: the same bytes, the same errors."""

import hashlib
from functools import partial

import numpy as np
import pytest

from lab.cli.console import terminal
from lab.cli.on_all_cores import on_all_cores
from lab.sim.gossip import script
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size
from lab.sim.gossip.sampled import SampledPool

SEEDS = range(7, 12)


def small_runs(seed: int) -> str:
    """A digest of an exact and of a sampled pool's run."""
    told = hashlib.sha256()
    actions = [Action(2000, script.KILL, 3), Action(3000, script.START, 60, 0), Action(4000, script.BLOCK, 5, 9000)]
    for pool in (
        GossipPool(Size(60, 61, 20), Rules(), np.random.default_rng(seed), actions),
        SampledPool(Size(60, 61, 20), Rules(), np.random.default_rng(seed), actions, followed=16),
    ):
        pool.run(20)
        told.update(pool.samples.tobytes() + pool.states.tobytes() + pool.counts.tobytes())
    return told.hexdigest()


def test_other_processes_give_the_bytes_of_this_one_in_the_order_of_the_jobs() -> None:
    with terminal().step("small runs", 300.0) as step:
        spread = on_all_cores({seed: partial(small_runs, seed) for seed in SEEDS}, step, 300.0, "fewer seeds")
    here = {seed: small_runs(seed) for seed in SEEDS}
    assert list(spread.items()) == list(here.items())
    assert len(set(here.values())) == len(SEEDS)


def fails(case: int) -> int:
    raise ValueError(f"case {case}")


def test_a_job_that_fails_in_another_process_fails_here() -> None:
    with terminal().step("fails", 60.0) as step, pytest.raises(ValueError, match="case 4"):
        on_all_cores({4: partial(fails, 4)}, step, 60.0, "nothing")
