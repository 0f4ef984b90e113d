"""The shape is read from the file a person reads, and refused where the host is too small."""

from pathlib import Path

import pytest

from lab.cluster.shape import CORE_ROOM, Use, plan, read_nodes
from lab.core.errors import Refused
from lab.core.experiment import Shape
from lab.core.neighbour import Neighbour
from lab.core.paths import project


def test_the_shape_is_one_control_plane_one_core_and_five_app_nodes() -> None:
    nodes = read_nodes(project() / "kind-config.yaml")
    assert [node.role for node in nodes] == ["control-plane", "core", "app", "app", "app", "app", "app"]
    assert [node.name for node in nodes[:3]] == ["cascade-lab-control-plane", "cascade-lab-worker", "cascade-lab-worker2"]


def test_a_shape_without_an_app_node_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "kind-config.yaml"
    config.write_text("name: cascade-lab\nnodes: [{role: control-plane, image: x}]\n", encoding="utf-8")
    with pytest.raises(Refused, match="app node"):
        read_nodes(config)


def test_caps_are_a_multiple_of_the_steady_use() -> None:
    planned = plan(Use(0.1), Shape(cap_multiple=2.2, core_cap_cores=0.4), app_nodes=5, host_cores=2)
    assert planned.app_cap_cores == 0.22
    assert planned.total_cores == pytest.approx(5 * 0.22 + 0.4 + 0.2 + 0.2)


def test_a_neighbour_is_planned_with_the_rest_and_one_without_pods_takes_nothing() -> None:
    shape = Shape(cap_multiple=1.5, core_cap_cores=0.4)
    beside = plan(Use(0.1), shape, 5, 2, Neighbour(pods=5, cap_cores=0.3))
    assert beside.neighbour_cap_cores == 0.3
    assert beside.total_cores == pytest.approx(5 * 0.15 + 0.4 + 0.2 + 0.2 + 0.3 + 0.1)
    assert plan(Use(0.1), shape, 5, 2, Neighbour()) == plan(Use(0.1), shape, 5, 2)
    with pytest.raises(Refused, match=r"the neighbour's at 0\.5"):
        plan(Use(0.1), shape, 5, 2, Neighbour(pods=5, cap_cores=0.5))


def test_the_core_node_has_room_above_what_it_takes_at_rest_as_far_as_the_host_has_it() -> None:
    shape = Shape(cap_multiple=1.5, core_cap_cores=0.3)
    caps = [plan(Use(0.1, at_rest), shape, app_nodes=5, host_cores=2).core_cap_cores for at_rest in (0.0, 0.16, 0.27)]
    assert caps == [0.3, 0.3, pytest.approx(CORE_ROOM * 0.27)]
    crowded = plan(Use(0.16, 0.5), shape, app_nodes=5, host_cores=2)
    assert (crowded.core_cap_cores, crowded.total_cores) == (pytest.approx(0.4), pytest.approx(2.0))


def test_caps_beyond_the_host_are_refused_with_what_to_change() -> None:
    with pytest.raises(Refused, match=r"workload\.pods"):
        plan(Use(0.2), Shape(cap_multiple=2.5, core_cap_cores=0.4), app_nodes=5, host_cores=2)
