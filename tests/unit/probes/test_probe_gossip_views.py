"""What agents all over the pool hold for failed: any of them, and the healthy ones apart."""

from dataclasses import dataclass, field

from probe_fakes import reasons, silent, values

from lab.probes.gossip_views import ViewsProbe


@dataclass
class FakeAgent:
    name: str = "app-1"
    health_score: int | None = 0
    members: dict = field(default_factory=lambda: {"a": "alive", "b": "failed", "c": "failed", "d": "left"})

    def view(self):
        return self


def sampled(agent):
    return ViewsProbe(agent, lambda: {"a", "b", "d"}).sample()


def test_a_healthy_agent_counts_for_both_measures():
    assert values(sampled(FakeAgent())) == {("gossip_fp", "agents"): 1.0, ("gossip_fp_minus", "agents"): 1.0}


def test_what_a_starved_agent_says_counts_for_the_pool_alone():
    found = sampled(FakeAgent(health_score=4))
    assert values(found) == {("gossip_fp", "agents"): 1.0, ("gossip_fp_minus", "agents"): None}
    assert "app-1 has the score 4" in reasons(found)["gossip_fp_minus", "agents"]


def test_an_agent_that_does_not_tell_its_health_is_not_taken_for_healthy():
    assert values(sampled(FakeAgent(health_score=None)))["gossip_fp_minus", "agents"] is None


def test_an_agent_that_holds_nobody_for_failed_is_right():
    assert values(ViewsProbe(FakeAgent(members={"a": "alive"}), silent).sample())["gossip_fp", "agents"] == 0.0


def test_an_agent_that_does_not_answer_is_a_gap_in_both():
    agent = FakeAgent()
    agent.view = silent
    assert set(reasons(sampled(agent)).values()) == {"timed out after 2 s"}
