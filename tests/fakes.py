"""Small stand-ins with state; what a test wants to see is an attribute."""

import resource
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lab.core.errors import Aborted
from lab.core.protocols import Emit, Reading


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """A disk that is full after `size_bytes`: the kernel refuses with EFBIG."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


class FakeClock:
    """Jumps instead of sleeping; calls `at_tick` before each jump, so that a fake world can live along."""

    def __init__(self, start_s: float = 1000.0) -> None:
        self.now = start_s
        self.slept: list[float] = []
        self.at_tick: list[Any] = []

    def now_s(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(seconds, 0.0)
        for call in self.at_tick:
            call()

    def utc(self) -> datetime:
        return datetime(2019, 1, 15, tzinfo=UTC) + timedelta(seconds=self.now)


class FakeStep:
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


class FakeProgress:
    """Remembers the titles of its steps."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    @contextmanager
    def step(self, title: str, allowed_s: float | None = None) -> Iterator[FakeStep]:
        self.titles.append(title)
        yield FakeStep()


class FakeProbe:
    """Answers what its `readings` say, or raises what it is told to."""

    def __init__(self, name: str, readings: Sequence[Reading] = (), interval_s: float = 0.02, raises: Exception | None = None) -> None:
        self.name = name
        self.interval_s = interval_s
        self.timeout_s = 0.1
        self.readings = list(readings)
        self.raises = raises
        self.asked = 0

    def sample(self) -> Sequence[Reading]:
        self.asked += 1
        if self.raises:
            raise self.raises
        return self.readings


class FakeWatch:
    """Emits its events once, then waits for the end."""

    name = "fake"

    def __init__(self, events: Sequence[tuple[str, dict[str, Any]]] = ()) -> None:
        self.events = events

    def run(self, emit: Emit, stop: threading.Event) -> None:
        for kind, fields in self.events:
            emit(kind, fields)
        stop.wait(60)


class FakeLoad:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.stop_raises: Exception | None = None
        self.died: str | None = None

    def problem(self) -> str | None:
        return self.died

    def start(self, profile: str, duration_s: float) -> None:
        self.calls.append(f"start {profile}")

    def stop(self) -> None:
        self.calls.append("stop")
        if self.stop_raises:
            raise self.stop_raises


class FakePowers:
    """What the other faults do, as sets and numbers: `going` holds what acts."""

    def __init__(self) -> None:
        self.going: dict[str, tuple[float, ...]] = {}
        self.wanted = 35

    def flap_broker(self, away_s: float, back_s: float) -> None:
        self.going["flap"] = (away_s, back_s)

    def steady_broker(self) -> None:
        self.going.pop("flap", None)

    def broker_flaps(self) -> bool:
        return "flap" in self.going

    def cut_broker(self, loss_ratio: float) -> None:
        self.going["cut"] = (loss_ratio,)

    def join_broker(self) -> None:
        self.going.pop("cut", None)

    def broker_cut(self) -> bool:
        return "cut" in self.going

    def packets_dropped(self) -> int:
        return 7 * ("cut" in self.going)

    def kill_agents(self, share: float, every_s: float) -> None:
        self.going["kill"] = (share, every_s)

    def spare_agents(self) -> None:
        self.going.pop("kill", None)

    def agents_hunted(self) -> bool:
        return "kill" in self.going

    def agents_killed(self) -> int:
        return 7 * ("kill" in self.going)

    def pause_agents(self, share: float, away_s: float, back_s: float) -> None:
        self.going["pause"] = (share, away_s, back_s)

    def resume_agents(self) -> None:
        self.going.pop("pause", None)

    def agents_paused(self) -> bool:
        return "pause" in self.going

    def agents_frozen(self) -> int:
        return 7 * ("pause" in self.going)

    def churn_pods(self, low: int, high: int, half_period_s: float) -> None:
        self.going["churn"] = (low, high, half_period_s)
        self.wanted = low

    def settle_pods(self, pods: int) -> None:
        self.going.pop("churn", None)
        self.wanted = pods

    def pods_churn(self) -> bool:
        return "churn" in self.going

    def pods_wanted(self) -> int:
        return self.wanted

    def redeploy_agents(self, mark: str, key: str, share: float, *, verify: bool) -> None:
        self.going["redeploy"] = (float(mark), share)

    def stop_redeploy(self) -> None:
        self.going.pop("redeploy", None)

    def redeploy_under_way(self) -> bool:
        return "redeploy" in self.going

    def redeployed(self) -> int:
        return 7 * ("redeploy" in self.going)

    def stress_nodes(self, nodes: int, workers: int) -> None:
        self.going["stress"] = (nodes, workers)

    def relax_nodes(self, nodes: int) -> None:
        self.going.pop("stress", None)

    def nodes_stressed(self, nodes: int) -> bool:
        return "stress" in self.going

    def cpu_burnt_s(self, nodes: int) -> float:
        return 2.0 * ("stress" in self.going)


class FakeWorld(FakePowers):
    """A broker that can be frozen, and a steady system around it.

    `stuck` makes a thaw do nothing; `immune` makes a freeze do nothing; `pods_running` other than asked for breaks the steady state.
    """

    def __init__(self) -> None:
        super().__init__()
        self.frozen = False
        self.stuck = False
        self.immune = False
        self.deaf = False
        self.thawed = 0
        self.pods = 0
        self.provided = 0
        self.pods_missing = 0
        self.reset_raises: BaseException | None = None
        self.generator = FakeLoad()
        self.accounting_raises: Exception | None = None

    def freeze_broker(self) -> None:
        self.frozen = self.frozen or not self.immune

    def thaw_broker(self) -> None:
        self.thawed += 1
        self.frozen = self.frozen and self.stuck

    def broker_frozen(self) -> bool:
        return self.frozen

    def broker_answers(self, timeout_s: float) -> bool:
        return not (self.frozen or self.broker_flaps()) or self.deaf

    def provide(self) -> None:
        self.provided += 1

    def reset(self, pods: int) -> None:
        self.pods = pods
        if self.reset_raises:
            raise self.reset_raises

    def probes(self) -> list[Any]:
        return [SteadyProbe(self)]

    def watches(self) -> list[FakeWatch]:
        return [FakeWatch([("node", {"node": "n1", "ready": "True"})])]

    def load(self, folder: Path) -> FakeLoad:
        return self.generator

    def facts(self) -> dict[str, Any]:
        return {"host": {"cores": 2}, "versions": {}, "settings": {"cap": 0.2}, "fidelity": {}}

    def accounting(self) -> dict[str, Any]:
        if self.accounting_raises:
            raise self.accounting_raises
        return {"written": 3, "delivered": 3, "backlog": 0, "gone_with_pod": 0, "unaccounted": 0, "duplicates": 0}


class SteadyProbe:
    """The three series that the gate looks at."""

    name = "steady"
    interval_s = 0.02
    timeout_s = 0.1

    def __init__(self, world: FakeWorld) -> None:
        self._world = world

    def sample(self) -> list[Reading]:
        running = float(self._world.pods - self._world.pods_missing)
        return [
            Reading("nodes_not_ready", "cluster", 0.0),
            Reading("pods_running", "lab", running),
            Reading("consul_read_ms", "servers", 2.0),
        ]


class FakeGuard:
    """A watchdog that only counts."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.dead = False

    def start(self) -> None:
        self.calls.append("start")

    def ensure(self) -> None:
        if self.dead:
            raise Aborted("start the watchdog", "it is dead")

    def ledger_changed(self) -> None:
        self.calls.append("ledger")

    def end(self) -> None:
        self.calls.append("end")

    def cpu_s(self) -> float:
        return 0.0
