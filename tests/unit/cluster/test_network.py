import json

import pytest

from lab.cluster import network


class Nodes:
    """An engine whose nodes keep what was run in them."""

    def __init__(self):
        self.ran = {}

    def run_checked(self, node, command, *, timeout_s):
        self.ran[node] = command[-1]


def test_each_node_has_a_range_of_its_own_by_its_place():
    assert network.ranges(["control", "core", "app"], "198.19.0.0/17") == {
        "control": "198.19.0.0/24",
        "core": "198.19.1.0/24",
        "app": "198.19.2.0/24",
    }


def test_a_node_routes_to_the_pods_of_the_others_and_holds_its_own():
    nodes = Nodes()
    network.connect(nodes, {"a": "198.18.1.2", "b": "198.18.1.3"}, network.ranges(["a", "b"], "198.19.0.0/17"), "198.19.192.0/20")
    assert "ip route replace 198.19.1.0/24 via 198.18.1.3" in nodes.ran["a"]
    assert "via 198.18.1.2" not in nodes.ran["a"], "a route to its own pods would lead out of the node"
    assert "unreachable 198.19.192.0/20" in nodes.ran["a"]
    assert json.loads(network.conflist("198.19.1.0/24"))["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "198.19.1.0/24"}]]


def test_more_nodes_than_ranges_are_refused():
    with pytest.raises(ValueError, match="2 ranges"):
        network.ranges(["a", "b", "c"], "198.19.0.0/23")


def test_routes_to_others_are_laid_on_all_nodes_and_taken_away_again():
    nodes = Nodes()
    network.route(nodes, ["a", "b"], {"198.19.129.0/24": "198.18.1.9"})
    assert nodes.ran == dict.fromkeys("ab", "ip route replace 198.19.129.0/24 via 198.18.1.9")
    network.unroute(nodes, ["a", "b"], ["198.19.129.0/24"])
    assert nodes.ran == dict.fromkeys("ab", "ip route del 198.19.129.0/24 2>/dev/null || true")
