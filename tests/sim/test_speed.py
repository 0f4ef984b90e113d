"""What simulated time costs: the bounds that the simulator promises on one core. Wants a quiet machine."""

import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lab.sim.gossip import script
from lab.sim.gossip.choice import pool_of
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size

TWO_HOURS = {"steady_s": 3515, "outage_s": 40, "flood_s": 45, "recovery_s": 3600}
"""Phases of a cascade. An hour is the most that an experiment may ask for of one."""


def churned(members: int, seconds: int) -> tuple[GossipPool, float]:
    """A pool in which each second one of 7,000 dies and one joins, newcomers last, and the CPU seconds it took."""
    chance, every_ms = np.random.default_rng(1), 7_000_000 // members
    moments = np.arange(1000, 1000 * seconds, every_ms)
    names = members + np.arange(len(moments))
    victims = np.concatenate([chance.permutation(np.arange(3, members)), names])[: len(moments)]
    kills = np.stack([moments, np.full(len(moments), script.KILL), victims, np.zeros(len(moments), np.int64)], axis=1)
    starts = np.stack([moments, np.full(len(moments), script.START), names, names % 3], axis=1)
    pool = pool_of(
        Size(members, members + len(moments), seconds), Rules(), np.random.default_rng(2), np.concatenate([kills, starts]), observers=[0]
    )
    begin_s = time.process_time()
    pool.run(seconds)
    return pool, time.process_time() - begin_s


@pytest.mark.timing
def test_cost_grows_no_faster_than_the_power_1_2_of_the_members(record_property: Callable[[str, object], None]) -> None:
    churned(3000, 2)
    sizes = (5_000, 10_000, 20_000, 41_000)
    costs = [churned(members, 120)[1] for members in sizes]
    exponent = float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
    record_property("exponent", exponent)
    assert exponent <= 1.2


@pytest.mark.timing
def test_1_000_members_each_exact_take_ten_minutes_in_ten_seconds(record_property: Callable[[str, object], None]) -> None:
    """A death and a join every second."""
    actions = [Action(1000 * at_s, script.KILL, 2 + at_s) for at_s in range(1, 600)]
    actions += [Action(1000 * at_s, script.START, 999 + at_s, at_s % 3) for at_s in range(1, 600)]
    GossipPool(Size(10, 10, 0), Rules(), np.random.default_rng(1)).run(1)
    pool = GossipPool(Size(1000, 1600, 600), Rules(), np.random.default_rng(1), actions)
    begin_s = time.process_time()
    pool.run(600)
    took_s = time.process_time() - begin_s
    record_property("took_s", took_s)
    assert pool.samples[-1, 1] == 1000
    assert took_s <= 10


@pytest.mark.timing
def test_41_000_members_take_two_hours_in_a_minute_and_4_gib(record_property: Callable[[str, object], None]) -> None:
    churned(3000, 2)
    pool, took_s = churned(41_000, 7200)
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    record_property("took_s", took_s)
    record_property("peak_gib", peak_gib)
    assert math.isclose(pool.samples[-1, 1], 41_000, rel_tol=0.002)
    assert took_s <= 60
    assert peak_gib <= 4


@pytest.mark.timing
def test_a_cascade_among_41_000_agents_takes_two_hours_in_a_minute_and_4_gib(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The whole command: pool, chain, history, verdict and page. User and system seconds of the process."""
    options = [word for name, seconds in TWO_HOURS.items() for word in ("--set", f"{name}={seconds}")]
    argv = [sys.executable, "-c", "from lab.cli.main import main; main()", "run", "cascade", "--world", "sim", "--set", "agents=41000"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run([*argv, *options, "--out", str(tmp_path / "run")], capture_output=True, text=True, timeout=1800, check=False)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s, peak_gib = used.ru_utime - before.ru_utime + used.ru_stime - before.ru_stime, used.ru_maxrss / 2**20
    record_property("took_s", took_s)
    record_property("peak_gib", peak_gib)
    assert ran.returncode == 0, ran.stderr
    assert "link 10 Does not calm down" in ran.stdout
    assert took_s <= 60
    assert peak_gib <= 4
