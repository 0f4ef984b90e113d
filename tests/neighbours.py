"""Hand-written runs with a second cluster beside the first."""

from tests import histories
from tests.histories import OUTAGE, Story, constant

NODES = ("cascade-lab-neighbour-control-plane", "cascade-lab-neighbour-worker")
CHURN_S = 60.0


def story(pool: str = "shared", expected: str = "poisoned", **opened: object) -> Story:
    """Agents of the first cluster are killed; the neighbour, of 5 agents in a pool of 33, sees nothing yet."""
    opening = histories.header("shared", "deviated", [5], [{"fault": "kill-agents"}])
    opening["experiment"]["neighbour"] = {"pods": 5, "pool": pool, "cap_cores": 0.25} | opened
    opening["experiment"]["expected"]["neighbour"] = expected
    told = histories.baseline().drop_kind("run").add(0.0, "run", **opening)
    for at_s, change in ((OUTAGE, "open"), (OUTAGE + 0.2, "injected"), (OUTAGE + 1, "witnessed"), (100.0, "healed"), (100.0, "closed")):
        told.add(at_s, "fault", fault="kill-agents", target="agents", change=change)
    told.add(OUTAGE, "step", step="kill-agents", state="begin").add(100.0, "step", step="release", state="begin")
    for number in range(20):  # link 5 of the first cluster
        told.add(CHURN_S + number / 10, "member_change", member=f"app-{number}", state="failed", living=False)
    for node in NODES:
        told.add(0.5, "neighbour_node", node=node, ready="True")
        told.series("neighbour_lease_gap_s", node, lambda at_s: (at_s * 0.97) % 2.2)
        told.series("neighbour_node_throttled_ratio", node, constant(0.1), 2)
    told.series("neighbour_members_alive", "pool", constant(33))
    for name in ("members_failed", "members_left", "gossip_false_positives", "gossip_fp", "gossip_fp_minus"):
        told.series(f"neighbour_{name}", "pool", constant(0))
    return told.series("neighbour_agent_read_ms", "agents", told.scatter(2.2, 0.8), 0.5)


def churned(told: Story) -> Story:
    """Its agents hear of the dead."""
    for number in range(12):
        told.add(CHURN_S + number / 10, "neighbour_member_change", member=f"app-{number}", state="failed", living=False)
    return told
