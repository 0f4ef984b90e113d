"""Questions that may hang, asked at a steady pace.

A sampler gives each probe one thread. A question that takes ten seconds would cost its probe ten samples, at the very time when they matter, so
each question gets a thread of its own, a few at most, and what is late is handed over when it comes.
"""

import queue
import threading
from collections.abc import Callable, Sequence

from lab.core.clock import Clock
from lab.core.errors import LabError
from lab.core.protocols import Reading

Question = Callable[[], Sequence[Reading]]


class Paced:
    """Asks without ever waiting longer than `wait_s`.

    Args:
        most: questions under way at once. When so many wait, no further one is asked: each of them will say in time what came of it, and
            "not asked" is no news of what is asked about.
        wait_s: how long one call waits for its own answer. Under the probe's interval, so that a hanging one does not delay the next.
    """

    def __init__(self, most: int, wait_s: float) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._wait_s = wait_s
        self._answers: queue.SimpleQueue[Sequence[Reading]] = queue.SimpleQueue()

    def ask(self, question: Question, name: str) -> list[Reading]:
        """Ask now, and return all answers that have come, to this question or to earlier ones; none is an empty list."""
        if self._free.acquire(blocking=False):
            answered = threading.Event()
            threading.Thread(target=self._run, args=(question, answered), name=f"ask-{name}", daemon=True).start()
            answered.wait(self._wait_s)
        return self._come()

    def _run(self, question: Question, answered: threading.Event) -> None:
        try:
            self._answers.put(question())
        finally:
            self._free.release()
            answered.set()

    def _come(self) -> list[Reading]:
        come: list[Reading] = []
        while True:
            try:
                come += self._answers.get_nowait()
            except queue.Empty:
                return come


def timed(clock: Clock, series: str, target: str, call: Callable[[], object]) -> Reading:
    """How long `call` takes, in milliseconds; when it fails, why."""
    begun_s = clock.now_s()
    try:
        call()
    except LabError as error:
        return Reading(series, target, None, reason(error))
    return Reading(series, target, round((clock.now_s() - begun_s) * 1000, 3))


def reason(error: LabError) -> str:
    """Why there is no value, short."""
    return error.came_back or str(error)


class Rate:
    """Turns a counter into a rate per second.

    Args:
        clock: for the time between.
        least_s: shortest time that gives a rate. Two late answers may come within milliseconds, and a rate over so little is noise.
    """

    def __init__(self, clock: Clock, least_s: float = 0.0) -> None:
        self._clock = clock
        self._least_s = least_s
        self._last: tuple[float, float] | None = None

    def of(self, count: float) -> float | None:
        """The rate since the last one; None the first time, too soon, and when the counter went back (what it counts began anew)."""
        now_s, last = self._clock.now_s(), self._last
        if last is not None and now_s - last[0] <= self._least_s:
            return None
        self._last = (now_s, count)
        return None if last is None or count < last[1] else (count - last[1]) / (now_s - last[0])
