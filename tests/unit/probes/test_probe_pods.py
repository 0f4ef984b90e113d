"""What a watch of pods tells, and what the counts say."""

import pytest
from probe_fakes import Seen, Told, pod, reasons, values

from lab.probes.pods import PodCache, PodsProbe


@pytest.fixture
def cache():
    cache = PodCache()
    cache.replace([pod("old")], Told())
    return cache


def test_the_first_list_tells_where_the_run_starts():
    told = Told()
    PodCache().replace([pod("a"), pod("b", phase="Pending", ready=False)], told)
    assert told.of("pod", "pod", "change", "reason") == [("a", "running", "at start"), ("b", "created", "at start")]


def test_a_new_pod_is_created_and_then_running(cache):
    told = Told()
    cache.apply("ADDED", pod("new", "", phase="Pending", ready=False), told)
    cache.apply("MODIFIED", pod("new", "n2", ready=False), told)
    cache.apply("MODIFIED", pod("new", "n2"), told)
    assert told.of("pod", "node", "change") == [("", "created"), ("n2", "running")]


def test_an_eviction_is_told_with_its_reason_and_counted_once(cache):
    told = Told()
    for change, terminating in (("MODIFIED", False), ("MODIFIED", True), ("DELETED", True)):
        cache.apply(change, pod("old", disruption="DeletionByTaintManager", terminating=terminating), told)
    reason = "DeletionByTaintManager"
    assert told.of("pod", "change", "reason") == [("evicting", reason), ("deleted", reason)]
    assert cache.evictions == 1
    assert cache.pods() == []


def test_the_last_sight_of_a_deleted_pod_may_tell_that_it_was_evicted(cache):
    told = Told()
    cache.apply("DELETED", pod("old", disruption="DeletionByTaintManager"), told)
    assert told.of("pod", "change") == [("evicting",), ("deleted",)]


def test_a_pod_deleted_by_a_person_is_no_eviction(cache):
    told = Told()
    cache.apply("DELETED", pod("old", terminating=True), told)
    assert (told.of("pod", "change", "reason"), cache.evictions) == ([("deleted", "")], 0)


@pytest.mark.parametrize(("reason", "evictions"), [("Evicted", 1), ("OutOfcpu", 0)])
def test_a_failed_pod_is_told_with_its_reason(cache, reason, evictions):
    told = Told()
    cache.apply("MODIFIED", pod("old", phase="Failed", ready=False, reason=reason), told)
    assert (told.of("pod", "change", "reason"), cache.evictions) == ([("failed", reason)], evictions)


def test_a_pod_that_comes_back_after_its_node_was_lost_is_running_again(cache):
    told = Told()
    cache.apply("MODIFIED", pod("old", ready=False), told)
    cache.apply("MODIFIED", pod("old"), told)
    assert told.of("pod", "change") == [("running",)]


def test_a_list_after_a_broken_watch_tells_what_was_missed(cache):
    told = Told()
    cache.replace([pod("new", disruption="DeletionByTaintManager")], told)
    assert told.of("pod", "pod", "change") == [("old", "deleted"), ("new", "created"), ("new", "running"), ("new", "evicting")]
    assert cache.evictions == 1


def test_evictions_before_the_run_are_not_its_own():
    cache = PodCache()
    cache.replace([pod("a", disruption="DeletionByTaintManager")], Told())
    cache.apply("MODIFIED", pod("a", disruption="DeletionByTaintManager", terminating=True), Told())
    assert cache.evictions == 0


def test_pods_are_counted_by_state():
    cache = PodCache()
    listed = [pod("a"), pod("b"), pod("c", ready=False), pod("d", phase="Pending", ready=False), pod("e", terminating=True)]
    cache.replace(listed, Told())
    assert list(values(PodsProbe(cache, Seen()).sample()).values()) == [2, 1, 1, 0]


def test_without_its_watch_nothing_is_counted():
    readings = PodsProbe(PodCache(), Seen("refused")).sample()
    assert set(values(readings).values()) == {None}
    assert set(reasons(readings).values()) == {"refused"}
