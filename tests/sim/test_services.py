"""What stands on Consul, by its equations: the leader's loop, raft, sessions, Vault's lock, the template, deploys."""

import numpy as np
import pytest

from lab.sim.chain.balancer import Balancer
from lab.sim.chain.consul import CHANNEL, Servers
from lab.sim.chain.deploys import Deploys
from lab.sim.chain.parameters import Costs
from lab.sim.chain.platform import Change
from lab.sim.chain.vault import ACTIVE, LOCK_DELAY_S, SEALED, STANDBY, Vault
from lab.sim.chain.watches import Watches

PODS = 1000
EXACT = Costs(write_spread=0.0, server_read_spread=0.0)
CORE_CAP = EXACT.core_cores + 0.1


def servers(costs: Costs = EXACT, watches: int = 0) -> Servers:
    return Servers.at_rest(PODS, PODS, costs, np.random.default_rng(1), Watches.of(watches, 1, CORE_CAP, costs))


def failing(count: int) -> list[tuple[int, str]]:
    return [(pod, "failed") for pod in range(count)]


def test_the_leaders_loop_does_one_change_a_commit_and_its_channel_drops_what_does_not_fit() -> None:
    found = servers(Costs(write_ms=100.0))
    found.step(1, failing(300), [], 0.0)
    assert found.dropped == 300 - CHANNEL
    assert PODS - int(found.node.sum()) == 10
    found.step(2, [], [], 0.0)
    assert PODS - int(found.node.sum()) == 20


def test_a_full_pass_finds_what_was_dropped() -> None:
    found = servers()
    found.step(1, failing(300), [], 0.0)
    for at_s in range(2, 60):
        found.step(at_s, [], [], 0.0)
    assert PODS - int(found.node.sum()) == CHANNEL
    for at_s in range(60, 64):
        found.step(at_s, [], [], 0.0)
    assert PODS - int(found.node.sum()) == 300


def test_a_write_takes_longer_the_fuller_raft_is() -> None:
    found = servers()
    found.step(1, [], [], 500.0)
    busy = found.writes_per_s / EXACT.raft_writes_per_s
    assert found.write_ms(1) == pytest.approx(EXACT.write_ms / (1 - busy))


def test_more_writes_than_raft_commits_pile_up_and_cost_the_leader_its_lease() -> None:
    found = servers()
    found.step(1, [], [], 2000.0)
    assert found.wait_ms() == pytest.approx(1000, rel=0.05)
    found.step(2, [], [], 2000.0)
    assert (found.leader_changes, found.write_ms(2), found.read_ms(2)) == (1, None, None)
    assert found.write_ms(5) is not None


def test_a_new_pods_service_passes_at_its_first_check_and_goes_when_the_pod_ends() -> None:
    found = servers()
    found.service_s[7] = np.inf
    found.step(1, [], [Change("pod", "a", "running", 7)], 0.0)
    assert not found.passing(1)[7]
    assert found.passing(11)[7]
    found.step(12, [], [Change("pod", "a", "stopping", 7)], 0.0)
    assert not found.passing(30)[7]


def test_each_change_wakes_all_who_watch_and_everybody_waits_for_them() -> None:
    found, each_s = servers(watches=700), EXACT.watch_answer_s / 0.1
    found.step(1, [], [], 0.0)
    assert found.wait_ms() == 0
    found.step(2, failing(1), [], 0.0)
    assert found.wait_ms() == pytest.approx(1000 * (700 * each_s - 1))
    assert found.read_ms(2) == pytest.approx(EXACT.server_read_ms + found.wait_ms())
    for at_s in range(3, 3 + round(700 * each_s)):
        found.step(at_s, [], [], 0.0)
    assert found.wait_ms() == 0


def test_who_waits_for_an_answer_is_not_woken_a_second_time() -> None:
    found = servers(watches=700)
    found.step(1, [], [], 0.0)
    for at_s in range(2, 20):
        found.step(at_s, [(at_s, "failed")], [], 0.0)
    assert found.watches.waiting == pytest.approx(700 - found.watches.answers_per_s)


def test_a_pool_of_many_services_wakes_the_watchers_of_those_that_change() -> None:
    one, ten = (Watches.of(700, times, CORE_CAP, EXACT) for times in (1, 10))
    assert (ten.each, ten.total, ten.answers_per_s) == (700, 7000, 10 * one.answers_per_s)
    here = np.ones(350, bool)
    ten.step(here)
    ten.step(np.arange(350) > 1)
    assert ten.waiting == pytest.approx(1400 - ten.answers_per_s)


def test_without_watches_no_change_costs_the_servers_anything() -> None:
    found = servers()
    for at_s in range(1, 10):
        found.step(at_s, failing(100 * at_s), [], 0.0)
    assert found.watches.wait_ms() == 0


def vault() -> Vault:
    return Vault(EXACT, np.random.default_rng(1))


def run(found: Vault, of: Servers, seconds: range, owner_failed_at: int | None = None) -> None:
    for at_s in seconds:
        found.step(at_s, of, owner_failed=at_s == owner_failed_at)


def test_at_rest_the_first_instance_leads_and_renews_its_session() -> None:
    found, of = vault(), servers()
    run(found, of, range(100))
    assert found.health(100, of) == [ACTIVE, STANDBY]
    assert found.renewed_s >= 90
    assert found.login_ms(100, of) == pytest.approx(EXACT.login_ms + 10 * EXACT.write_ms, rel=0.05)


def test_a_false_positive_on_the_sessions_node_costs_the_lock_at_once_and_for_the_lock_delay() -> None:
    found, of = vault(), servers()
    run(found, of, range(20), owner_failed_at=10)
    assert found.leader is None
    assert found.login_ms(20, of) is None
    run(found, of, range(20, round(10 + LOCK_DELAY_S) + 5))
    assert found.leader is not None
    assert found.lost == 1


def test_a_session_that_nobody_can_renew_expires_after_twice_its_ttl() -> None:
    found, of = vault(), servers()
    run(found, of, range(10))
    of.leaderless_until_s = 1000.0
    run(found, of, range(10, 37))
    assert found.leader == 0
    run(found, of, range(37, 40))
    assert found.leader is None
    assert found.health(40, of) == [None, None]


def test_a_storage_error_in_a_take_over_makes_vault_seal_itself() -> None:
    found, of = vault(), servers()
    run(found, of, range(27), owner_failed_at=10)
    of.leaderless_until_s = 29.0
    run(found, of, range(27, 29))
    assert len(found.sealed) == 1
    assert SEALED in found.health(28, of)


def balancer(of: Servers) -> Balancer:
    return Balancer(of.passing(0).copy())


def test_a_change_is_loaded_after_a_second_of_quiet_and_at_the_latest_after_three() -> None:
    of = servers()
    found = balancer(of)
    found.step(0, of)
    of.node[0] = False
    for at_s in (1, 2):
        found.step(at_s, of)
    assert (found.renders, found.differs, int(found.loaded.sum())) == (2, 0, PODS - 1)
    for at_s in (3, 4, 5, 6):  # something changes every second
        of.node[at_s] = False
        found.step(at_s, of)
    assert found.renders == 3


def test_without_a_leader_the_configuration_grows_old_and_serves_on() -> None:
    of = servers()
    found = balancer(of)
    found.step(1, of)
    of.node[:500] = False
    of.leaderless_until_s = 1000.0
    for at_s in range(2, 30):
        found.step(at_s, of)
    assert (found.alike_s, found.renders, found.differs) == (1, 1, 500)
    assert found.live(np.ones(PODS, bool)) == PODS


def test_a_deploy_takes_its_login_a_write_and_the_quiescence_and_fails_where_nobody_answers() -> None:
    of, chance = servers(), np.random.default_rng(1)
    found, leads = Deploys(chance), vault()
    front = balancer(of)
    front.step(10, of)
    took_ms, reason = found.try_one(10, leads, of, front)
    assert took_ms is not None
    assert 1000 < took_ms < 3500
    assert reason == ""
    leads.leader = None
    assert found.try_one(14, leads, of, front) == (None, "failed at token: too late or nobody answers")
    assert found.failed["token"] == 1


def test_a_template_that_cannot_reach_consul_makes_deploys_fail_at_being_served() -> None:
    of = servers()
    found, front = Deploys(np.random.default_rng(1)), balancer(of)
    front.step(10, of)
    assert found.try_one(40, vault(), of, front)[1].startswith("failed at serve")
