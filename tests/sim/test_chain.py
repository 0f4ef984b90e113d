"""The chain's small models by their equations, and a simulated cascade judged by the same checkers as a real one."""

from functools import cache

import numpy as np
import pytest

from lab.checkers.judge import judge
from lab.checkers.requests import parse
from lab.checkers.verdict import Verdict
from lab.core.errors import Refused
from lab.core.experiment import Experiment
from lab.core.history import History
from lab.runner.load import load_experiment
from lab.sim.chain.agents import Agents
from lab.sim.chain.injuries import Injuries
from lab.sim.chain.kubelets import Loop
from lab.sim.chain.nodes import Nodes, water_fill
from lab.sim.chain.parameters import Costs, Timers
from lab.sim.chain.plan import Plan, arrivals
from lab.sim.chain.platform import Demand, Platform
from lab.sim.chain.pods import EVICTED, FREE, REMOVING, RUNNING, STOPPING, Pods
from lab.sim.chain.world import Model, simulate
from lab.sim.fit.kept import COMMITTED, load
from lab.sim.gossip.pool import Rules

COSTS = Costs()
CHANCE = np.random.default_rng(1)


@cache
def judged(name: str, seed: int = 20190115) -> tuple[History, Verdict]:
    outcome = simulate(load_experiment(name, [f"seed={seed}"]), Model(costs=load(COMMITTED).costs()))
    history = History(outcome.events)
    return history, judge(history, parse(outcome.requests))


def one_node() -> Nodes:
    return Nodes.at_rest(1, 1.0, Timers(), np.random.default_rng(1))


def shared(rigid: float, greedy: list[float]) -> tuple[Nodes, np.ndarray]:
    node = one_node()
    got = node.share_cpu(np.array([0.03]), np.array([rigid]), np.zeros(len(greedy), int), np.array(greedy), Costs(system_cores=0.02))
    return node, got


def test_a_node_that_is_not_full_gives_everybody_what_it_asks_for() -> None:
    node, got = shared(0.2, [0.3, 0.1])
    assert list(got) == pytest.approx([0.3, 0.1])
    assert (node.work_share[0], node.kubelet_share[0], node.rigid_share[0], node.full[0]) == (1.0, 1.0, 1.0, False)
    assert node.load[0] == pytest.approx(0.65)


def test_a_full_node_leaves_the_system_its_share_and_splits_the_rest_evenly() -> None:
    costs = Costs(system_share=0.02, system_cores=0.04)
    node = one_node()
    got = node.share_cpu(np.array([0.06]), np.array([0.2]), np.zeros(3, int), np.array([1.0, 1.0, 0.1]), costs)
    assert node.work_share[0] == pytest.approx(0.02 / 0.10)
    assert node.kubelet_share[0] == pytest.approx(0.02 / 0.04)
    assert list(got) == pytest.approx([0.34, 0.34, 0.1])
    assert (node.full[0], node.load[0]) == (True, pytest.approx(1.0))


def test_the_runtimes_own_work_fills_a_node_and_does_not_starve_its_kubelet() -> None:
    node = one_node()
    node.share_cpu(np.array([5.0]), np.array([0.2]), np.zeros(0, int), np.zeros(0), COSTS)
    assert (node.full[0], node.load[0], node.kubelet_share[0]) == (True, pytest.approx(1.0), 1.0)


def test_water_is_filled_node_by_node() -> None:
    got = water_fill(np.array([1.0, 0.2]), np.array([0, 0, 1]), np.array([0.9, 0.2, 0.5]))
    assert list(got) == pytest.approx([0.8, 0.2, 0.2])


def ends(share: float, call_s: float, spread: float, timeout_s: float = 1000.0) -> int:
    """Of the loop of one kubelet with a period of 2 s, in 400 s."""
    loop, chance = Loop(2.0, timeout_s, np.array([2.0]), np.ones(1), np.zeros(1)), np.random.default_rng(2)
    return sum(len(loop.step(np.array([share]), call_s, spread, chance)) for _ in range(400))


def test_a_loop_takes_its_period_and_what_its_calls_lack_in_cpu() -> None:
    assert ends(1.0, 3.0, 0.0) == 200
    assert ends(0.5, 3.0, 0.0) == 400 / 5
    assert ends(0.25, 3.0, 0.0) == pytest.approx(400 / 11, abs=1)
    assert ends(0.5, 0.5, 0.0) == 400 / 2.5


def test_calls_scatter_on_full_nodes_alone() -> None:
    assert ends(1.0, 3.0, 2.0) == 200
    assert ends(0.5, 3.0, 2.0) < 0.7 * ends(0.5, 3.0, 0.0)


def test_a_call_that_takes_too_long_is_made_again_from_the_start() -> None:
    assert ends(0.5, 5.0, 0.0, timeout_s=4.0) == 0
    assert ends(0.5, 3.0, 2.0, timeout_s=4.0) > 1.5 * ends(0.5, 3.0, 2.0)


def starved(seconds: int, pods: int = 10) -> Platform:
    """A platform one of whose nodes has no working kubelet."""
    platform = Platform.at_rest(pods, 5, 1.5, COSTS, np.random.default_rng(1))
    for at_s in range(seconds):
        platform.nodes.lease.left_s[0] = platform.nodes.status.left_s[0] = 10.0
        platform.step(float(at_s), Demand())
    return platform


def test_a_silent_node_is_lost_after_the_grace_and_its_pods_move_after_the_toleration() -> None:
    assert starved(12).nodes.ready[0]
    assert not starved(16).nodes.ready[0]
    assert starved(22).evictions == 0
    moved = starved(40)
    assert moved.evictions == 2
    assert moved.pods.count(EVICTED) == 2
    assert starved(90).pods.count(RUNNING) == 10


def test_a_kubelet_that_is_back_stops_what_was_evicted_and_its_node_is_ready_again() -> None:
    platform = starved(40)
    platform.nodes.lease.left_s[0] = platform.nodes.status.left_s[0] = 1.0
    for at_s in range(40, 80):
        platform.step(float(at_s), Demand())
    assert platform.nodes.ready[0]
    assert platform.pods.count(EVICTED, STOPPING, REMOVING) == 0


def test_no_log_line_is_made_or_lost_by_arithmetic() -> None:
    platform = Platform.at_rest(10, 5, 1.5, COSTS, np.random.default_rng(1), 500)
    for at_s in range(120):
        platform.step(float(at_s), Demand(pages=25, asks=40, broker_up=at_s > 40))
    lines = platform.lines
    assert lines.written == pytest.approx(lines.delivered + lines.gone + platform.backlog_lines().sum())
    assert lines.delivered > 0


def test_rows_of_pods_that_are_gone_are_used_again_and_numbers_never() -> None:
    pods = Pods()
    first = pods.add(3)
    pods.put(first[:1], FREE)
    assert list(pods.add(1)) == [first[0]]
    assert sorted(pods.number[pods.state != FREE]) == [1, 2, 3]


def test_paced_arrivals_keep_their_rate() -> None:
    assert sum(arrivals(2.5, at_s) for at_s in range(100)) == 250
    assert {arrivals(2.5, at_s) for at_s in range(100)} == {2, 3}


def with_fault(fault: dict[str, object]) -> tuple[Experiment, Plan]:
    raw = load_experiment("cascade").model_dump(mode="json")
    experiment = Experiment.model_validate({**raw, "faults": [{"inject_at_s": 0.0, "heal_at_s": 40.0, **fault}]})
    return experiment, Plan.of(experiment)


def injuries(fault: dict[str, object]) -> Injuries:
    return Injuries.of(*with_fault(fault))


def test_each_fault_acts_when_the_experiment_says() -> None:
    begin = with_fault({"fault": "pause-broker"})[1].outage
    paused = injuries({"fault": "pause-broker"})
    assert [paused.broker_up(begin + at_s) for at_s in (-1, 0, 39, 40)] == [True, False, False, True]
    flapping = injuries({"fault": "flap-broker", "away_s": 15.0, "back_s": 5.0})
    assert [flapping.broker_up(begin + at_s) for at_s in (0, 14, 15, 19, 20)] == [False, False, True, True, False]
    churning = injuries({"fault": "churn-pods", "pods_low": 5, "pods_high": 35, "half_period_s": 15.0})
    assert [churning.pods_wanted(begin + at_s) for at_s in (-1, 0, 15, 30, 40)] == [35, 5, 35, 5, 35]
    burning = injuries({"fault": "stress-node", "nodes": 1, "workers": 2})
    assert burning.burners(begin, 3) == [2, 0, 0]


def test_a_fault_without_a_model_is_refused() -> None:
    for fault in ({"fault": "kill-agents"}, {"fault": "partition-broker", "loss_ratio": 0.5}):
        with pytest.raises(Refused):
            injuries(fault)


def test_more_agents_mean_more_nodes_and_more_traffic_and_the_same_load_on_each() -> None:
    small, large = (Plan.of(load_experiment("cascade", changes)) for changes in ([], ["agents=350"]))
    assert (large.pods, large.nodes) == (10 * small.pods, 10 * small.nodes)
    assert large.requests_per_s == 10 * small.requests_per_s


def test_a_simulated_baseline_holds_as_expected() -> None:
    _, verdict = judged("baseline")
    assert verdict.as_expected, verdict.reasons


def test_simulated_cascades_fire_the_labs_links_in_order_and_mostly_all_of_them() -> None:
    verdicts = [judged("cascade", seed)[1] for seed in range(1, 5)]
    for verdict in verdicts:
        assert {0, 1, 2, 5, 6} <= {link.link for link in verdict.links if link.status == "fired"}
        assert verdict.evidence.out_of_order == []
    assert sum(verdict.as_expected for verdict in verdicts) >= 3


def test_the_fault_is_told_when_it_acts() -> None:
    history, _ = judged("cascade")
    outage = history.phase("outage")
    assert outage is not None
    told = {event["change"]: event.at_s - outage[0] for event in history.of("fault")}
    assert told == {"open": 0, "injected": 0, "witnessed": 1, "healed": 40, "closed": 40}


def test_a_simulated_run_says_so() -> None:
    history, verdict = judged("cascade")
    assert history.header["world"] == "simulated"
    assert verdict.fidelity is not None
    assert verdict.fidelity[0].startswith("SIMULATED")


def test_a_pool_that_holds_no_more_is_told_with_what_to_run_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    agents = Agents.at_rest(10, 30, Rules(), COSTS, np.random.default_rng(1))

    def full(*_: object) -> None:
        raise ValueError("more rumours on their way than the arrays hold")

    monkeypatch.setattr(type(agents.pool), "run", full)
    with pytest.raises(Refused, match=r"(?s)more rumours.*fewer agents"):
        agents.step(0, starved(1), [])
