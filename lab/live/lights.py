"""Which links of the chain have fired so far: the verdict's own checkers, asked again and again about the history as far as it goes.

In a run they work in a process of their own (`python -m lab.live.lights RUN`): 50 ms of arithmetic among the threads of the probes would
make some of their answers look later than they were.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from select import select

import psutil

from lab.checkers.links import TITLES, check_all
from lab.checkers.watch import Watch
from lab.core.errors import LabError
from lab.core.history import Event, History
from lab.live.follow import Follower
from lab.live.model import Light

CPU_SHARE = 0.005
"""Of one core, at most. Chosen: the lab is held to 0.05 in all and uses 0.03, and a link that lights up late is still news. A judgement costs
0.03 s of CPU in the outage and 0.1 s at the end of a cascade: one every 6 to 20 s. Raising it lights links sooner, at the cost of the probes."""
EVERY_S = 2.0
"""Chosen: the least pause between two judgements; the first ones cost 10 ms."""
NICENESS = 19
"""The lowest priority: probes, nodes and load go first."""
END_WITHIN_S = 10.0
"""Chosen: it ends at once on a free machine; at the lowest priority on a full one it was seen to take seconds."""


class Lights:
    """Judges what it was given."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def add(self, events: Iterable[Event]) -> None:
        """More of the history."""
        self._events += events

    def judge(self) -> list[Light]:
        """Every link; all unknown before the steady phase has ended."""
        history = History(self._events)
        watch = Watch.of(history)
        if watch is None:
            return [Light(link, title, "unknown", None, None) for link, title in TITLES.items()]
        return [Light(one.link, one.title, one.status, one.fired_at_s, one.recovered_at_s) for one in check_all(history, watch)]


class LightsProcess:
    """The lights of a run under way, from a process of their own; without them the view goes on, unlit."""

    def __init__(self, run: Path, tell: Callable[[list[Light]], None]) -> None:
        """Start it.

        Args:
            run: folder of the run.
            tell: takes the links whenever one has changed, from a thread.
        """
        command = [sys.executable, "-m", "lab.live.lights", str(run)]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )
        self._tell = tell
        self._cpu_s = 0.0
        self._thread = threading.Thread(target=self._listen, name="lights", daemon=True)
        self._thread.start()

    def cpu_s(self) -> float:
        """CPU seconds that it has used."""
        try:
            times = psutil.Process(self._child.pid).cpu_times()
            self._cpu_s = max(self._cpu_s, float(times.user + times.system))
        except psutil.Error:
            pass  # it has ended: what was last seen stays
        return self._cpu_s

    def close(self) -> None:
        """End it: it goes when its input ends."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        try:
            self._child.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._thread.join(END_WITHIN_S)
        if self._child.stdout is not None:
            self._child.stdout.close()

    def _listen(self) -> None:
        for line in self._child.stdout or ():
            try:
                self._tell([Light(**light) for light in json.loads(line)])
            except (ValueError, TypeError):
                continue  # a line cut short by its end


def serve(run: Path, say: Callable[[Sequence[Light]], None], gone: Callable[[float], bool]) -> None:
    """Judge the growing history of `run` and say what has changed, until it has ended.

    Args:
        run: folder of the run.
        say: takes the links.
        gone: waits so many seconds; true, at once, when the run is over: then it judges a last time.
    """
    follower, lights, said, last = Follower.of(run), Lights(), None, False
    while True:
        events = follower.read()
        begun_s = time.process_time()
        if events:
            lights.add(events)
            found = lights.judge()
            if found != said:
                said = found
                say(found)
        if last or any(event.kind == "end" for event in events):
            return
        last = gone(max(EVERY_S, (time.process_time() - begun_s) / CPU_SHARE))


def main() -> None:
    """`python -m lab.live.lights RUN`: a line of JSON whenever a link has changed; ends with the run, or with its standard input."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)

    def say(lights: Sequence[Light]) -> None:
        sys.stdout.write(json.dumps([asdict(light) for light in lights]) + "\n")
        sys.stdout.flush()

    def gone(wait_s: float) -> bool:
        readable, _, _ = select([sys.stdin], [], [], wait_s)
        return bool(readable)

    try:
        serve(Path(sys.argv[1]), say, gone)
    except (LabError, OSError):
        sys.exit(1)


if __name__ == "__main__":
    main()
