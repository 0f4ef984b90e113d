"""`lab run --dry-run`: the run as it would be, played by the real runner on a clock that jumps, against doors that only tell.

So the order, the times and the words of every command are those of a run. What cannot be known without a cluster is assumed and said: it is
there, calm, and has been used before. While it plays, the process can open no socket and start no program.
"""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.cli import compose
from lab.cluster import calibrate as calibration
from lab.cluster import neighbour
from lab.cluster.rehearsal import Tell, ToldWorld
from lab.cluster.shape import Plan, Use, plan, read_nodes
from lab.core import paths
from lab.core.errors import LabError
from lab.core.experiment import Experiment
from lab.core.ledger import Entry, Ledger
from lab.core.protocols import Fault, FaultKind, LoadGenerator, Probe, Watch
from lab.faults.table import FAULTS
from lab.probes.neighbour import Beside, neighbour_probes, neighbour_watches
from lab.probes.table import Handles, standard_probes, standard_watches
from lab.runner.injuries import Injuries, Tools
from lab.runner.phases import Phases, Stage
from lab.runner.recorder import Recorder
from lab.runner.steady import Gate
from lab.workload.locust import LoadSettings, argv, environment

FOLDER = Path("runs/UTC-NAME")
HEAD = (
    "# Nothing of this is sent. Assumed: the lab is up, calm, and has been used before.",
    "# Shell commands can be pasted; kubernetes, kafka, ledger and write name requests that the lab makes by itself.",
)


def rehearse(experiment: Experiment, tell: Tell) -> None:
    """Tell every command that a run of `experiment` would send, and when. Sends none of them, and changes nothing.

    Args:
        experiment: checked.
        tell: takes the lines, in order; `# 45 s` says when what follows would be sent, in seconds after the run began.
    """
    clock = _Clock()
    told = _Told(clock, tell)
    world = _World(experiment, ToldWorld(read_nodes(paths.project() / "kind-config.yaml"), clock, told.line), told)
    recorder, guard = _Recorder(clock, told), _Guard(told)
    faults = {name: _Kind(FAULTS[name], told) for name in FAULTS}
    tools = Tools(world, faults, _Ledger(told), recorder, clock, guard)
    injuries = Injuries(tools, FOLDER.name)
    stage = Stage(experiment, world, clock, _Progress(told), recorder, _Steady(experiment.workload.pods))
    phases = Phases(stage, injuries, told.flush, guard)
    for line in HEAD:
        tell(line)
    tell(f"# {experiment.name}: {experiment.title}")
    told.line(f'app="{" ".join(world.app_nodes)}"')
    with _no_touch():
        told.line(f"flock {paths.LOCK}; heal what {paths.LEDGER} holds open; mkdir -p {FOLDER}; write experiment.json, history.jsonl")
        guard.start()
        phases.open_load(FOLDER)
        phases.run()
        phases.heal()
        phases.end(completed=True)
        world.dismiss_neighbour(_Progress(told), dict)
        told.line(f"write verdict.json and report.html in {FOLDER}")


class _Clock:
    """Jumps."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_s(self) -> float:
        return self._now_s

    def sleep(self, seconds: float) -> None:
        self._now_s += max(0.0, seconds)

    def utc(self) -> datetime:
        return datetime(2019, 1, 15, tzinfo=UTC)


class _Told:
    """Says the time when it has changed. `flush` tells what was sent at once and waits to be told."""

    def __init__(self, clock: _Clock, tell: Tell) -> None:
        self._clock = clock
        self._tell = tell
        self._said_s = -1.0
        self.flush: Callable[[], None] = lambda: None

    def line(self, text: str) -> None:
        self.flush()
        if self._clock.now_s() != self._said_s:
            self._said_s = self._clock.now_s()
            self._tell(f"# {self._said_s:g} s")
        self._tell(text)


class _Steps:
    def __init__(self, told: _Told) -> None:
        self._told = told

    def say(self, text: str) -> None:
        """Details come from a system that is there."""


class _Progress:
    def __init__(self, told: _Told) -> None:
        self._told = told

    @contextmanager
    def step(self, title: str, allowed_s: float | None = None) -> Iterator[_Steps]:
        self._told.line(f"# {title}" + (f", at most {allowed_s:g} s" if allowed_s else ""))
        yield _Steps(self._told)


class _World(compose.LabWorld):
    """The world of the run, on doors that tell."""

    def __init__(self, experiment: Experiment, kind: ToldWorld, told: _Told) -> None:
        super().__init__(_Progress(told), experiment, compose.Doors(kind, lambda: kind.kube))
        self._told = told
        self._wanted = experiment
        self._cluster = kind
        told.flush = kind.notes.flush
        if calibration.recall(experiment.workload) is None:
            told.line(
                "# this machine has no measurement for this workload: lab calibrate comes first, and MEASURED stands for what it finds"
            )

    def provide(self) -> None:
        """Told in one line, by the constructor, where anything is lacking."""

    def probes(self) -> Sequence[Probe]:
        """Told, not started: they only ask."""
        names, workload = [node.name for node in self._cluster.nodes], self._wanted.workload
        handles = Handles(
            self._cluster.clock,
            self._cluster.kube,
            self._cluster.docker,
            names,
            self._cluster.app_nodes,
            logging=workload.logging,
            shipper=workload.shipper,
            storage=self._wanted.vault.storage,
        )
        beside = [Beside(handles.clock, handles.kube, handles.docker, neighbour.APP, handles.living)] if self._wanted.neighbour.pods else []
        for probe in [*standard_probes(handles), *(probe for each in beside for probe in neighbour_probes(each))]:
            self._told.line(f"# probe {probe.name}: asks every {probe.interval_s:g} s, waits at most {probe.timeout_s:g} s")
        watches = [*standard_watches(handles), *(watch for each in beside for watch in neighbour_watches(each))]
        self._told.line(f"# watches: {', '.join(watch.name for watch in watches)}")
        return []

    def watches(self) -> Sequence[Watch]:
        return []

    def load(self, folder: Path) -> LoadGenerator:
        workload = self._wanted.workload
        return _Load(LoadSettings.of(workload, folder, 0.0), self._told)

    def facts(self) -> dict[str, Any]:
        return {}

    def accounting(self) -> dict[str, Any]:
        topic = "the topic logs of 127.0.0.1:19092 from its beginning, and " if self._wanted.workload.logging else ""
        self._told.line(f"read {topic}the tallies of the pods")
        return {}

    def _outdone(self, calm_cores: float) -> bool:
        del calm_cores  # nothing was measured
        self._told.line(
            f"where nodes take less than {calibration.TRUE_SHARE:g} of what they took without load when they were calibrated: calibrate anew"
        )
        return False

    def _plan(self) -> Plan:
        known = calibration.recall(self._wanted.workload)
        if known is not None:
            return self._planned()
        return plan(Use(float("nan")), self._wanted.shape, len(self._cluster.app_nodes), 0, self._wanted.neighbour)


class _Load:
    def __init__(self, settings: LoadSettings, told: _Told) -> None:
        self._settings = settings
        self._told = told

    def start(self, profile: str, duration_s: float) -> None:
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment(self._settings, duration_s).items())
        shown = [
            Path(word).name if word == sys.executable else word.removeprefix(f"{paths.project()}/")
            for word in argv(profile, self._settings.host)
        ]
        self._told.line(f"{words} {shlex.join(shown)}")

    def stop(self) -> None:
        self._told.line("kill -TERM the load generator's process group")

    def problem(self) -> str | None:
        return None


class _Steady(Gate):
    def wrong(self, now_s: float, windows: int = 1) -> list[str]:  # noqa: ARG002  # as the gate's
        """A calm system."""
        return []


class _Recorder(Recorder):
    """Tells the phases; the rest of the history is about what is told anyway."""

    def __init__(self, clock: _Clock, told: _Told) -> None:
        self._clock = clock
        self._told = told
        self._count = 0

    def now_s(self) -> float:
        return self._clock.now_s()

    def record(self, kind: str, *, cause: int | None = None, sync: bool = False, at_s: float | None = None, **fields: Any) -> int:  # noqa: ARG002  # as the recorder's
        if kind == "phase" and fields["state"] == "begin":
            self._told.line(f"# phase {fields['phase']}")
        self._count += 1
        return self._count


class _Ledger(Ledger):
    def __init__(self, told: _Told) -> None:
        self._told = told

    def open(self, entry: Entry) -> None:
        self._told.line(
            f"ledger {paths.LEDGER}: open {entry.fault} {entry.record}, the watchdog heals it at {entry.heal_by_s:g} s at the latest"
        )

    def close(self, entry_id: str) -> None:
        self._told.line(f"ledger {paths.LEDGER}: closed {entry_id}")


class _Guard:
    def __init__(self, told: _Told) -> None:
        self._told = told

    def start(self) -> None:
        self._told.line("python -m lab.runner.watchdog, in a session of its own")

    def ensure(self) -> None:
        """It lives."""

    def ledger_changed(self) -> None:
        """It looks by itself."""

    def cpu_s(self) -> float:
        return 0.0


@dataclass
class _Fault:
    """A fault that is told, and believed to act once it is injected and to be gone once it is healed."""

    real: Fault
    told: _Told
    acts: bool = False

    @property
    def name(self) -> str:
        return self.real.name

    @property
    def target(self) -> str:
        return self.real.target

    @property
    def blast_radius(self) -> str:
        return self.real.blast_radius

    def to_record(self) -> dict[str, Any]:
        return self.real.to_record()

    def inject(self, world: Any) -> None:
        self.told.line(f"# inject {self.name}, which hits at most {self.blast_radius}")
        self.real.inject(world)
        self.acts = True

    def heal(self, world: Any) -> None:
        self.told.line(f"# heal {self.name}")
        self.real.heal(world)
        self.acts = False

    def is_active(self, world: Any) -> bool:
        self.told.line(f"# does {self.name} act?")
        self._ask(self.real.is_active, world)
        return self.acts

    def witness(self, world: Any) -> bool:
        self.told.line(f"# did {self.name} bite?")
        self._ask(self.real.witness, world)
        return True

    def _ask(self, question: Callable[[Any], bool], world: Any) -> None:
        """A made-up answer need not make sense to a fault that reads figures out of it."""
        try:
            question(world)
        except (LabError, ValueError, LookupError):
            return


@dataclass(frozen=True)
class _Kind:
    real: FaultKind
    told: _Told

    def from_record(self, record: dict[str, Any]) -> Fault:
        return _Fault(self.real.from_record(record), self.told)


_TOUCHES = (
    "socket.connect",
    "socket.sendto",
    "subprocess.Popen",
    "os.system",
    "os.posix_spawn",
    "os.fork",
    "os.kill",
    "os.remove",
    "os.rename",
)
_playing: list[bool] = []


@contextmanager
def _no_touch() -> Iterator[None]:
    """Whatever would touch the machine in this block raises instead: the promise of a rehearsal does not rest on every door being known."""
    if not _playing:
        sys.addaudithook(_refuse)
    _playing.append(True)
    try:
        yield
    finally:
        _playing.append(False)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in _TOUCHES and _playing and _playing[-1]:
        raise LabError(f"rehearse without touching anything ({event} {arguments!r:.200})", "a door that does not only tell", "report it")
