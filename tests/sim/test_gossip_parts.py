"""Single rules of the pool, each switched on and off: nacks, TCP fallback, reconnect, reap, the cap on push/pulls."""

from dataclasses import replace

import numpy as np
import pytest

from lab.sim.constants import FROM_2018_08_08, LAN, UP_TO_2018_08_07, Dials, Profile
from lab.sim.gossip import script, state
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size
from lab.sim.gossip.state import ALIVE, DEAD
from tests.sim.reading import each_row, serf


def a_pool(members: int, actions: list[Action], rules: Rules, names: int = 0) -> GossipPool:
    return GossipPool(Size(members, names or members, samples=600), rules, np.random.default_rng(1), actions)


def health(pool: GossipPool) -> float:
    return float(pool.samples[:, 1 + state.SAMPLES.index("health")].max())


@pytest.mark.parametrize(("nack_ms", "unwell"), [(500, True), (400, False)])
def test_a_nack_that_waits_the_probe_timeout_comes_too_late_and_costs_a_healthy_prober_its_score(nack_ms: int, unwell: bool) -> None:
    pool = a_pool(30, [Action(2000, script.KILL, 3)], Rules(dials=replace(LAN, nack_ms=nack_ms)))
    pool.run(20)
    assert (health(pool) > 0) == unwell


def test_nobody_is_suspected_for_lost_packets_alone_because_tcp_still_reaches_it() -> None:
    pool = a_pool(30, [], Rules(loss=0.97))
    pool.run(60)
    assert pool.total("suspicions") == 0


def test_a_pool_that_was_cut_grows_together_again_when_serf_tries_the_failed_and_the_keys_agree() -> None:
    half = range(12)
    cut = [Action(5000, script.KEY, member, 1) for member in half] + [Action(5000, script.ACCEPT, member, 2) for member in half]
    heal = [Action(120_000, script.KEY, member, 0) for member in half] + [Action(120_000, script.ACCEPT, member, 1) for member in half]
    pool = a_pool(24, cut + heal, Rules())
    pool.run(119)
    assert not (pool.states[:12, 12:] == ALIVE).any()
    pool.run(200)
    assert (pool.states == ALIVE).all()


def test_a_failed_member_is_listed_until_it_is_reaped() -> None:
    dials = replace(LAN, failed_kept_ms=100_000, left_kept_ms=100_000)
    pool = a_pool(20, [Action(5000, script.KILL, 3)], Rules(dials=dials))
    pool.run(100)
    assert (np.delete(serf(pool.arrays)[:, 3], 3) == DEAD).all()
    pool.run(180)
    assert each_row(pool.arrays, "failed_n").sum() == 0


@pytest.mark.parametrize(("profile", "refused"), [(UP_TO_2018_08_07, False), (FROM_2018_08_08, True)])
def test_newer_versions_refuse_push_pulls_beyond_their_cap(profile: Profile, refused: bool) -> None:
    crowd = [Action(2000, script.START, name, 0) for name in range(50, 450)]
    pool = a_pool(50, [Action(1000, script.RATE, 0, 500), *crowd], Rules(profile=profile), names=450)
    pool.run(3)
    assert (pool.total("exchanges_refused") > 0) == refused


@pytest.mark.parametrize("dials", [replace(LAN, relays=5), replace(LAN, push_pull_ms=600_000), replace(LAN, retransmit_mult=40)])
def test_rules_that_the_arrays_cannot_hold_are_refused(dials: Dials) -> None:
    with pytest.raises(ValueError):
        a_pool(20, [], Rules(dials=dials))
