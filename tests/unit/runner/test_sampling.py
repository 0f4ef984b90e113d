"""Cadence by exact numbers; threads by what they leave in the history."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.adapters.clock import SystemClock
from lab.core.history import History, HistoryWriter
from lab.core.protocols import Emit, Reading
from lab.runner.recorder import Recorder
from lab.runner.sampling import Asker, Cadence, Sampling
from tests.fakes import FakeClock, FakeProbe, FakeWatch


@pytest.mark.parametrize(
    ("tick", "now_s", "late", "following"),
    [
        (0, 10.0, False, 1),
        (0, 10.39, False, 1),
        (0, 10.41, True, 1),
        (3, 16.1, False, 4),
        (3, 17.9, True, 4),
        (3, 18.0, True, 4),
        (3, 20.5, True, 5),
        (3, 30.0, True, 10),
    ],
)
def test_the_next_tick_depends_on_the_start_alone_and_what_is_between_is_skipped(
    tick: int, now_s: float, late: bool, following: int
) -> None:
    cadence = Cadence(10.0, 2.0)
    assert cadence.late(tick, now_s) == late
    assert cadence.after(tick, now_s) == following


def test_ticks_do_not_drift() -> None:
    cadence = Cadence(5.0, 0.1)
    assert cadence.due_s(3600) == pytest.approx(365.0)


class Book:
    """A recorder, and what it wrote."""

    def __init__(self, path: Path, clock: FakeClock | SystemClock) -> None:
        self.path = path
        self.writer = HistoryWriter(path, clock)
        self.recorder = Recorder(self.writer)

    @property
    def history(self) -> History:
        return History.read(self.path)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    opened = Book(tmp_path / "history.jsonl", FakeClock())
    yield opened
    opened.writer.close()


def test_a_sample_carries_the_time_of_its_question_and_how_long_the_answer_took(book: Book) -> None:
    clock: FakeClock = book.writer._clock  # type: ignore[assignment]

    class Slow(FakeProbe):
        def sample(self) -> list[Reading]:
            clock.sleep(1.5)
            return [Reading("consul_read_ms", "servers", 3.0)]

    clock.sleep(2)
    Asker(Slow("slow"), book.recorder).ask(late=True)
    (event,) = book.history.of("sample")
    assert (event.at_s, event["took_ms"], event["late"], event["value"], event["probe"]) == (2.0, 1500.0, True, 3.0, "slow")
    assert event.get("reason") is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_missing_and_has_a_reason(book: Book, value: float | None) -> None:
    Asker(FakeProbe("p", [Reading("s", "t", value)]), book.recorder).ask(late=False)
    (sample,) = book.history.samples("s", "t")
    assert sample.value is None
    assert sample.reason


def test_a_probe_that_raises_leaves_missing_samples_under_the_names_it_had(book: Book) -> None:
    probe = FakeProbe("p", [Reading("s", "t", 1.0), Reading("s", "u", 2.0)])
    asker = Asker(probe, book.recorder)
    asker.ask(late=False)
    probe.raises = ValueError("boom")
    asker.ask(late=False)
    assert [(sample.value, sample.reason) for sample in book.history.samples("s", "u")] == [
        (2.0, None),
        (None, "the probe raised ValueError: boom"),
    ]


def eventually(seen: Callable[[], bool]) -> None:
    for _ in range(1000):
        if seen():
            return
        time.sleep(0.01)  # noqa: TID251
    pytest.fail("not seen in 10 s")


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Book]:
    opened = Book(tmp_path / "real.jsonl", SystemClock())
    yield opened
    opened.writer.close()


def test_a_stuck_probe_blocks_no_other_and_is_named_at_the_end(real: Book) -> None:
    free = threading.Event()

    class Stuck(FakeProbe):
        def sample(self) -> list[Reading]:
            free.wait(30)
            return []

    good = FakeProbe("good", [Reading("s", "t", 1.0)])
    stuck = Stuck("stuck")
    stuck.timeout_s = -2.4
    sampling = Sampling([stuck, good], [], real.recorder, SystemClock())
    sampling.start()
    eventually(lambda: good.asked >= 5)
    assert sampling.stop() == ["probe-stuck"]
    free.set()


def test_every_tick_is_counted_and_skipped_ones_are_late(real: Book) -> None:
    class Slow(FakeProbe):
        def sample(self) -> list[Reading]:
            self.asked += 1
            SystemClock().sleep(0.1)
            return self.readings

    slow = Slow("slow", [Reading("s", "t", 1.0)], interval_s=0.02)
    sampling = Sampling([slow], [], real.recorder, SystemClock())
    sampling.start()
    eventually(lambda: slow.asked >= 4)
    sampling.stop()
    assert sampling.counts.samples > sampling.counts.samples_late > slow.asked


def test_a_watch_that_raises_is_missing_for_a_while_and_begins_again(real: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.runner.sampling.WATCH_AGAIN_S", 0.01)

    class Falls(FakeWatch):
        runs = 0

        def run(self, emit: Emit, stop: threading.Event) -> None:
            self.runs += 1
            if self.runs == 1:
                raise ConnectionError("gone")
            emit("node", {"node": "n", "ready": "True"})
            stop.wait(30)

    watch = Falls()
    sampling = Sampling([], [watch], real.recorder, SystemClock())
    sampling.start()
    eventually(lambda: real.history.first("node", ready="True") is not None)
    assert sampling.stop() == []
    assert real.history.samples("watch_fake")[0].reason == "the watch raised ConnectionError: gone"


def test_stopping_what_never_started_is_fine(book: Book) -> None:
    assert Sampling([FakeProbe("p")], [FakeWatch()], book.recorder, FakeClock()).stop() == []
