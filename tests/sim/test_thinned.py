"""The thinned pool against the exact one, and how it stands for the names that it does not hold. The whole table: thinned.md."""

import numpy as np
import pytest

from lab.sim.approximation import FOLLOWED, TIMES, compare, run
from lab.sim.chain.likeness import GONE, LIVES, Likeness
from lab.sim.gossip import script, state
from lab.sim.gossip.choice import EXACT_MEMBERS, KEPT_MEMBERS, WHOLE_MEMBERS, pool_of, times_of
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size
from lab.sim.gossip.sampled import SampledPool
from lab.sim.gossip.thinned import HOMES, ThinnedPool
from tests.sim.reading import digest
from tests.sim.test_approximation import check_arrays, some
from tests.sim.test_gossip import churn

KNOWN_MISSES = {
    ("deaths", "packets"),
    ("deaths", "bytes"),
    ("leaving", "packets"),
    ("leaving", "bytes"),
    ("encryption in nine of ten", "bytes"),
    ("encryption in nine of ten", "queued"),
    ("a fifth is replaced", "held dead by all, s"),
    ("encryption and back", "failed in the end"),
    ("slow members, SWIM", "queued"),
    *(
        (name, what)
        for name in ("slow members", "slow members, SWIM", "everybody waits")
        for what in ("failures", "joins", "false positives", "at healthy members", "failed in the end")
    ),
}
"""Measures that do not agree; residuals and causes are in thinned.md."""


@pytest.mark.parametrize(
    "name", some(["churn", "everybody waits", "overload", "a fifth is replaced", "encryption and back", "slow members"])
)
def test_a_quarter_of_the_names_tells_what_1_000_members_tell(name: str) -> None:
    exact = [run(name, 1000, seed) for seed in range(2)]
    thinned = [run(name, 1000, seed, FOLLOWED, TIMES) for seed in range(10, 16)]
    outside = {(line.scenario, line.measure) for line in compare(name, 1000, exact, thinned) if not line.agrees}
    assert outside - KNOWN_MISSES == set()


def test_a_difference_in_the_queues_would_be_seen() -> None:
    quarter = [run("churn", 1000, seed, FOLLOWED, TIMES) for seed in range(2)]
    none = [run("churn", 250, seed, FOLLOWED) for seed in range(2)]
    assert {"queued", "held dead by all, s"} <= {line.measure for line in compare("churn", 1000, quarter, none) if not line.agrees}


def a_pool(times: int, seed: int = 1) -> ThinnedPool:
    """Deaths, departures, newcomers, blocked windows and two keys, in a pool of which one name of `times` is held."""
    actions = churn(240, 400, seed)
    keyed = [member for member in range(240) if member % 3 == 0]
    actions += [Action(30_000, script.KEY, member, 1) for member in keyed] + [Action(30_000, script.ACCEPT, member, 3) for member in keyed]
    return ThinnedPool(Size(240, 400, 200, 9000, times), Rules(loss=0.02), np.random.default_rng(seed), actions, observers=[0], followed=24)


def test_with_each_name_for_itself_it_is_the_sampled_pool_byte_for_byte() -> None:
    actions = churn(90, 150, 3)
    size = Size(90, 150, 100, 2000)
    pools = [kind(size, Rules(), np.random.default_rng(5), actions, [1], 24) for kind in (SampledPool, ThinnedPool)]
    for pool in pools:
        pool.run(60)
    assert digest(pools[0]) == digest(pools[1])


def test_groups_lists_and_queues_agree_with_the_views_whatever_happens() -> None:
    pool = a_pool(3)
    for until_s in (10, 45, 110, 160):
        pool.run(until_s)
        check_arrays(pool)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    runs = []
    for seed in (3, 3, 4):
        pool = a_pool(4, seed)
        pool.run(60)
        runs.append(digest(pool))
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("times", [1, 2, 3, 9, 17])
@pytest.mark.parametrize("homes", [0, HOMES])
def test_one_name_of_each_block_is_kept_and_found_again(times: int, homes: int) -> None:
    pool = ThinnedPool(Size(1003, 1003, 0, times=times), Rules(), np.random.default_rng(1), followed=24, homes=homes)
    members = np.arange(1003)
    kept = members[pool.is_kept(members)]
    assert len(kept) == len(pool.running)
    assert (pool.place_of(kept) == np.arange(len(kept))).all()
    assert (pool.number_of(pool.place_of(kept)) == kept).all()
    assert set(range(homes)) <= set(kept)
    assert len(set((kept[homes:] - homes) % times)) == times


def test_what_is_counted_is_the_whole_pools() -> None:
    deaths = [Action(5000, script.KILL, member) for member in range(100, 200)]
    pool = ThinnedPool(Size(2000, 2000, 60, times=5), Rules(), np.random.default_rng(1), deaths, followed=40, homes=0)
    pool.run(60)
    assert pool.samples[-1, 1] == 1900
    assert pool.samples[-1, 3] == pytest.approx(1900 * 100, rel=0.01)
    assert pool.total("failures") == pytest.approx(1900 * 100, rel=0.02)
    assert pool.total("pings") == pytest.approx(1950 * 60, rel=0.05)


def test_notes_name_members_of_the_whole_pool() -> None:
    deaths = [Action(5000, script.KILL, member) for member in range(103, 403)]
    pool = ThinnedPool(Size(2000, 2000, 60, 500, 5), Rules(), np.random.default_rng(1), deaths, observers=[0], followed=40)
    pool.run(60)
    noted = pool.notes[:, 2]
    assert len(noted) == 60
    assert pool.is_kept(noted).all()
    assert (noted >= 103).all()
    assert (noted < 403).all()
    assert (pool.notes[:, 3] == state.DEAD).all()


def test_packets_of_members_that_are_not_kept_are_those_of_who_stands_for_them() -> None:
    pool = ThinnedPool(Size(2000, 2000, 20, times=5), Rules(), np.random.default_rng(1), followed=40)
    pool.run(20)
    each = pool.packets_of(np.arange(2000))
    assert len(each) == 2000
    assert (each[HOMES : HOMES + 5] == each[HOMES]).all()
    assert each.mean() == pytest.approx(2.0, abs=0.4)


def test_the_pool_is_thinned_where_even_a_sample_is_too_much() -> None:
    def made(members: int) -> GossipPool:
        return pool_of(Size(members, members, 0), Rules(), np.random.default_rng(1))

    assert type(made(EXACT_MEMBERS)) is GossipPool
    assert type(made(WHOLE_MEMBERS)) is SampledPool
    assert type(made(WHOLE_MEMBERS + 1)) is ThinnedPool
    assert [times_of(members) for members in (WHOLE_MEMBERS, 41_003)] == [1, -(-41_003 // KEPT_MEMBERS)]


def tell(likeness: Likeness, does: np.ndarray, status: np.ndarray) -> list[int]:
    told = []
    for member, now in likeness.tell(does, status):
        status[member] = now
        told.append(member)
    return told


def test_a_note_that_is_not_so_is_told_again_of_others_in_the_same_state() -> None:
    others = np.array([False, True, True, True, True, True])
    does = np.array([LIVES, LIVES, LIVES, GONE, LIVES, LIVES], np.int8)
    status = np.array([state.DEAD, state.ALIVE, state.ALIVE, state.DEAD, state.DEAD, state.ALIVE], np.int8)
    likeness = Likeness(3, others, np.random.default_rng(1))
    likeness.noted(LIVES, state.ALIVE, state.DEAD)
    told = tell(likeness, does, status)
    assert len(told) == 2
    assert set(told) <= {1, 2, 5}
    assert (status[told] == state.DEAD).all()
    assert tell(likeness, does, status) == []


def test_no_larger_share_of_the_others_is_listed_wrongly_than_of_the_kept() -> None:
    others = np.arange(30) % 3 > 0
    does = np.repeat(np.array([LIVES, GONE], np.int8), 15)
    status = np.repeat(np.array([state.DEAD, state.ALIVE], np.int8), 15)
    status[[0, 3, 6, 9, 15]] = state.ALIVE
    tell(Likeness(3, others, np.random.default_rng(1)), does, status)
    assert (status[:15][others[:15]] == state.DEAD).sum() == 2
    assert (status[15:][others[15:]] == state.ALIVE).sum() == 10


def test_a_note_that_finds_nobody_is_told_once_somebody_is_there() -> None:
    does, status = np.array([LIVES, GONE, GONE], np.int8), np.array([state.ALIVE, 0, 0], np.int8)
    likeness = Likeness(3, np.array([False, True, True]), np.random.default_rng(1))
    likeness.noted(LIVES, 0, state.ALIVE)
    assert tell(likeness, does, status) == []
    does[1:] = LIVES
    assert tell(likeness, does, status) == [1, 2]


def test_what_changes_nothing_is_not_told_again() -> None:
    likeness = Likeness(3, np.array([False, True]), np.random.default_rng(1))
    likeness.noted(LIVES, state.ALIVE, state.ALIVE)
    assert tell(likeness, np.full(2, LIVES, np.int8), np.full(2, state.ALIVE, np.int8)) == []
