"""What each key does, without a terminal; `test_live_terminal.py` presses real ones."""

import pytest

from lab.live.keys import Keys


@pytest.fixture
def called() -> list[str]:
    return []


@pytest.fixture
def keys(called: list[str]) -> Keys:
    keys = Keys(abort=lambda: called.append("abort"))
    keys.listen()
    return keys


def test_p_pauses_the_drawing_and_again_goes_on(keys: Keys, called: list[str]) -> None:
    keys.press("p")
    assert (keys.paused, "PAUSED: the drawing only" in keys.line()) == (True, True)
    keys.press("p")
    assert (keys.paused, called) == (False, [])


def test_an_abort_is_asked_about_and_any_other_key_means_no(keys: Keys, called: list[str]) -> None:
    keys.press("a")
    assert keys.line().startswith("abort the run?")
    keys.press("a")
    assert (called, keys.line()) == ([], "p: pause, a: abort, ?: help")


def test_an_abort_is_done_once(keys: Keys, called: list[str]) -> None:
    for key in "ayay":
        keys.press(key)
    assert (called, keys.line()) == (["abort"], "ending the run: every fault is healed first")


def test_help_is_left_by_any_key_which_does_nothing_else(keys: Keys, called: list[str]) -> None:
    keys.press("?")
    assert dict(keys.help())["p"] == "pause the drawing, never the run"
    keys.press("p")
    assert (keys.help(), keys.paused, called) == ((), False, [])


def test_a_watcher_can_leave_and_cannot_abort(called: list[str]) -> None:
    watcher = Keys(leave=lambda: called.append("left"))
    watcher.listen()
    for key in "ayq":
        watcher.press(key)
    assert (called, watcher.line()) == (["left"], "p: pause, q: quit, ?: help")


def test_without_a_keyboard_and_after_the_run_no_key_is_offered(keys: Keys) -> None:
    assert Keys(abort=lambda: None).line() == ""
    keys.press("p")
    keys.over()
    assert (keys.line(), keys.paused) == ("", False)
