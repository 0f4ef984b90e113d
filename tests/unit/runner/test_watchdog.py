"""Real processes: a runner that is killed, a broker that is frozen (a `sleep`), and the watchdog that thaws it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from lab.adapters.clock import SystemClock
from lab.core.errors import Aborted
from lab.core.history import History
from lab.core.ledger import Entry, Ledger
from lab.runner.guard import Watchdog, WatchdogSpec
from lab.runner.watchdog import LOOK_EVERY_S, Notes, overdue, wait_s

HERE = Path(__file__).parent
WITHIN_S = 15.0
"""Chosen: an upper bound for a machine that builds at the same time; what is measured is far below."""


def wait_for(seen: Callable[[], bool], within_s: float = WITHIN_S) -> float:
    """Seconds until `seen`."""
    begun = time.monotonic()
    while not seen():
        assert time.monotonic() - begun < within_s, "not seen in time"
        time.sleep(0.01)  # noqa: TID251
    return time.monotonic() - begun


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[psutil.Process]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        monkeypatch.setenv("CHILD", str(process.pid))
        monkeypatch.setenv("PYTHONPATH", f"{HERE}:{HERE.parents[2]}")
        yield psutil.Process(process.pid)
        process.kill()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


def stopped(process: psutil.Process) -> bool:
    return process.status() == psutil.STATUS_STOPPED


def start_victim(state: Path, phase: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(HERE / "victim.py"), str(state), str(state.parent / "run"), phase]
    victim = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    if victim.stdout.readline() != f"{phase}\n":
        bury(victim)
        pytest.fail(f"the victim never came to {phase}")
    return victim


def bury(victim: "subprocess.Popen[str]") -> int:
    with victim:
        try:
            return victim.wait(WITHIN_S)
        finally:
            victim.kill()


def notes(state: Path) -> list[str]:
    file = state / "watchdog.jsonl"
    return [json.loads(line)["what"] for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize("phase", ["prepare", "steady", "outage", "flood", "recovery"])
def test_after_kill_9_in_any_phase_the_broker_runs_and_nothing_is_open(child: psutil.Process, state: Path, phase: str) -> None:
    victim = start_victim(state, phase)
    assert stopped(child) == (phase == "outage")
    victim.kill()
    took_s = wait_for(lambda: not stopped(child) and not Ledger(state / "ledger.jsonl").open_entries())
    bury(victim)
    assert took_s < 2 or psutil.getloadavg()[0] > 2
    wait_for(lambda: "done" in notes(state))


def test_the_watchdog_of_a_killed_runner_ends(child: psutil.Process, state: Path) -> None:
    victim = start_victim(state, "outage")
    guards = [p for p in psutil.Process(victim.pid).children() if "lab.runner.watchdog" in p.cmdline()]
    assert len(guards) == 1
    victim.kill()
    bury(victim)
    wait_for(lambda: not guards[0].is_running() or guards[0].status() == psutil.STATUS_ZOMBIE)


def test_the_watchdog_lives_outside_the_runners_process_group(child: psutil.Process, state: Path) -> None:
    victim = start_victim(state, "outage")
    (guard,) = (p for p in psutil.Process(victim.pid).children() if "lab.runner.watchdog" in p.cmdline())
    assert os.getsid(guard.pid) == guard.pid
    victim.kill()
    bury(victim)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_heals_and_exits_4(child: psutil.Process, state: Path, number: signal.Signals) -> None:
    victim = start_victim(state, "outage")
    victim.send_signal(number)
    assert bury(victim) == 4
    assert not stopped(child)
    assert History.read(state.parent / "run" / "history.jsonl").events[-1]["status"] == "interrupted"
    assert "the runner died" not in notes(state)


def test_a_runner_that_is_stuck_past_its_time_is_healed_over(child: psutil.Process, state: Path) -> None:
    ledger = Ledger(state / "ledger.jsonl")
    guard = Watchdog(spec(state), SystemClock())
    guard.start()
    guard.ensure()
    child.suspend()
    ledger.open(Entry("x/0", "pause-broker", {}, SystemClock().now_s() + 0.3))
    guard.ledger_changed()
    wait_for(lambda: not stopped(child) and not ledger.open_entries())
    guard.end()
    assert notes(state)[:2] == ["overdue", "healed"]


def test_the_end_of_a_run_ends_the_watchdog_without_a_word(child: psutil.Process, state: Path) -> None:
    guard = Watchdog(spec(state), SystemClock())
    guard.ensure()
    assert guard.cpu_s() > 0
    guard.end()
    assert guard.cpu_s() == 0
    assert notes(state) == []


def test_a_watchdog_that_was_killed_is_started_again(child: psutil.Process, state: Path) -> None:
    guard = Watchdog(spec(state), SystemClock())
    guard.ensure()
    first = guard._process
    assert first is not None
    first.kill()
    first.wait()
    guard.ensure()
    assert guard._process is not first
    guard.end()


def test_a_world_that_cannot_be_imported_is_no_watchdog(child: psutil.Process, state: Path) -> None:
    guard = Watchdog(WatchdogSpec("nowhere:open", "lab.faults.table:FAULTS", state / "ledger.jsonl", state), SystemClock())
    with pytest.raises(Aborted, match="not ready"):
        guard.ensure()
    guard.end()
    assert notes(state) == ["cannot start"]


def test_an_engine_that_is_away_is_asked_again(child: psutil.Process, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHILD_COUNTER", str(state / "counter"))
    ledger = Ledger(state / "ledger.jsonl")
    ledger.open(Entry("x/0", "pause-broker", {}, SystemClock().now_s() + 1000))
    child.suspend()
    guard = Watchdog(
        WatchdogSpec("process_world:open_flaky_world", "lab.faults.table:FAULTS", state / "ledger.jsonl", state), SystemClock()
    )
    guard.ensure()
    guard.end()
    wait_for(lambda: not stopped(child) and not ledger.open_entries())
    wait_for(lambda: notes(state).count("not healed yet") == 2)


def spec(state: Path) -> WatchdogSpec:
    return WatchdogSpec("process_world:open_world", "lab.faults.table:FAULTS", state / "ledger.jsonl", state)


def test_it_waits_for_the_nearest_deadline_and_never_longer_than_its_own_look() -> None:
    entry = Entry("a", "f", {}, 103.0)
    assert wait_s([], 100.0) == LOOK_EVERY_S
    assert wait_s([entry], 100.0) == 3.0
    assert wait_s([entry], 104.0) == 0.0
    assert not overdue([entry], 102.9)
    assert overdue([entry], 103.0)


def test_what_it_notes_after_the_lab_is_gone_brings_nothing_back(tmp_path: Path) -> None:
    Notes(tmp_path / "gone", SystemClock())("not healed yet")
    assert list(tmp_path.iterdir()) == []
