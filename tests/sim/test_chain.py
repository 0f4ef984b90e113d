"""The chain's small models by their equations, and a simulated cascade judged by the same checkers as a real one."""

from importlib import resources

import numpy as np
import pytest
from ruamel.yaml import YAML

from lab.checkers.judge import judge
from lab.checkers.verdict import Verdict
from lab.core.experiment import Experiment
from lab.core.history import History
from lab.sim.chain.node import Node, Pod
from lab.sim.chain.parameters import Costs, Timers
from lab.sim.chain.platform import Platform
from lab.sim.chain.world import simulate

COSTS = Costs()


def experiment(name: str) -> Experiment:
    text = (resources.files("lab.experiments") / f"{name}.yaml").read_text(encoding="utf-8")
    return Experiment.model_validate(YAML(typ="safe").load(text))


def judged(name: str) -> tuple[History, Verdict]:
    history = History(simulate(experiment(name)))
    return history, judge(history, None)


def test_a_node_that_is_not_full_gives_everybody_what_it_asks_for() -> None:
    node = Node("a", 1.0, [Pod(0, "running")])
    node.share_cpu(0.5, COSTS)
    assert node.system_share == node.pod_share == 1.0
    assert node.load == pytest.approx(0.55)


def test_a_full_node_leaves_the_system_its_weight_alone() -> None:
    node = Node("a", 1.0)
    node.share_cpu(3.0, COSTS)
    assert node.system_share * COSTS.system_cores == pytest.approx(COSTS.system_weight)
    assert node.pod_share * 3.0 == pytest.approx(1 - COSTS.system_weight)
    assert node.used_cores() == 1.0


def test_a_kubelet_with_a_quarter_of_its_cpu_renews_four_times_as_seldom() -> None:
    def renewals(share: float) -> int:
        node = Node("a", 1.0, system_share=share)
        return sum(node.run_kubelet(float(at_s), Timers()) for at_s in range(400))

    assert renewals(1.0) == 200
    assert renewals(0.25) == pytest.approx(50, abs=1)


def starved(seconds: int) -> Platform:
    """A platform one of whose nodes has lost almost all of its CPU."""
    platform = Platform.at_rest(10, 5, 1.5, COSTS, np.random.default_rng(1))
    platform.nodes[0].cap_cores = 0.001
    for at_s in range(seconds):
        platform.step(float(at_s), 0.0, broker_up=True)
    return platform


def test_a_silent_node_is_lost_after_the_grace_and_its_pods_move_after_the_toleration() -> None:
    assert starved(13).nodes[0].ready
    assert not starved(16).nodes[0].ready
    assert starved(23).evictions == 0
    moved = starved(35)
    assert moved.evictions == 2
    assert moved.count("terminating") == 2
    assert starved(60).count("running") == 10


def test_a_kubelet_that_is_back_stops_what_was_evicted() -> None:
    platform = starved(35)
    platform.nodes[0].cap_cores = 1.0
    for at_s in range(35, 40):
        platform.step(float(at_s), 0.0, broker_up=True)
    assert platform.nodes[0].ready
    assert platform.count("terminating") == 0


def test_no_log_line_is_made_or_lost_by_arithmetic() -> None:
    platform = Platform.at_rest(10, 5, 1.5, COSTS, np.random.default_rng(1))
    for at_s in range(120):
        platform.step(float(at_s), 3000.0, broker_up=at_s > 40)
    lines = platform.lines
    backlog = sum(platform.backlog_lines(node) for node in platform.nodes)
    assert lines.written == pytest.approx(lines.delivered + lines.gone + backlog)
    assert lines.delivered > 0


def test_a_simulated_baseline_fires_no_link() -> None:
    _, verdict = judged("baseline")
    assert [link.link for link in verdict.links if link.status != "quiet"] == []


def test_a_simulated_cascade_fires_the_links_of_the_experiment_in_order() -> None:
    _, verdict = judged("cascade")
    fired = {link.link for link in verdict.links if link.status == "fired"}
    assert {0, 1, 2, 3, 4, 5, 6} <= fired
    assert verdict.evidence.out_of_order == []


def test_the_fault_is_told_when_it_acts() -> None:
    history, _ = judged("cascade")
    outage = history.phase("outage")
    assert outage is not None
    told = {event["change"]: event.at_s - outage[0] for event in history.of("fault")}
    assert told == {"open": 0, "injected": 0, "witnessed": 1, "healed": 40, "closed": 40}


def test_a_simulated_run_says_so_and_lacks_users_requests() -> None:
    history, verdict = judged("cascade")
    assert history.header["world"] == "simulated"
    assert verdict.fidelity is not None
    assert verdict.fidelity[0].startswith("SIMULATED")
    assert "no user requests were recorded" in verdict.reasons


def test_the_same_experiment_gives_the_same_events() -> None:
    assert simulate(experiment("cascade")) == simulate(experiment("cascade"))
    assert simulate(experiment("cascade")) != simulate(experiment("cascade").model_copy(update={"seed": 1}))
