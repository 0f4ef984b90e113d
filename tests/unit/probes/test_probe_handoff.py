"""News that agents threw away: a counter of each node."""

from probe_fakes import reasons, silent, values

from lab.probes.handoff import HandoffProbe


class FakeLogs:
    def dropped(self, node):
        return {"n1": 31, "n2": 0}[node] if node != "n3" else silent()


def test_each_node_has_its_counter_and_one_that_is_gone_a_gap():
    found = HandoffProbe(["n1", "n2", "n3"], FakeLogs()).sample()
    assert values(found) == {
        ("gossip_handoff_dropped", "n1"): 31.0,
        ("gossip_handoff_dropped", "n2"): 0.0,
        ("gossip_handoff_dropped", "n3"): None,
    }
    assert reasons(found)["gossip_handoff_dropped", "n3"]
