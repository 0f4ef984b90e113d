import sys
import threading
from pathlib import Path

import pytest

from lab.adapters import shell
from lab.core.errors import LabError, Unavailable

PARENT = "import subprocess,sys; c = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE); print(c.pid, flush=True); c.wait()"


def test_output_comes_back():
    assert shell.run(["echo", "hello"], timeout_s=10) == "hello\n"


def test_input_may_be_bytes_or_a_file(tmp_path):
    (tmp_path / "given").write_text("from a file")
    assert shell.run(["cat"], timeout_s=10, stdin=b"bytes") == "bytes"
    assert shell.run(["cat"], timeout_s=10, stdin=tmp_path / "given") == "from a file"


def test_a_failure_holds_the_command_the_exit_code_and_the_words():
    with pytest.raises(LabError) as seen:
        shell.run(["sh", "-c", "echo broken >&2; exit 3"], timeout_s=10)
    assert "sh -c 'echo broken >&2; exit 3'" in str(seen.value)
    assert "exit 3: broken" in seen.value.came_back


def test_a_failure_with_a_log_shows_its_tail_and_names_it(tmp_path):
    log = tmp_path / "made" / "part.log"
    with pytest.raises(LabError) as seen:
        shell.run(["sh", "-c", "echo first; exit 1"], timeout_s=10, log=log)
    assert str(log) in seen.value.next_step
    assert log.read_text() == "first\n"


def test_a_failing_attempt_is_an_answer():
    assert shell.attempt(["false"], timeout_s=10).code == 1


def test_a_program_that_is_not_there_is_unavailable():
    with pytest.raises(Unavailable, match="no-such-program"):
        shell.run(["no-such-program"], timeout_s=10)


def test_a_timeout_ends_the_children_too():
    with pytest.raises(Unavailable, match="no end after 1 s") as seen:
        shell.run(["sh", "-c", f'exec 2>&1; exec "{sys.executable}" -c "{PARENT}" >&2'], timeout_s=1)
    child = int(seen.value.came_back.split()[-1]) if seen.value.came_back.split()[-1].isdigit() else None
    assert child is None or not Path(f"/proc/{child}").exists()


def test_an_interrupt_elsewhere_ends_what_a_thread_waits_for():
    ran = []
    thread = threading.Thread(target=lambda: ran.append(shell.attempt(["cat", "/dev/stdin"], timeout_s=30, stdin=Path("/dev/zero"))))
    thread.start()
    while not shell._live:
        pass
    shell.end_all()
    thread.join(20)
    assert ran[0].code != 0


def test_a_pipe_connects_two_programs(tmp_path):
    shell.pipe(["echo", "through"], ["sh", "-c", f"cat > {tmp_path}/out"], timeout_s=10)
    assert (tmp_path / "out").read_text() == "through\n"


@pytest.mark.parametrize(("left", "right"), [("exit 4", "cat >/dev/null"), ("echo x", "cat >/dev/null; exit 4")])
def test_a_pipe_fails_when_either_side_does(left, right):
    with pytest.raises(LabError, match="4"):
        shell.pipe(["sh", "-c", left], ["sh", "-c", right], timeout_s=10)


def test_a_spawned_program_writes_to_its_log(tmp_path):
    pid = shell.spawn(["sh", "-c", "echo here"], log=tmp_path / "log")
    assert pid > 1
    for thread in threading.enumerate():
        if thread.name == f"reap-{pid}":
            thread.join(10)
    assert (tmp_path / "log").read_text() == "here\n"
