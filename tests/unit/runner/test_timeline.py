"""What happens when, and in which order at the same instant."""

from short import experiment

from lab.core.fault_specs import PauseBrokerSpec
from lab.runner.load import load_experiment
from lab.runner.timeline import end_s, timeline


def test_cascade_freezes_at_once_and_floods_the_moment_the_broker_is_back() -> None:
    assert [(step.at_s, step.action, step.name) for step in timeline(load_experiment("cascade"))] == [
        (0, "begin-phase", "outage"),
        (0, "inject", "pause-broker"),
        (40, "heal", "release"),
        (40, "begin-phase", "flood"),
        (40, "flood", "flood"),
        (85, "begin-phase", "recovery"),
        (85, "steady-load", "flood"),
    ]


def test_baseline_passes_through_the_same_phases_and_does_nothing() -> None:
    steps = timeline(load_experiment("baseline"))
    assert [(step.at_s, step.name) for step in steps] == [(0, "outage"), (40, "flood"), (85, "recovery")]
    assert {step.action for step in steps} == {"begin-phase"}
    assert end_s(load_experiment("baseline")) == end_s(load_experiment("cascade")) == 175


def test_phases_of_no_length_are_left_out_but_recovery() -> None:
    assert [step.name for step in timeline(experiment(faults=False, flood=0))] == ["recovery"]


def test_a_fault_that_ends_as_another_begins_is_healed_first() -> None:
    spec = PauseBrokerSpec(fault="pause-broker", inject_at_s=0, heal_at_s=0.1)
    again = PauseBrokerSpec(fault="pause-broker", inject_at_s=0.1, heal_at_s=0.2)
    steps = timeline(experiment().model_copy(update={"faults": [spec, again]}))
    assert [(step.action, step.fault) for step in steps if step.fault is not None] == [
        ("inject", 0),
        ("heal", 0),
        ("inject", 1),
        ("heal", 1),
    ]


def test_partition_is_a_blip_an_outage_and_a_network_that_is_back_now_and_then() -> None:
    experiment = load_experiment("partition")
    acts = [(step.at_s, step.action, step.fault) for step in timeline(experiment) if step.fault is not None]
    assert acts == [(0, "inject", 0), (8, "heal", 0), (20, "inject", 1), (60, "heal", 1), (60, "inject", 2), (90, "heal", 2)]
    assert [spec.settings()["loss_ratio"] for spec in experiment.faults] == [1.0, 1.0, 0.5]


def test_a_remedy_is_no_release_and_may_act_in_any_phase() -> None:
    remedy = "{remedy: redeploy-agents, inject_at_s: 50, heal_at_s: 175}"
    experiment = load_experiment("cascade", [f"remedies=[{remedy}]"])
    acts = [(step.at_s, step.action, step.name, step.fault) for step in timeline(experiment) if step.fault is not None]
    assert acts[1:] == [(40, "heal", "release", 0), (50, "inject", "redeploy-agents", 1), (175, "heal", "remedy-over", 1)]
    assert [act.act for act in experiment.acts] == ["pause-broker", "redeploy-agents"]


def test_flapping_ends_as_the_flood_begins() -> None:
    steps = timeline(load_experiment("flapping"))
    assert [(step.at_s, step.action) for step in steps if step.at_s == 80] == [(80, "heal"), (80, "begin-phase"), (80, "flood")]
