"""The chain from a step of the timeline to a member that failed, event by event."""

from typing import Any

import pytest

from lab.runner.causes import Causes


class Story:
    """Writes events down as the recorder does; `cause` of the last."""

    def __init__(self) -> None:
        self.causes = Causes()
        self.seq = 0

    def __call__(self, kind: str, **fields: Any) -> tuple[int, int | None]:
        cause = self.causes.of(kind, fields)
        self.causes.note(self.seq, kind, fields)
        self.seq += 1
        return self.seq - 1, cause


@pytest.fixture
def story() -> Story:
    begun = Story()
    begun("run")
    begun("phase", phase="steady", state="begin")
    begun("node", node="n1", ready="True")
    begun("pod", pod="a", node="n1", change="running")
    begun("member_change", member="a", state="alive")
    return begun


def test_the_whole_chain_leads_back_to_the_step(story: Story) -> None:
    step, _ = story("step", step="flood", state="begin")
    down, because = story("node", node="n1", ready="Unknown")
    assert because == step
    evicting, because = story("pod", pod="a", node="n1", change="evicting")
    assert because == down
    deleted, because = story("pod", pod="a", node="n1", change="deleted")
    assert because == evicting
    assert story("member_change", member="a", state="failed")[1] == deleted
    created, because = story("pod", pod="b", node="n2", change="created")
    assert because == deleted
    running, because = story("pod", pod="b", node="n2", change="running")
    assert because == created
    assert story("member_change", member="b", state="alive")[1] == running


def test_a_node_that_is_back_points_to_its_own_trouble(story: Story) -> None:
    story("step", step="flood", state="begin")
    down, _ = story("node", node="n1", ready="False")
    assert story("node", node="n1", ready="True")[1] == down


def test_a_member_that_fails_while_its_pod_lives_points_to_the_trouble_of_its_node(story: Story) -> None:
    down, _ = story("node", node="n1", ready="Unknown")
    assert story("member_change", member="a", state="failed")[1] == down


def test_a_member_that_fails_on_a_ready_node_points_to_what_the_run_did_since_its_pod_started(story: Story) -> None:
    step, _ = story("step", step="flood", state="begin")
    assert story("member_change", member="a", state="failed")[1] == step
    assert story("kube_event", object="Pod/a", reason="Unhealthy")[1] == step


def test_what_the_run_does_later_does_not_hide_that_a_pod_was_moved(story: Story) -> None:
    story("node", node="n1", ready="Unknown")
    moved, _ = story("pod", pod="a", node="n1", change="deleted")
    story("node", node="n1", ready="True")
    story("step", step="calm", state="begin")
    assert story("member_change", member="a", state="left")[1] == moved
    assert story("kube_event", object="Pod/a", reason="Killing")[1] == moved


def test_a_kubernetes_event_about_a_pod_of_a_lost_node_points_to_the_node(story: Story) -> None:
    down, _ = story("node", node="n1", ready="Unknown")
    assert story("kube_event", object="Pod/a", reason="NodeNotReady")[1] == down


def test_the_newest_thing_the_run_did_explains_a_sample(story: Story) -> None:
    assert story("sample", series="s", target="t")[1] == 1
    fault, _ = story("fault", fault="pause-broker", change="injected")
    assert story("sample", series="s", target="t")[1] == fault


def test_a_kubernetes_event_points_to_the_newest_event_of_its_object(story: Story) -> None:
    assert story("kube_event", object="Pod/a", reason="Killing")[1] == 3
    down, _ = story("node", node="n1", ready="False")
    assert story("kube_event", object="Node/n1", reason="NodeNotReady")[1] == down
    assert story("kube_event", object="Pod/unknown", reason="x")[1] == 1


def test_a_kubernetes_event_about_a_node_that_comes_before_its_loss_points_to_what_the_run_did(story: Story) -> None:
    step, _ = story("step", step="flood", state="begin")
    assert story("kube_event", object="Node/n1", reason="NodeNotReady")[1] == step
    story("node", node="n1", ready="Unknown")
    back, _ = story("node", node="n1", ready="True")
    assert story("kube_event", object="Node/n1", reason="NodeReady")[1] == back


def test_two_pods_that_ended_explain_two_new_ones_in_order(story: Story) -> None:
    story("pod", pod="c", node="n1", change="running")
    first, _ = story("pod", pod="a", node="n1", change="deleted")
    second, _ = story("pod", pod="c", node="n1", change="failed")
    assert story("pod", pod="x", node="n2", change="created")[1] == first
    assert story("pod", pod="y", node="n2", change="created")[1] == second


def test_a_member_that_shares_a_pod_ends_with_that_pod(story: Story) -> None:
    story("member_change", member="a-a2-0", state="alive")
    gone, _ = story("pod", pod="a", node="n1", change="deleted")
    assert story("member_change", member="a-a2-0", state="failed")[1] == gone
