"""Which Kubernetes events are worth a line, and how many."""

import pytest
from probe_fakes import HandClock, Told

from lab.probes.kube_events import KubeEvents


def event(reason="FailedMount", name="p", kind="Pod", severity="Warning", message="no"):
    return {"reason": reason, "type": severity, "message": message, "involvedObject": {"kind": kind, "name": name}}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (event(), 1),
        (event("NodeNotReady", "n1", "Node", "Normal"), 1),
        (event("Pulled", severity="Normal"), 0),
    ],
)
def test_warnings_and_events_of_nodes_are_told(found, told):
    seen = Told()
    KubeEvents(HandClock()).apply("ADDED", found, seen)
    assert len(seen.events) == told


def test_an_event_names_its_object_and_keeps_its_message_short():
    seen = Told()
    KubeEvents(HandClock()).apply("ADDED", event(message="x" * 999), seen)
    assert seen.of("kube_event", "reason", "object", "message") == [("FailedMount", "Pod/p", "x" * 300)]


def test_the_same_is_told_again_only_after_a_while():
    clock, seen = HandClock(), Told()
    feed = KubeEvents(clock)
    for pause_s in (0, 29, 2):
        clock.sleep(pause_s)
        feed.apply("MODIFIED", event(), seen)
    assert len(seen.events) == 2


def test_a_storm_is_told_at_a_bounded_rate_and_the_rest_is_counted():
    clock, seen = HandClock(), Told()
    feed = KubeEvents(clock)
    for number in range(200):
        feed.apply("ADDED", event(name=f"p{number}"), seen)
    assert (len(seen.events), feed.dropped) == (50, 150)
    clock.sleep(1)
    for number in range(200, 220):
        feed.apply("ADDED", event(name=f"p{number}"), seen)
    assert len(seen.events) == 60


def test_what_happened_before_is_not_told():
    seen = Told()
    feed = KubeEvents(HandClock())
    feed.replace([event()], seen)
    feed.apply("DELETED", event(), seen)
    assert seen.events == []
