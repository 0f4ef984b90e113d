"""The table is whole: every probe and watch of a standard run, none twice, and none that may hold a sampler for ever."""

import struct
from dataclasses import replace
from types import SimpleNamespace

from probe_fakes import HandClock

from lab.probes.table import Handles, standard_probes, standard_watches


def handles(tmp_path):
    kube = SimpleNamespace(**{f"{name}_source": lambda: None for name in ("pods", "nodes", "leases", "events")})
    docker = SimpleNamespace(nodes=lambda: [SimpleNamespace(name="n1", id="4f4f")], pid=lambda _: 7)
    return Handles(HandClock(), kube, docker, ["n1"], ["n1"], tally=tmp_path)


def test_probes_and_watches_have_names_of_their_own(tmp_path):
    shared = handles(tmp_path)
    assert len({probe.name for probe in standard_probes(shared)}) == len(standard_probes(shared)) == 20
    assert len({watch.name for watch in standard_watches(shared)}) == len(standard_watches(shared)) == 5


def test_without_kafka_the_broker_is_not_asked(tmp_path):
    without = replace(handles(tmp_path), logging=False)
    assert {probe.name for probe in standard_probes(handles(tmp_path))} - {probe.name for probe in standard_probes(without)} == {"kafka"}


def test_the_tallies_of_pods_whose_shipper_keeps_none_are_filled_from_its_own_counters(tmp_path):
    (tmp_path / "a").write_bytes(struct.pack("<8Q", 10, 2000, 0, 0, 0, 0, 0, 0))
    (tmp_path / "a.1").write_text('now: { "name": "omkafka", "origin": "omkafka", "acked": 4 }\n')
    for shipper, backlog in (("kafka-python", 2000), ("rsyslog", 1200)):
        shared = replace(handles(tmp_path), shipper=shipper)
        tallies = next(probe for probe in standard_probes(shared) if probe.name == "tallies")
        assert {pod: tally.backlog_bytes for pod, tally in tallies.read(["a", "b"]).items()} == {"a": backlog}


def test_where_nodes_have_collectors_their_counters_are_read(tmp_path):
    (tmp_path / "n1.1").write_text('now: { "name": "omkafka", "origin": "omkafka", "acked": 4 }\n')
    shared = replace(handles(tmp_path), shipper="rsyslog-daemonset")
    (probe,) = [probe for probe in standard_probes(shared) if probe.name == "tallies"]
    assert {node: done.acked for node, done in probe.collectors().items()} == {"n1": 4}


def test_every_instance_of_vault_is_asked(tmp_path):
    for storage, number in (("consul", 2), ("raft", 3)):
        asked = {probe.name: probe for probe in standard_probes(replace(handles(tmp_path), storage=storage))}
        wanted = [f"vault-{each}" for each in range(number)]
        for found in (asked["vault"].instances, asked["vault_login"].instances, asked["deploys"].vaults):
            assert [vault.name for vault in found] == wanted


def test_every_probe_says_how_often_and_how_long(tmp_path):
    for probe in standard_probes(handles(tmp_path)):
        assert 0.2 <= probe.interval_s <= 5, probe.name
        assert 1 <= probe.timeout_s <= (15 if probe.name == "deploys" else 10), probe.name


def test_probes_read_what_the_watches_of_the_same_run_gather(tmp_path):
    shared = handles(tmp_path)
    pods = next(probe for probe in standard_probes(shared) if probe.name == "pods")
    assert pods.cache is shared.pods
    assert pods.watch in standard_watches(shared)


def test_before_the_watches_ran_the_probes_of_their_caches_have_no_values(tmp_path):
    cached = [probe for probe in standard_probes(handles(tmp_path)) if probe.name in {"pods", "nodes", "gossip", "tallies"}]
    assert len(cached) == 4
    for probe in cached:
        assert {(reading.value, reading.reason) for reading in probe.sample()} == {(None, "not read yet")}
