"""The neighbour's series and events go by names of their own."""

import threading
from types import SimpleNamespace

import pytest
from probe_fakes import HandClock, Told

from lab.core.neighbour import Neighbour
from lab.core.protocols import Reading
from lab.probes.neighbour import Beside, NeighbourProbe, NeighbourWatch, by_pool, neighbour_probes, neighbour_watches
from lab.probes.table import standard_probes, standard_watches
from tests.fakes import FakeProbe, FakeWatch
from tests.unit.probes.test_probe_table import handles


def beside():
    kube = SimpleNamespace(nodes_source=lambda: None, leases_source=lambda: None)
    return Beside(HandClock(), kube, SimpleNamespace(), "n1", set)


def test_a_reading_is_the_neighbours_by_its_series():
    probe = NeighbourProbe(FakeProbe("gossip", [Reading("members_alive", "pool", 5.0), Reading("members_left", "pool", None, "late")], 2.0))
    assert (probe.name, probe.interval_s, probe.timeout_s) == ("neighbour_gossip", 2.0, 0.1)
    assert probe.sample() == [Reading("neighbour_members_alive", "pool", 5.0), Reading("neighbour_members_left", "pool", None, "late")]


def test_an_event_is_the_neighbours_by_its_kind():
    told, stop = Told(), threading.Event()
    stop.set()
    NeighbourWatch(FakeWatch([("node", {"node": "n1", "ready": "True"})])).run(told, stop)
    assert told.events == [("neighbour_node", {"node": "n1", "ready": "True"})]


def test_none_is_taken_for_one_of_the_first_cluster(tmp_path):
    both = beside()
    pairs = ((standard_probes(handles(tmp_path)), neighbour_probes(both)), (standard_watches(handles(tmp_path)), neighbour_watches(both)))
    for first, its in pairs:
        names = [each.name for each in its]
        assert len(set(names)) == len(names) == len(its)
        assert not {each.name for each in first} & set(names)


def test_before_its_watches_ran_what_they_fill_has_no_value():
    cached = [probe for probe in neighbour_probes(beside()) if probe.name in {"neighbour_nodes", "neighbour_gossip"}]
    found = [reading for probe in cached for reading in probe.sample()]
    assert {(reading.value, reading.reason) for reading in found} == {(None, "not read yet")}
    assert {"neighbour_nodes_not_ready", "neighbour_members_alive"} <= {reading.series for reading in found}


@pytest.mark.parametrize(
    ("wanted", "first", "its"),
    [
        (Neighbour(pods=5, pool="own"), {"app-1", "consul-0"}, {"neighbour-app-1", "neighbour-consul-0"}),
        (Neighbour(pods=5, pool="shared"), None, None),
        (Neighbour(), None, None),
    ],
)
def test_who_is_missed_in_a_pool_is_of_that_pool(wanted, first, its):
    everybody = {"app-1", "consul-0", "neighbour-app-1", "neighbour-consul-0"}
    found = by_pool(lambda: everybody, wanted)
    assert [living() for living in found] == [everybody if first is None else first, everybody if its is None else its]
