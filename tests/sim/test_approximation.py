"""The sampled pool against the exact one, and what must always hold of its groups and rows. The whole table: approximation.md."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lab.sim import approximation
from lab.sim.approximation import SCENARIOS, Line, compare, run
from lab.sim.constants import SWIM
from lab.sim.gossip import script, state
from lab.sim.gossip.pool import Action, Rules, Size
from lab.sim.gossip.sampled import SampledPool
from lab.sim.gossip.state import ABSENT, ALIVE, DEAD, HINDERED, SUSPECT
from tests.sim.reading import digest, each_row, knowers, lap, phantoms, queued, suspecting
from tests.sim.test_gossip import churn

KNOWN_MISSES = {("slow members", "queued"): 0.45, ("slow members, SWIM", "queued"): 0.54}
"""Measures that do not agree at 250 members, with their residual: what else fails here is a fault, and so is a residual that has changed.

Queues of hindered members are four times too long, those of steady ones agree within 5 %. Cause: pings that wait in the socket of a blocked member are answered when
it wakes, and each ack carries a packet of its queue. In the sample only pings of followed members wait there, a quarter of all at this size."""

IN_MAKE_TEST = ("deaths", "churn", "slow members", "encryption in nine of ten")
"""The other scenarios are compared by `make timing`, as they take minutes together."""


def known(line: Line) -> bool:
    """A known miss, at the residual that is stated for it?"""
    stated = KNOWN_MISSES.get((line.scenario, line.measure))
    within = approximation.STANDARD_ERRORS * line.error / line.exact + approximation.SHARE if line.exact else 0.0
    return stated is not None and abs(line.residual - stated) <= within


def told(lines: Sequence[Line]) -> list[str]:
    """Lines that are not as they should be: agreeing, or missing by as much as is known."""
    return [
        f"{line.scenario}, {line.measure}: {line.sampled:.4g} against {line.exact:.4g}, standard error {line.error:.2g}"
        for line in lines
        if not (known(line) if (line.scenario, line.measure) in KNOWN_MISSES else line.agrees)
    ]


def some(names: Iterable[str]) -> list[Any]:
    """Scenarios as parameters: those that `make test` leaves out are marked."""
    return [pytest.param(name, marks=() if name in IN_MAKE_TEST else pytest.mark.timing) for name in names]


@pytest.mark.parametrize("name", some(SCENARIOS))
def test_a_sample_of_64_tells_what_250_members_tell(name: str) -> None:
    exact = [run(name, 250, seed) for seed in range(3)]
    sampled = [run(name, 250, seed, followed=64) for seed in range(10, 16)]
    assert told(list(compare(name, 250, exact, sampled))) == []


@pytest.mark.parametrize("name", some(["churn", "slow members, SWIM", "encryption and back"]))
def test_with_a_row_for_each_name_nothing_is_left_to_rates(name: str) -> None:
    exact = [run(name, 100, seed) for seed in range(6)]
    sampled = [run(name, 100, seed, followed=200) for seed in range(10, 16)]
    assert [line for line in compare(name, 100, exact, sampled) if not line.agrees] == []


def test_a_difference_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = [run("slow members", 120, seed) for seed in range(2)]
    monkeypatch.setitem(approximation.SCENARIOS, "slow members", replace(SCENARIOS["slow members"], rules=Rules(lifeguard=SWIM)))
    other = [run("slow members", 120, seed, followed=64) for seed in range(10, 12)]
    assert any("health score" in line for line in told(list(compare("slow members", 120, exact, other))))


def test_a_miss_that_has_changed_would_be_seen() -> None:
    line = Line("slow members", 250, "queued", 3.0, 4.35, 0.1)
    assert told([line]) == []
    assert told([replace(line, sampled=3.0)]) != []
    assert told([replace(line, sampled=5.5)]) != []


def a_sampled_pool(seed: int, followed: int = 24) -> SampledPool:
    """Deaths, departures, newcomers, blocked windows, slow handlers, and two keys."""
    actions = churn(90, 150, seed)
    keyed = [member for member in range(90) if member % 3 == 0]
    actions += [Action(30_000, script.KEY, member, 1) for member in keyed] + [Action(30_000, script.ACCEPT, member, 3) for member in keyed]
    return SampledPool(
        Size(90, 150, 200, notes=20_000), Rules(loss=0.02), np.random.default_rng(seed), actions, observers=[4], followed=followed
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_groups_lists_and_queues_agree_with_the_views_whatever_happens(seed: int) -> None:
    pool = a_sampled_pool(seed)
    for until_s in (10, 25, 45, 70, 110, 160):
        pool.run(until_s)
        check_arrays(pool)


def check_arrays(pool: SampledPool) -> None:
    arrays, states = pool.arrays, pool.states
    rows = np.flatnonzero(arrays.follows != state.NONE)
    follows = arrays.follows[rows]
    assert pool.running[follows].all()
    assert (arrays.members["row"][follows] == rows).all()
    assert (arrays.members["row"] >= 0).sum() == len(rows)
    knows = (states[rows] == ALIVE) | (states[rows] == SUSPECT)
    assert (knowers(arrays) == knows.sum(axis=0)).all()
    assert (each_row(arrays, "queued_n") == queued(arrays).sum(axis=1)).all()
    assert (suspecting(arrays)[rows] == (states[rows] == SUSPECT)).all()
    kept, summed = phantoms(arrays)
    assert kept == summed
    for row in rows:
        assert lap(arrays, row) == list(np.flatnonzero(states[row] != ABSENT))
    check_groups(pool, rows)


def check_groups(pool: SampledPool, rows: np.ndarray) -> None:
    arrays, members = pool.arrays, pool.arrays.members
    counted = pool.running & (members["observer"] == 0)
    sample = rows[counted[arrays.follows[rows]]]
    for group in range(state.GROUPS):
        of_group = sample[members["group"][arrays.follows[sample]] == group]
        assert arrays.groups[group, state.MEMBERS_N] == (counted & (members["group"] == group)).sum()
        assert arrays.groups[group, state.ROWS_N] == len(of_group)
        for column, kinds in enumerate(([ALIVE], [SUSPECT], [DEAD, state.LEFT])):
            assert (arrays.held[:, group, column] == np.isin(pool.states[of_group], kinds).sum(axis=0)).all()
    assert arrays.tongues[:, state.ALL_MEMBERS].sum() == pool.running.sum()
    assert arrays.tongues[:, state.ALL_ROWS].sum() == len(rows)


def test_who_ends_is_followed_by_another_and_the_observer_by_nobody() -> None:
    victims = [Action(1000 + 100 * number, script.KILL, number) for number in range(60)]
    pool = SampledPool(Size(100, 100, 20), Rules(), np.random.default_rng(1), victims, observers=[70, 3], followed=20)
    pool.run(20)
    assert (pool.arrays.follows == 70).sum() == 1
    assert (pool.arrays.follows == state.NONE).sum() == 1
    assert pool.running[pool.arrays.follows[pool.arrays.follows >= 0]].all()


def test_newcomers_are_followed_in_proportion_to_their_number() -> None:
    joins = [Action(1000 + 50 * number, script.START, name, name % 3) for number, name in enumerate(range(200, 600))]
    shares = []
    for seed in range(12):
        pool = SampledPool(Size(200, 600, 40), Rules(), np.random.default_rng(seed), joins, followed=40)
        pool.run(22)
        shares.append(float((pool.arrays.follows >= 200).mean()))
    assert np.mean(shares) == pytest.approx(2 / 3, abs=0.07)


def test_the_few_that_are_hindered_are_followed_first() -> None:
    pool = SampledPool(Size(400, 400, 10), Rules(), np.random.default_rng(1), followed=40)
    pool.mark_anomalous(range(7))
    assert set(range(5)) <= set(pool.arrays.follows)
    assert (pool.arrays.members["group"][:7] & 1 == HINDERED).all()


def test_a_member_without_a_row_refutes_what_is_said_of_it() -> None:
    blocked = [Action(5000, script.BLOCK, member, 9000) for member in range(100, 110)]
    pool = SampledPool(Size(400, 400, 60), Rules(), np.random.default_rng(1), blocked, followed=40)
    pool.run(60)
    accused = [member for member in range(100, 110) if pool.arrays.members["inc"][member] > 1]
    assert len(accused) >= 8
    assert (pool.states[:, 100:110] == ALIVE).all()


def test_an_observer_notes_a_death_and_its_list_shows_it() -> None:
    pool = SampledPool(
        Size(500, 500, 60, notes=100), Rules(), np.random.default_rng(1), [Action(5000, script.KILL, 77)], observers=[0], followed=40
    )
    pool.run(60)
    assert [tuple(note[1:4]) for note in pool.notes] == [(0, 77, DEAD)]
    assert 10_000 < pool.notes[0][0] < 40_000
    assert pool.seen_by(0)[77] == DEAD
    with pytest.raises(ValueError, match="not followed"):
        pool.seen_by(77)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    runs = []
    for seed in (3, 3, 4):
        pool = a_sampled_pool(seed)
        pool.run(60)
        runs.append(digest(pool))
    assert runs[0] == runs[1] != runs[2]


def test_packets_of_the_followed_are_their_own_and_of_others_the_mean_of_their_group() -> None:
    pool = SampledPool(Size(400, 400, 20), Rules(), np.random.default_rng(1), followed=40)
    pool.run(20)
    each = pool.packets_of(np.arange(400))
    followed = pool.arrays.follows
    assert each[followed].sum() == pytest.approx(each.mean() * 40)
    assert len(np.unique(np.delete(each, followed))) == 1
    assert each.mean() == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize(("names", "observers"), [(2_000_000, 0), (100, 40)])
def test_a_sample_without_room_is_refused(names: int, observers: int) -> None:
    with pytest.raises(ValueError, match="rows"):
        SampledPool(Size(100, names, 0), Rules(), np.random.default_rng(1), observers=range(observers), followed=40)


def test_single_members_are_not_counted_in_a_sample() -> None:
    pool = SampledPool(Size(100, 100, 0), Rules(lifeguard=SWIM), np.random.default_rng(1), followed=40)
    with pytest.raises(ValueError, match="single members"):
        pool.total("packets", np.ones(100, bool))
