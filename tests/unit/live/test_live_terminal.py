"""Real keys in a real terminal: in a run, and in `lab watch`."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import Terminal, terminal

from lab.core.history import History
from lab.core.paths import project
from lab.live.frame import SHORT

HERE = Path(__file__).parent
ENV = {"PYTHONPATH": str(project())}
LAB = [sys.executable, "-m", "lab.cli"]
MANY = 20


def events(run: Path) -> int:
    return len(History.read(run / "history.jsonl").events)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Terminal]:
    """A run in its outage."""
    command = [sys.executable, str(HERE / "viewed_run.py"), str(tmp_path / "state"), str(tmp_path / "run")]
    with terminal(command, env=ENV) as shown:
        before = shown.settings()
        shown.until(lambda lines: "viewed · outage" in "\n".join(lines) and "pause-broker" in "\n".join(lines))
        yield shown
        assert not shown.ended() or shown.settings() == before


def head(lines: list[str]) -> str:
    """The first line of the picture, which stands below what the run has said."""
    return next((line for line in lines if line.startswith("viewed")), "")


def abort(shown: Terminal) -> None:
    shown.press("a")
    shown.until_text("abort the run? It is healed first")
    shown.press("y")


def test_abort_is_asked_about_heals_and_ends_with_4(run: Terminal, tmp_path: Path) -> None:
    run.press("a")
    run.until_text("abort the run?")
    run.press("n")
    run.until_text("p: pause, a: abort, ?: help")
    abort(run)
    assert run.end() == 4
    assert "interrupted, frozen: False" in "\n".join(run.lines())
    assert History.read(tmp_path / "run" / "history.jsonl").first("end", status="interrupted") is not None


def test_pause_stops_the_drawing_and_never_the_run(run: Terminal, tmp_path: Path) -> None:
    run.press("p")
    frozen, written = head(run.until_text("PAUSED: the drawing only")), events(tmp_path / "run")
    give_up_s = time.monotonic() + 60
    while events(tmp_path / "run") < written + MANY:
        assert time.monotonic() < give_up_s
        time.sleep(0.2)  # noqa: TID251
    assert head(run.lines()) == frozen != ""
    run.press("p")
    run.until(lambda lines: head(lines) != frozen)
    abort(run)
    assert run.end() == 4


def test_help_explains_and_goes_away(run: Terminal) -> None:
    run.press("?")
    run.until_text("pause the drawing, never the run")
    run.press(" ")
    run.until_text("viewed · outage")
    abort(run)
    assert run.end() == 4


def test_control_c_is_still_control_c(run: Terminal) -> None:
    run.press("\x03")
    assert run.end() == 4
    assert "interrupted, frozen: False" in "\n".join(run.lines())


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 24), (120, 40)])
def test_a_stored_cascade_is_shown_whole_in_every_size(stored: Path, columns: int, lines: int) -> None:
    named = [*LAB, "watch", stored.name, "--speed", "40"]  # the whole path would not fit into the narrow one
    with terminal(named, columns=columns, lines=lines, env=ENV, cwd=str(stored.parent)) as shown:
        assert shown.end() == 0
        screen = shown.lines()
    seen = "\n".join(screen)
    assert all(f"● {link} {name}" in seen for link, name in SHORT.items() if link not in {7, 8, 9})
    assert "cascade" in seen
    assert "worker6" in seen
    assert not screen[-1]


def test_a_window_may_change_its_size(stored: Path) -> None:
    with terminal([*LAB, "watch", str(stored), "--speed", "1"], columns=100, env=ENV) as shown:
        shown.until_text("p: pause, q: quit, ?: help")
        shown.resize(40, 24)
        shown.until(lambda lines: re.fullmatch(r"cascade · at \d+ s", lines[0]) is not None)
        shown.press("q")
        assert shown.end() == 0


def test_links_light_up_in_order(stored: Path) -> None:
    lit: list[int] = []
    with terminal([*LAB, "watch", str(stored), "--speed", "20"], env=ENV) as shown:

        def seen(lines: list[str]) -> bool:
            now = [link for link, name in SHORT.items() if f"● {link} {name}" in "\n".join(lines)]
            lit.extend(link for link in now if link not in lit)
            return "that was" in "\n".join(lines)

        shown.until(seen)
    assert lit[:2] == [0, 1]
    assert lit[-1] == 10
    assert set(lit) == set(SHORT) - {7, 8, 9}


def test_no_color_sends_no_colour_and_loses_nothing(stored: Path) -> None:
    with terminal([*LAB, "watch", str(stored), "--speed", "60"], env={**ENV, "NO_COLOR": "1"}) as shown:
        seen = "\n".join(shown.until_text("that was"))
    assert not any(f"\x1b[{code}m".encode() in shown.raw for code in (31, 32, 33, 36, "1;31", "1;33"))
    assert "█" in seen
    assert "● 3 NotReady" in seen


def test_a_terminal_without_unicode_gets_plain_signs(stored: Path) -> None:
    with terminal([*LAB, "watch", str(stored), "--speed", "60"], env={**ENV, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}) as shown:
        seen = "\n".join(shown.until_text("that was"))
        assert shown.end() == 0
    assert seen.isascii()
    assert "* 3 NotReady" in seen


def test_through_a_pipe_there_are_plain_lines(stored: Path) -> None:
    ran = subprocess.run([*LAB, "watch", str(stored)], env={**os.environ, **ENV}, capture_output=True, text=True, check=True)
    lines = ran.stdout.splitlines()
    assert "\x1b" not in ran.stdout
    assert any(line.endswith("phase outage of 45 s") for line in lines)
    assert any("link 3 (Nodes NotReady) fired at" in line for line in lines)
    assert lines[-1] == f"the run has ended: {stored}"


def test_a_killed_run_is_told_from_one_that_goes_on(stored: Path, tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("".join((stored / "history.jsonl").read_text().splitlines(keepends=True)[:2000]))
    ran = subprocess.run([*LAB, "watch", str(tmp_path)], env={**os.environ, **ENV}, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1].endswith("nobody writes it: the run was killed; heal what it left with: lab heal")


def test_one_moment_can_be_printed(stored: Path) -> None:
    command = [*LAB, "watch", str(stored), "--at", "130"]
    ran = subprocess.run(command, env={**os.environ, **ENV, "COLUMNS": "80", "LINES": "24"}, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[0] == "cascade · flood 35 s of 1 min 15 s · 2 min 40 s left · at 130 s"
    assert "● 3 NotReady 112s" in ran.stdout
    assert ran.stdout.splitlines()[-1].endswith("○ 10 no calm")
    assert ran.stdout.endswith("\n")
