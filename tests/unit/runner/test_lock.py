"""One run at a time; the kernel lets go of the lock however its holder ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.core.errors import Refused
from lab.runner.lock import is_held, run_lock, running
from tests.fakes import FakeClock

HOLDER = """
import sys
from pathlib import Path
from lab.adapters.clock import SystemClock
from lab.runner.lock import is_held, run_lock
with run_lock(Path(sys.argv[1]), SystemClock()):
    sys.stdout.write("held\\n"); sys.stdout.flush(); sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "run.lock"


def test_a_second_run_is_refused_and_told_who_holds_it_and_since_when(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(Refused, match=rf"process {holder.pid} has used it since 20\d\d-\d\d-\d\dT") as caught,
            run_lock(path, FakeClock()),
        ):
            pass
        assert caught.value.exit_code == 2
        holder.kill()
    with run_lock(path, FakeClock()):
        assert f'"pid": {os.getpid()}' in path.read_text()


def test_after_a_run_the_next_may_start(path: Path) -> None:
    for _ in range(2):
        with run_lock(path, FakeClock()):
            pass


def test_a_lock_whose_note_is_unreadable_still_refuses(path: Path) -> None:
    with run_lock(path, FakeClock()):
        path.write_text("???")
        with pytest.raises(Refused, match="another process holds the lock"), run_lock(path, FakeClock()):
            pass


def test_a_place_where_no_lock_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused), run_lock(tmp_path / "file" / "run.lock", FakeClock()):
        pass


def test_it_can_be_asked_whether_a_run_holds_the_lock(path: Path) -> None:
    assert not is_held(path)
    with run_lock(path, FakeClock()):
        assert is_held(path)
    assert not is_held(path)


def test_a_run_says_where_it_is_kept_for_as_long_as_it_goes_on(path: Path, tmp_path: Path) -> None:
    assert running(path) is None
    with run_lock(path, FakeClock()) as held:
        assert running(path) is None
        held.note_run(tmp_path / "runs" / "x")
        assert running(path) == tmp_path / "runs" / "x"
    assert running(path) is None
