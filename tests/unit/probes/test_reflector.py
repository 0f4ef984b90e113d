"""A watch that ends, breaks, or is too old goes on, and leaves when it is told."""

import threading

import pytest
from probe_fakes import Told, pod

from lab.core.errors import Unavailable
from lab.probes import reflector
from lab.probes.pods import PodCache
from lab.probes.reflector import Reflector


class FakeStream:
    """Gives its events, then blocks until it is closed, ends, or breaks."""

    def __init__(self, events, then):
        self.events, self.then, self.closed = events, then, threading.Event()

    def __iter__(self):
        yield from self.events
        if self.then == "block":
            self.closed.wait(10)
        if self.then == "break":
            raise Unavailable("watch", "connection reset")

    def close(self):
        self.closed.set()


class FakeSource:
    def __init__(self, lists, streams):
        self.lists, self.streams, self.versions = lists, streams, []

    def list(self):
        return self.lists.pop(0), "10"

    def watch(self, version):
        self.versions.append(version)
        return self.streams.pop(0)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(reflector, "_RETRY_S", 0)
    monkeypatch.setattr(reflector, "_AGAIN_S", 0)


def run(source, until, told=None):
    """Follow until `until` is told of, then stop; returns what was told and the watch."""
    told, stop, cache = told or Told(), threading.Event(), PodCache()
    watch = Reflector("pods", source, cache)

    def emit(kind, fields):
        told(kind, fields)
        if fields["pod"] == until:
            stop.set()

    runner = threading.Thread(target=watch.run, args=(emit, stop), daemon=True)
    runner.start()
    runner.join(5)
    assert not runner.is_alive()
    return told, watch


def added(name, version):
    found = pod(name)
    found["metadata"]["resourceVersion"] = version
    return "ADDED", found


def test_the_list_comes_first_and_then_the_watch_from_its_version():
    source = FakeSource([[pod("a")]], [FakeStream([added("b", "11")], "block")])
    told, watch = run(source, until="b")
    assert [name for (name,) in told.of("pod", "pod")] == ["a", "b", "b"]
    assert (source.versions, watch.problem) == (["10"], None)


def test_a_watch_that_the_server_ends_goes_on_from_the_last_version_even_if_only_a_bookmark_had_it():
    bookmark = ("BOOKMARK", {"metadata": {"resourceVersion": "57"}})
    source = FakeSource([[pod("a")]], [FakeStream([bookmark], "end"), FakeStream([added("b", "60")], "block")])
    run(source, until="b")
    assert source.versions == ["10", "57"]


def test_a_watch_that_breaks_is_listed_again():
    source = FakeSource([[pod("a")], [pod("a"), pod("b")]], [FakeStream([], "break"), FakeStream([], "block")])
    told, _ = run(source, until="b")
    assert told.of("pod", "pod", "change")[:2] == [("a", "running"), ("b", "created")]


def test_stop_ends_a_watch_that_nothing_happens_in():
    stop, stream = threading.Event(), FakeStream([], "block")
    watch = Reflector("pods", FakeSource([[]], [stream]), PodCache())
    runner = threading.Thread(target=watch.run, args=(Told(), stop), daemon=True)
    runner.start()
    stop.set()
    runner.join(2)
    assert not runner.is_alive()


def test_before_the_first_list_the_cache_is_not_to_be_believed():
    assert Reflector("pods", FakeSource([], []), PodCache()).problem == "not read yet"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_the_reader_is_not_silent():
    with pytest.raises(Unavailable, match="follow pods"):
        Reflector("pods", FakeSource([], []), PodCache()).run(Told(), threading.Event())
