"""What a person gets for a wrong experiment: the line, the field, and what is allowed."""

from pathlib import Path

import pytest

from lab.core.errors import Refused
from lab.runner.load import EXPERIMENTS, FOLDER, load_experiment

CASCADE = EXPERIMENTS["cascade"].read_text()


def refusal(tmp_path: Path, text: str) -> str:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(Refused) as caught:
        load_experiment(str(file))
    return caught.value.came_back


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(CASCADE.splitlines(), 1) if text in line)


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_every_experiment_of_the_table_loads_under_its_own_name(name: str) -> None:
    assert load_experiment(name).name == name


def test_the_table_holds_every_file_of_the_folder() -> None:
    assert sorted(EXPERIMENTS.values()) == sorted(FOLDER.glob("*.yaml"))


def test_baseline_has_the_shape_the_load_and_the_phases_of_cascade() -> None:
    same = {"steady_s", "outage_s", "flood_s", "recovery_s", "metastable_after_s", "shape", "seed"}
    baseline, cascade = (load_experiment(name) for name in ("baseline", "cascade"))
    assert baseline.model_dump(include=same) == cascade.model_dump(include=same)
    assert baseline.workload.model_dump(exclude={"flood_lines_per_s"}) == cascade.workload.model_dump(exclude={"flood_lines_per_s"})
    assert (baseline.faults, baseline.workload.flood_lines_per_s) == ([], 0)


@pytest.mark.parametrize("name", ["flapping", "partition"])
def test_other_ways_to_lose_kafka_differ_from_cascade_in_nothing_but_that(name: str) -> None:
    same = {"steady_s", "flood_s", "recovery_s", "metastable_after_s", "shape", "seed", "workload", "expected"}
    other, cascade = load_experiment(name), load_experiment("cascade")
    assert other.model_dump(include=same) == cascade.model_dump(include=same)
    control = load_experiment("baseline", [f"outage_s={other.outage_s:g}"])
    assert (control.outage_s, control.faults) == (other.outage_s, [])


@pytest.mark.parametrize(
    ("remedy", "said"),
    [
        ("{remedy: redeploy-agents, heal_at_s: 176}", "remedies.0.heal_at_s (176) must not be after the end of the recovery phase"),
        ("{remedy: redeploy-agents, inject_at_s: 60, heal_at_s: 50}", "heal_at_s (50) must be greater than inject_at_s (60)"),
        ("{remedy: redeploy-agnts}", "remedies.0.remedy: Input should be 'redeploy-agents', not 'redeploy-agnts'"),
        ("{remedy: redeploy-agents, kay: new}", "remedies.0.kay: unknown field, did you mean key?"),
    ],
)
def test_a_wrong_remedy_is_refused_by_its_own_words(remedy: str, said: str) -> None:
    with pytest.raises(Refused) as caught:
        load_experiment("cascade", [f"remedies=[{remedy}]"])
    assert said in str(caught.value)


def test_the_cure_differs_from_the_poison_in_nothing_but_the_remedy() -> None:
    same = {
        "steady_s",
        "outage_s",
        "flood_s",
        "recovery_s",
        "metastable_after_s",
        "shape",
        "seed",
        "workload",
        "consul",
        "faults",
        "expected",
    }
    poison, cure = load_experiment("gossip-poison"), load_experiment("gossip-cure")
    assert poison.model_dump(include=same) == cure.model_dump(include=same)
    assert (poison.remedies, [remedy.remedy for remedy in cure.remedies]) == ([], ["redeploy-agents"])
    assert poison.workload.pods * poison.workload.agents_per_pod == 200


@pytest.mark.parametrize(
    ("name", "override", "said"),
    [
        ("gossip-poison", "workload.flood_lines_per_s=10", "workload.flood_lines_per_s (10) must be 0 without workload.logging"),
        ("cascade", "workload={logging: false}", "faults.0.fault (pause-broker) needs workload.logging"),
        ("gossip-poison", "workload.shipper=rsyslog", "workload.shipper (rsyslog) needs workload.logging"),
        ("gossip-poison", "workload.agents_per_pod=21", "workload.agents_per_pod: Input should be less than or equal to 20, not 21"),
    ],
)
def test_without_kafka_nothing_may_need_it(name: str, override: str, said: str) -> None:
    with pytest.raises(Refused) as caught:
        load_experiment(name, [override])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["consul.encryption=on"], "neighbour.pool (shared) needs consul.encryption off and no remedies"),
        (["neighbour.pods=0"], "expected.neighbour (poisoned) needs a neighbour: neighbour.pods is 0"),
        (["neighbour.pool=none"], "neighbour.pool: Input should be 'shared' or 'own', not 'none'"),
    ],
)
def test_a_neighbour_must_be_able_to_join_and_to_be_there(changes: list[str], said: str) -> None:
    with pytest.raises(Refused) as caught:
        load_experiment("shared-gossip", changes)
    assert said in str(caught.value)


def test_the_control_arm_of_shared_gossip_differs_in_the_pool_alone() -> None:
    shared, own = load_experiment("shared-gossip"), load_experiment("shared-gossip", ["neighbour.pool=own", "expected.neighbour=calm"])
    differs = {name for name, value in shared.model_dump().items() if own.model_dump()[name] != value}
    assert differs == {"neighbour", "expected"}
    assert (shared.neighbour.shares_the_pool, own.neighbour.shares_the_pool) == (True, False)
    assert load_experiment("shared-gossip", ["neighbour.pool=own", "expected.neighbour=calm", "consul.encryption=on"]).neighbour.pods == 5


def test_two_faults_of_one_kind_must_not_overlap() -> None:
    with pytest.raises(Refused) as caught:
        load_experiment("partition", ["faults.2.inject_at_s=50"])
    assert "faults.2.inject_at_s (50) must not be before the heal of the partition-broker before it (60)" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "at", "said"),
    [
        (
            "  pods: 35",
            "  podz: 35",
            "pods: 35",
            "workload.podz: unknown field, did you mean pods?; allowed: agents_per_pod, flood_lines_per_s",
        ),
        ("  pods: 35", "  pods: '50'", "pods: 35", "workload.pods: Input should be a valid integer, not '50'"),
        ("  pods: 35", "  pods: true", "pods: 35", "workload.pods: Input should be a valid integer, not True"),
        ("  pods: 35", "  pods: 111", "pods: 35", "workload.pods: Input should be less than or equal to 110, not 111"),
        ("steady_s: 40 ", "steady_s: .nan ", "steady_s", "steady_s: Input should be a finite number"),
        ("steady_s: 40 ", "steady_s: 5 ", "steady_s", "steady_s: Input should be greater than or equal to 10, not 5"),
        ("pause-broker", "pause-brokr", "pause-broker", "faults.0.fault: Input should be 'pause-broker', 'flap-broker', "),
        (
            "heal_at_s: 40",
            "heal_by_s: 40",
            "heal_at_s",
            "faults.0.heal_by_s: unknown field, did you mean heal_at_s?; allowed: fault, heal_at_s",
        ),
        ("heal_at_s: 40", "heal_at_s: x", "heal_at_s", "faults.0.heal_at_s: Input should be a valid number, not 'x'"),
        ("heal_at_s: 40", "heal_at_s: 90", "heal_at_s", "faults.0.heal_at_s (90) must not be after outage_s (40)"),
        ("inject_at_s: 0", "inject_at_s: 45", "- fault", "heal_at_s (40) must be greater than inject_at_s (45)"),
        ("recovery_s: 90", "recovery_s: 30", "recovery_s", "recovery_s (30) must be at least metastable_after_s (60)"),
        ("[0, 1", "[11, 1", "links", "expected.links.0: Input should be 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 or 10, not 11"),
    ],
)
def test_a_wrong_field_is_named_with_its_line_and_what_is_allowed(tmp_path: Path, old: str, new: str, at: str, said: str) -> None:
    answer = refusal(tmp_path, CASCADE.replace(old, new))
    assert answer.startswith(f"line {line_of(at)}: ")
    assert said in answer


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    answer = refusal(tmp_path, CASCADE.replace("hypothesis:", "hypothesi:").replace("pods: 35", "pods: -1"))
    assert len(answer.splitlines()) == 3
    assert "line 1: hypothesis: the field is missing" in answer


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [", "line 1, column 9"),
        ("name: a\nname: b\n", 'line 2, column 1: found duplicate key "name"'),
        ("a: *b\n", "found undefined alias"),
        ("a:\n\tb: 1\n", "line 2, column 1"),
        ("", "the file must hold fields"),
        ("- a\n", "the file must hold fields"),
        ("just words", "the file must hold fields"),
    ],
)
def test_a_file_that_is_no_experiment_at_all_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Refused, match="UTF-8"):
        load_experiment(str(tmp_path / "x.yaml"))


@pytest.mark.parametrize(
    ("name", "said"), [("cascad", "did you mean cascade?"), ("zzz", "known: baseline, cascade"), ("./zzz.yaml", "no such file")]
)
def test_an_unknown_experiment_lists_the_known_ones(name: str, said: str) -> None:
    with pytest.raises(Refused) as caught:
        load_experiment(name)
    assert said in str(caught.value)
    assert "baseline" in str(caught.value)


def test_fields_can_be_set_from_the_command_line() -> None:
    changed = load_experiment("cascade", ["workload.pods=3", "faults.0.heal_at_s=30", "title=Other words", "shape={cap_multiple: 3}"])
    assert (changed.workload.pods, changed.faults[0].heal_at_s, changed.title, changed.shape.cap_multiple) == (3, 30, "Other words", 3)


def test_a_field_that_the_file_left_out_can_be_set() -> None:
    assert load_experiment("cascade", ["recovery_ends_early=true"]).recovery_ends_early


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("workload.pods=x", "--set workload.pods=x: workload.pods: Input should be a valid integer, not 'x'"),
        ("workload.podz=3", "--set workload.podz=3: workload.podz: unknown field, did you mean pods?"),
        ("faults.1.heal_at_s=3", "there is no 1 to change"),
        ("title.x=3", "there is no 'x' to change: 'Kafka goes away, comes back, and takes the platform with... has no fields"),
        ("workload.pods", "it is not FIELD=VALUE; allowed: a whole number, 1 to 110"),
        (
            "workload=[",
            "workload: '[' is not YAML; allowed: the fields pods, agents_per_pod, logging, shipper, watches_per_pod, requests_per_s",
        ),
        ("outage_s=20", "faults.0.heal_at_s (40) must not be after outage_s (20)"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_own_words(override: str, said: str) -> None:
    with pytest.raises(Refused) as caught:
        load_experiment("cascade", [override])
    assert said in str(caught.value)
