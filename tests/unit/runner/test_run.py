"""The life of a run with a fake world, real threads, and phases of a fraction of a second."""

import contextlib
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from short import experiment

from lab.adapters.clock import SystemClock
from lab.core.errors import Aborted, NotHealed, Refused
from lab.core.history import History
from lab.core.ledger import Entry, Ledger
from lab.core.remedy_specs import RedeployAgentsSpec
from lab.faults.table import FAULTS
from lab.runner.lock import run_lock
from lab.runner.run import Outcome, Parts, Request, run_experiment
from tests.fakes import FakeGuard, FakeProgress, FakeWorld, largest_file


class Bench:
    """Everything a run needs, with fakes in it."""

    def __init__(self, tmp_path: Path) -> None:
        self.world = FakeWorld()
        self.guard = FakeGuard()
        self.state = tmp_path / "state"
        self.out = tmp_path / "run"
        self.ledger = Ledger(self.state / "ledger.jsonl")
        self.observers: list[Any] = []

    def run(self, **changed: Any) -> Outcome:
        request = Request(experiment(**changed), command="lab run short", out=self.out, state=self.state)
        return run_experiment(request, Parts(self.world, FAULTS, SystemClock(), FakeProgress(), self.guard, self.observers))

    @property
    def history(self) -> History:
        return History.read(self.out / "history.jsonl")

    def at(self, kind: str, call: Any, **fields: Any) -> None:
        """Call `call` when such an event is written."""

        def observe(event: Any) -> None:
            if event.kind == kind and all(event.get(k) == v for k, v in fields.items()):
                call()

        self.observers.append(observe)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_run_goes_through_its_phases_in_order_and_leaves_nothing_open(bench: Bench) -> None:
    outcome = bench.run()
    assert (outcome.status, outcome.error, outcome.reason) == ("completed", None, "")
    phases = [(e["phase"], e["state"]) for e in bench.history.of("phase")]
    names = ["prepare", "steady", "outage", "flood", "recovery", "heal"]
    assert phases == [(name, state) for name in names for state in ("begin", "end")]
    assert not bench.world.frozen
    assert bench.ledger.open_entries() == []
    assert bench.guard.calls == ["start", "ledger", "ledger", "end"]


def test_the_history_opens_with_the_facts_and_ends_with_accounts_cost_and_status(bench: Bench) -> None:
    bench.run()
    events = bench.history.events
    assert events[0].kind == "run"
    assert events[0]["experiment"]["name"] == "short"
    assert events[0]["host"] == {"cores": 2}
    assert [e.kind for e in events[-3:]] == ["lab", "accounting", "end"]
    assert events[-3]["samples"] > 0
    assert json.loads((bench.out / "experiment.json").read_text())["name"] == "short"


def test_a_fault_goes_through_open_injected_witnessed_healed_closed(bench: Bench) -> None:
    bench.run()
    assert [e["change"] for e in bench.history.of("fault")] == ["open", "injected", "witnessed", "healed", "closed"]


def test_every_event_but_the_first_leads_back_to_the_first(bench: Bench) -> None:
    bench.run()
    events = bench.history.events
    for event in events[1:]:
        assert event.cause is not None, event
        assert event.cause < event.seq


def test_the_heal_is_caused_by_the_release_and_the_injury_by_its_step(bench: Bench) -> None:
    bench.run()
    events = bench.history.events
    opened = bench.history.first("fault", change="open")
    healed = bench.history.first("fault", change="healed")
    assert opened is not None
    assert healed is not None
    assert events[opened.cause or 0]["step"] == "pause-broker"
    assert events[healed.cause or 0]["step"] == "release"


def test_the_load_is_steady_then_flood_then_steady_then_stopped(bench: Bench) -> None:
    bench.run()
    assert bench.world.generator.calls == ["start steady", "start flood", "start steady", "stop"]
    assert [(e["change"], e["profile"]) for e in bench.history.of("locust")] == [
        (change, profile) for profile in ("steady", "flood", "steady") for change in ("start", "stop")
    ]


def test_a_run_without_faults_and_flood_has_no_steps(bench: Bench) -> None:
    outcome = bench.run(faults=False, flood=0)
    assert outcome.status == "completed"
    assert list(bench.history.of("step")) == []


def test_a_steady_state_that_does_not_hold_aborts_before_anything_is_injected(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.runner.phases.WAIT_S", 0.1)
    bench.world.pods_missing = 1
    outcome = bench.run()
    assert outcome.status == "aborted"
    assert isinstance(outcome.error, Aborted)
    assert "pods_running[lab] was 2, must be 3" in outcome.reason
    assert list(bench.history.of("fault")) == []


def test_a_world_that_does_not_get_ready_aborts(bench: Bench) -> None:
    bench.world.reset_raises = Aborted("bring up pods", "7 of 50 after 120 s")
    assert bench.run().status == "aborted"
    assert bench.history.events[-1]["reason"] == "could not bring up pods: 7 of 50 after 120 s"


def test_a_bug_in_the_world_is_recorded_and_healed(bench: Bench) -> None:
    bench.at("fault", lambda: 1 / 0, change="injected")
    outcome = bench.run()
    assert outcome.status == "aborted"
    assert "ZeroDivisionError" in outcome.reason
    assert not bench.world.frozen


def test_a_fault_that_does_not_act_aborts_and_is_closed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.runner.injuries.ACTS_WITHIN_S", 0.1)
    bench.world.immune = True
    outcome = bench.run()
    assert outcome.status == "aborted"
    assert "does not act" in outcome.reason
    assert bench.ledger.open_entries() == []


def test_a_fault_whose_effect_is_not_seen_has_no_witness(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.runner.injuries.WITNESS_WITHIN_S", 0.1)
    bench.world.deaf = True
    assert bench.run().status == "completed"
    assert [e["change"] for e in bench.history.of("fault")] == ["open", "injected", "healed", "closed"]


def test_a_fault_that_cannot_be_healed_ends_with_exit_5_and_stays_open(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.runner.heal.SEEN_WITHIN_S", 0.1)
    bench.world.stuck = True
    outcome = bench.run()
    assert isinstance(outcome.error, NotHealed)
    assert outcome.status == "aborted"
    assert [entry.fault for entry in bench.ledger.open_entries()] == ["pause-broker"]


def test_a_heal_that_came_late_is_no_fault_that_stays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit code must not send anybody to heal what is healed, nor stop a sweep for good."""
    monkeypatch.setattr("lab.runner.heal.SEEN_WITHIN_S", 0.1)
    bench.world.stuck = True
    thaw, looks = bench.world.thaw_broker, []

    def late() -> None:
        looks.append(1)
        bench.world.stuck = len(looks) < 4
        thaw()

    monkeypatch.setattr(bench.world, "thaw_broker", late)
    outcome = bench.run()
    assert (outcome.status, type(outcome.error), outcome.error and outcome.error.exit_code) == ("aborted", Aborted, 4)
    assert bench.ledger.open_entries() == []


def test_the_next_run_heals_what_an_earlier_one_left(bench: Bench) -> None:
    bench.ledger.open(Entry("old/0", "pause-broker", {}, 0.0))
    bench.world.frozen = True
    seen: list[bool] = []
    bench.world.provide = lambda: seen.append(bench.world.frozen)
    bench.at("run", lambda: seen.append(bench.world.frozen))
    bench.run()
    assert seen == [False, False], "healed before anything is provided, and before the history begins"
    assert bench.ledger.open_entries() == []


def test_the_next_run_refuses_to_start_on_a_fault_that_cannot_be_healed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.runner.heal.SEEN_WITHIN_S", 0.1)
    bench.ledger.open(Entry("old/0", "pause-broker", {}, 0.0))
    bench.world.frozen = bench.world.stuck = True
    with pytest.raises(NotHealed):
        bench.run()
    assert not bench.out.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("phase", ["prepare", "steady", "outage", "flood", "recovery"])
def test_a_signal_in_any_phase_heals_and_ends_with_exit_4(bench: Bench, phase: str, number: signal.Signals) -> None:
    bench.at("phase", lambda: os.kill(os.getpid(), number), phase=phase, state="begin")
    outcome = bench.run()
    assert outcome.status == "interrupted"
    assert isinstance(outcome.error, Aborted)
    assert number.name in outcome.reason
    assert not bench.world.frozen
    assert bench.ledger.open_entries() == []
    assert bench.history.events[-1].kind == "end"


def test_ctrl_c_pressed_again_and_again_does_not_cut_the_healing_short(bench: Bench) -> None:
    bench.observers.append(lambda event: os.kill(os.getpid(), signal.SIGINT) if event.kind in {"fault", "phase"} else None)
    bench.at("fault", lambda: os.kill(os.getpid(), signal.SIGINT), change="healed")
    outcome = bench.run()
    assert outcome.status == "interrupted"
    assert bench.history.events[-1].kind == "end"


def test_a_signal_that_someone_swallowed_still_ends_the_run(bench: Bench) -> None:
    class Swallows(FakeWorld):
        def reset(self, pods: int) -> None:
            super().reset(pods)
            with contextlib.suppress(BaseException):
                os.kill(os.getpid(), signal.SIGINT)

    bench.world = Swallows()
    assert bench.run().status == "interrupted"


def test_the_handlers_of_the_caller_are_back_after_the_run(bench: Bench) -> None:
    before = signal.getsignal(signal.SIGINT)
    bench.run(faults=False, flood=0)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_outside_the_main_thread_works_without_signals(bench: Bench) -> None:
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(bench.run(faults=False, flood=0)))
    thread.start()
    thread.join(20)
    assert outcomes[0].status == "completed"


def test_nothing_is_injected_without_a_watchdog(bench: Bench) -> None:
    bench.at("phase", lambda: setattr(bench.guard, "dead", True), phase="outage", state="begin")
    assert bench.run().status == "aborted"
    assert list(bench.history.of("fault")) == []


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(bench: Bench) -> None:
    bench.out.mkdir()
    (bench.out / "precious").write_text("x")
    with pytest.raises(Refused, match="not empty"):
        bench.run()
    assert [file.name for file in bench.out.iterdir()] == ["precious"]
    assert bench.world.provided == 0


def test_a_nearly_full_disk_is_refused_before_anything_is_made(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.runner.folder.FREE_MB_MIN", 10**9)
    with pytest.raises(Refused, match="MB are free"):
        bench.run()
    assert not bench.out.exists()
    assert bench.world.provided == 0


def test_log_lines_that_cannot_be_counted_do_not_undo_the_run(bench: Bench) -> None:
    bench.world.accounting_raises = RuntimeError("broker away")
    outcome = bench.run()
    assert (outcome.status, outcome.error) == ("completed", None)
    assert bench.history.events[-1]["reason"] == "log lines were not counted: broker away"


def test_a_load_that_cannot_be_stopped_does_not_stop_the_healing(bench: Bench) -> None:
    bench.world.generator.stop_raises = RuntimeError("no such process")
    outcome = bench.run()
    assert outcome.status == "completed"
    assert bench.ledger.open_entries() == []


def test_a_remedy_goes_through_the_ledger_like_a_fault_and_is_over_when_the_run_is(bench: Bench) -> None:
    remedy = RedeployAgentsSpec(remedy="redeploy-agents", inject_at_s=0.25, heal_at_s=0.5)
    opened: list[list[str]] = []
    bench.at("fault", lambda: opened.append([entry.fault for entry in bench.ledger.open_entries()]), fault="redeploy-agents", change="open")
    assert bench.run(remedies=[remedy]).status == "completed"
    changes = [event["change"] for event in bench.history.of("fault") if event["fault"] == "redeploy-agents"]
    assert changes == ["open", "injected", "witnessed", "healed", "closed"]
    assert opened == [["redeploy-agents"]]
    assert [event["step"] for event in bench.history.of("step") if event["state"] == "begin"][-2:] == ["redeploy-agents", "remedy-over"]
    assert (bench.world.going, bench.ledger.open_entries()) == ({}, [])


def test_a_load_that_dies_in_the_run_aborts_it(bench: Bench) -> None:
    bench.at("phase", lambda: setattr(bench.world.generator, "died", "exit code 1: no such host"), phase="flood", state="begin")
    outcome = bench.run()
    assert outcome.status == "aborted"
    assert "exit code 1" in outcome.reason
    assert not bench.world.frozen


def test_a_recovery_watch_may_end_early_when_asked_to(bench: Bench) -> None:
    outcome = bench.run(recovery_s=60.0, recovery_ends_early=True)
    assert outcome.status == "completed"
    assert bench.history.end_s < 20


def test_the_way_back_is_on_disk_before_the_fault_acts(bench: Bench) -> None:
    ledger = bench.ledger

    class Looks(FakeWorld):
        open_at_freeze: list[Entry]

        def freeze_broker(self) -> None:
            self.open_at_freeze = ledger.open_entries()
            super().freeze_broker()

    bench.world = world = Looks()
    bench.run()
    assert [entry.fault for entry in world.open_at_freeze] == ["pause-broker"]
    assert world.open_at_freeze[0].heal_by_s > SystemClock().now_s()


def test_nothing_is_injected_when_the_ledger_cannot_be_written(bench: Bench) -> None:
    bench.at("step", lambda: (bench.state / "ledger.jsonl").symlink_to("/dev/full"), step="pause-broker", state="begin")
    outcome = bench.run()
    assert outcome.status == "aborted"
    assert "No space left on device; nothing was injected" in outcome.reason
    assert (bench.world.frozen, list(bench.history.of("fault"))) == (False, [])


def test_a_disk_that_fills_up_in_the_outage_ends_the_run_healed(bench: Bench) -> None:
    history = bench.out / "history.jsonl"
    with contextlib.ExitStack() as full:
        bench.at("fault", lambda: full.enter_context(largest_file(history.stat().st_size + 300)), change="witnessed")
        outcome = bench.run(flood_s=20.0)
    assert outcome.status == "aborted"
    assert outcome.error is not None
    assert outcome.error.tried == "write the history"
    assert not bench.world.frozen
    assert bench.ledger.open_entries() == []


def test_a_second_run_at_the_same_time_is_refused_and_makes_nothing(bench: Bench) -> None:
    with run_lock(bench.state / "run.lock", SystemClock()), pytest.raises(Refused, match="use the lab"):
        bench.run()
    assert not bench.out.exists()
    assert bench.world.provided == 0, "what is provided may make the cluster anew, and that is the other run's"


class Looks:
    """An onlooker that remembers what it was told and says that it has cost something."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.told: list[tuple[Path, int]] = []

    def opened(self, folder: Path) -> None:
        self.told.append((folder, len(self.bench.history.events)))

    def cpu_s(self) -> float:
        return 1000.0 * len(self.bench.history.events)


def test_an_onlooker_is_told_the_folder_before_anything_happens_in_it_and_its_cost_is_the_labs(bench: Bench) -> None:
    looks = Looks(bench)
    request = Request(experiment(), out=bench.out, state=bench.state)
    run_experiment(request, Parts(bench.world, FAULTS, SystemClock(), FakeProgress(), bench.guard, [], looks))
    assert looks.told == [(bench.out, 0)]
    cost = bench.history.first("lab")
    assert cost is not None
    assert cost["cpu_cores_mean"] > 100
