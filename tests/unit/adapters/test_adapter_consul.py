"""Consul's client against a server that answers, fails, hangs and hangs up."""

import base64
import json
import threading

import pytest
from adapter_fakes import web

from lab.adapters.consul import Consul
from lab.core.errors import Unavailable

MEMBERS = [{"Name": name, "Status": status} for name, status in (("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 9))]


@pytest.fixture
def server():
    with web() as state:
        yield state


@pytest.fixture
def client(server):
    client = Consul(server.port, timeout_s=0.3)
    yield client
    client.close()


def test_a_consistent_read_says_so_and_decodes_the_value(server, client):
    server.routes["GET /v1/kv/lab/probe"] = (200, [{"Key": "lab/probe", "Value": base64.b64encode(b"1").decode()}])
    assert client.read("lab/probe", consistent=True) == b"1"
    assert "consistent" in server.asked[0][2]


def test_a_key_that_is_not_there_is_no_failure(client):
    assert client.read("lab/none") is None


def test_a_write_puts_the_value(server, client):
    server.routes["PUT /v1/kv/lab/probe"] = (200, b"true")
    client.write("lab/probe", "17")
    assert server.bodies == [b"17"]


def test_a_write_that_is_refused_is_a_failure(server, client):
    server.routes["PUT /v1/kv/lab/probe"] = (200, b"false")
    with pytest.raises(Unavailable, match="refused"):
        client.write("lab/probe", "17")


def test_members_come_with_their_state_in_words(server, client):
    server.routes["GET /v1/agent/members"] = (200, MEMBERS)
    assert client.members() == {"a": "alive", "b": "leaving", "c": "left", "d": "failed", "e": "none"}


def test_leader_peers_nodes_and_counters_are_read(server, client):
    server.routes |= {
        "GET /v1/status/leader": (200, "10.0.0.1:8300"),
        "GET /v1/status/peers": (200, ["10.0.0.1:8300"]),
        "GET /v1/catalog/nodes": (200, [{"Node": "a"}]),
        "GET /v1/agent/self": (200, {"Config": {"NodeName": "a"}, "Stats": {"serf_lan": {"health_score": "0"}}}),
        "GET /v1/agent/metrics": (200, {"Gauges": []}),
    }
    assert (client.leader(), client.peers(), client.nodes()) == ("10.0.0.1:8300", ["10.0.0.1:8300"], ["a"])
    assert (client.node_name(), client.gossip_stats(), client.telemetry()) == ("a", {"health_score": "0"}, {"Gauges": []})


def test_a_cluster_without_a_leader_is_unavailable_and_says_so(server, client):
    server.routes["GET /v1/kv/lab/probe"] = (500, b"No cluster leader")
    with pytest.raises(Unavailable) as failure:
        client.read("lab/probe")
    assert failure.value.came_back == "ConsulException: 500 No cluster leader"


def test_a_server_that_hangs_is_given_up_after_the_time_out(server, client):
    release = threading.Event()
    server.routes["GET /v1/status/leader"] = lambda _: release.wait(5)
    with pytest.raises(Unavailable) as failure:
        client.leader()
    release.set()
    assert failure.value.came_back == "timed out after 0.3 s"


def test_nobody_there_is_unavailable(server):
    with web() as other:
        port = other.port
    with pytest.raises(Unavailable, match="ConnectionRefusedError"):
        Consul(port, timeout_s=0.3).leader()


@pytest.mark.parametrize(("keep", "connections"), [(True, 1), (False, 3)])
def test_a_kept_client_stays_with_one_agent_and_the_other_meets_a_new_one_each_time(server, keep, connections):
    server.routes["GET /v1/status/leader"] = (200, "a")
    client = Consul(server.port, timeout_s=0.3, keep=keep)
    for _ in range(3):
        client.leader()
    client.close()
    assert server.connections == connections


def test_a_kept_connection_that_the_server_closed_is_made_again(server, client):
    def hang_up(handler):
        handler.give(200, b'"a"')
        handler.close_connection = True

    server.routes["GET /v1/status/leader"] = hang_up
    assert [client.leader(), client.leader()] == ["a", "a"]
    assert server.connections == 2


def test_an_answer_that_is_not_json_is_unavailable(server, client):
    server.routes["GET /v1/agent/members"] = (200, b"<html>")
    with pytest.raises(Unavailable, match="decode JSON"):
        client.members()


def test_a_view_is_of_one_agent_asked_on_one_connection(server, client):
    server.routes |= {
        "GET /v1/agent/self": (200, {"Config": {"NodeName": "a"}, "Stats": {"serf_lan": {"health_score": "3"}}}),
        "GET /v1/agent/members": (200, MEMBERS),
    }
    found = client.view()
    assert (found.name, found.health_score, found.members["d"]) == ("a", 3, "failed")
    assert server.connections == 1


def test_what_passes_is_named_by_node_and_instance(server, client):
    entries = [{"Node": {"Node": name}, "Service": {"ID": "app"}} for name in ("app-1", "app-2")]
    server.routes["GET /v1/health/service/app"] = (200, entries)
    assert client.passing("app") == {"app-1:app", "app-2:app"}
    assert "passing" in server.asked[0][2]


def test_an_instance_is_put_into_the_catalog_and_taken_out_again(server, client):
    server.routes |= {"PUT /v1/catalog/register": (200, b"true"), "PUT /v1/catalog/deregister": (200, b"true")}
    client.register("canary-7", "canary", ("198.19.192.90", 8090))
    client.deregister("canary-7")
    put, taken = (json.loads(body) for body in server.bodies)
    assert (put["node"], put["address"]) == ("canary", "198.19.192.90")
    assert put["service"] == {"ID": "canary-7", "Service": "canary", "Address": "198.19.192.90", "Port": 8090}
    assert (taken["node"], taken["serviceid"]) == ("canary", "canary-7")


def test_a_registration_that_is_refused_is_a_failure(server, client):
    server.routes["PUT /v1/catalog/register"] = (500, b"No cluster leader")
    with pytest.raises(Unavailable, match="No cluster leader"):
        client.register("canary-7", "canary", ("198.19.192.90", 8090))
