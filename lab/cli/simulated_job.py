"""One simulated run as a job: all that its result depends on goes in, a digest and the verdict come out.

So it makes no difference where a job is done: in this process, in another of this machine, on a machine of a Dask cluster. What travels is small; the
history stays where it was made, or is thrown away: `lab run --world sim` makes it again, byte for byte.
"""

import gc
import hashlib
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from lab.adapters.clock import SystemClock
from lab.checkers.verdict import Verdict
from lab.cli import judging, provenance
from lab.core import paths
from lab.core.errors import LabError, Refused
from lab.core.experiment import Experiment
from lab.core.history import HISTORY_FILE, Event, History, HistoryWriter
from lab.runner.causes import Causes
from lab.runner.folder import EXPERIMENT_FILE, make_folder
from lab.sim.chain.world import Model, Passed, simulate
from lab.sim.fit.kept import newest
from lab.sim.warm import warm

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Job:
    """What a simulated run depends on.

    Args:
        experiment: with its seed.
        model: costs, rules and what the history's opening tells; of the machine that asks, not of the one that simulates.
        code: what `provenance.code` says there.
    """

    experiment: Experiment
    model: Model
    code: str


@dataclass(frozen=True, slots=True)
class Made:
    """What is left of a run: `history_sha256` of the bytes of its history.jsonl, and the verdict."""

    history_sha256: str
    verdict: Verdict


def jobs(experiments: Mapping[Key, Experiment]) -> dict[Key, Job]:
    """A job for each experiment, with the newest calibration: this user's own, else the one that comes with the lab."""
    calibration, place = newest(paths.cache())
    fitted = {"file": place.name, "runs": [run.name for run in calibration.runs], **calibration.made_with}
    model = Model(calibration.costs(), header={"git": provenance.git(), "calibration": fitted})
    return {key: Job(each, _told(model, each), provenance.code()) for key, each in experiments.items()}


def make(job: Job, folder: Path, passed: Passed | None = None) -> Made:
    """Simulate it, judge it, write the page; the folder is that of a run.

    Raises:
        Refused: a fault that the simulator cannot do, or more happens in the pool than its arrays hold.
    """
    return make_and_read(job, folder, passed)[0]


def make_and_read(job: Job, folder: Path, passed: Passed | None = None) -> tuple[Made, History]:
    """The same, and the history, for who has more to tell of it here.

    Raises:
        Refused: as `make`.
    """
    with _uncollected():
        found, history = _simulated_into(folder, job, passed)
        judging.write_report(folder, history, found.verdict)
    return found, history


def make_elsewhere(job: Job) -> Made | LabError:
    """The same, and nothing is kept but what is returned; a run that cannot be made is an answer, too, as it can be made nowhere.

    Raises:
        Refused: this is not the code that the run was asked of.
    """
    if job.code != provenance.code():
        came_back = f"one has code {job.code}, the other {provenance.code()}"
        raise Refused("simulate the same on two machines", came_back, "install the same lab, NumPy and Numba where the Dask workers run")
    warm()
    with TemporaryDirectory(prefix="cascade-lab-") as place:
        try:
            return _simulated_into(Path(place), job)[0]
        except LabError as error:
            return error


def write_history(path: Path, events: list[Event]) -> None:
    """As a real run's recorder writes it, causes included."""
    writer, causes = HistoryWriter(path, SystemClock()), Causes()
    for event in events:
        seq = writer.append(event.kind, cause=causes.of(event.kind, event.fields), at_s=event.at_s, **event.fields)
        causes.note(seq, event.kind, event.fields)
    writer.close()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python looks for no cycles meanwhile.

    All that is made lives until the page is written, up to a million events, and looking through them takes a tenth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _told(model: Model, experiment: Experiment) -> Model:
    command = f"lab run {experiment.name} --world sim --seed {experiment.seed}"
    return replace(model, header={"command": command, **model.header})


def _simulated_into(folder: Path, job: Job, passed: Passed | None = None) -> tuple[Made, History]:
    make_folder(folder)
    (folder / EXPERIMENT_FILE).write_text(job.experiment.model_dump_json(indent=2) + "\n", encoding="utf-8")
    outcome = simulate(job.experiment, job.model, passed)
    path = folder / HISTORY_FILE
    write_history(path, outcome.events)
    (folder / "requests.csv").write_text("\n".join(outcome.requests) + "\n", encoding="utf-8")
    with path.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    del outcome
    history, verdict = judging.judge_folder(folder)
    return Made(digest, verdict), history
