"""The picture in every size: nothing too wide or too high, and what matters still there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stories import LIGHTS, RUN, STORY, event, phase, picture_of, sample

from lab.checkers.links import TITLES
from lab.core.history import Event
from lab.live.frame import CELL, SHORT, Page, fault, frame, seconds, words
from lab.live.model import Light, OpenFault
from lab.live.strips import ASCII, UNICODE

KEYS = "p: pause, a: abort, ?: help"
ALL = [Light(link, f"title of {link}", "fired", 100.0 + link, None) for link in SHORT]


def lines(story: list[Event], width: int, height: int, lights: list[Light] | None = LIGHTS, now_s: float = 77) -> list[str]:
    return [words(line) for line in frame(picture_of(story, now_s, lights), Page(width, height, UNICODE, KEYS))]


def many_nodes(count: int) -> list[Event]:
    return [*STORY, *(event(21, "node", node=f"n{number}", ready="True") for number in range(count))]


def test_80_by_24_shows_all_of_it() -> None:
    assert lines(STORY, 79, 22) == [
        "cascade · outage 15 s of 40 s · 2 min 40 s left · at 77 s",
        "         ▏steady▏outage ▏flood  ▏recovery",
        "w2       ───────────······························",
        "w3       ──────────▒······························ not Ready 1 s",
        "p99      ▆    ▂    ▆······························ 812 ms (steady 4.5 ms)",
        "members       █    ▇······························ 44 alive, 9 failed",
        "backlog            ▁······························ 12.3 kB in fullest pod",
        "pods     41 running, 9 evicted",
        "faults   pause-broker injected, heals in 25 s (watchdog at 132 s)",
        "● 0 Kafka away 64s  ● 1 log flood 70s   ○ 3 NotReady        ○ 10 no calm",
        KEYS,
    ]


def test_40_columns_show_all_of_it_in_fewer_words() -> None:
    assert lines(STORY, 39, 22) == [
        "cascade · at 77 s",
        "outage 15 s of 40 s · 2 min 40 s left",
        "              ▏ste▏outa▏floo▏recovery",
        "w2            ───────··················",
        "w3            ──────▒··················",
        "p99 812ms     ▆  ▂  ▆··················",
        "members 44       █  ▇··················",
        "backlog 12.3k       ▁··················",
        "pods  41 running, 9 evicted",
        "fault pause-broker injected",
        "      heals in 25 s (watchdog at 132 s)",
        "● 0 Kafka away 64s  ● 1 log flood 70s",
        "○ 3 NotReady        ○ 10 no calm",
        KEYS,
    ]


FULL = [
    *STORY,
    sample(77, "members_left", "pool", 22),
    *(sample(77, f"pods_{state}", "lab", count) for state, count in (("running", 26), ("pending", 14), ("terminating", 7))),
]


@pytest.mark.parametrize(
    ("width", "said"),
    [(79, ["44 alive, 9 failed, 22 left", "26 running, 14 pending, 7 terminating, 9 evicted"]), (39, ["26 running, 14 pending, 7"])],
)
def test_a_full_house_is_not_cut(width: int, said: list[str]) -> None:
    shown = lines(FULL, width, 22)
    assert all(any(line.endswith(words) for line in shown) for words in said)
    assert any(line.endswith("9 evicted") for line in shown)


@given(width=st.integers(1, 200), height=st.integers(1, 60), nodes=st.integers(0, 60), lit=st.sampled_from([None, LIGHTS, ALL]))
def test_no_size_is_ever_exceeded(width: int, height: int, nodes: int, lit: list[Light] | None) -> None:
    shown = frame(picture_of(many_nodes(nodes), 77, lit), Page(width, height, UNICODE, KEYS))
    assert len(shown) <= height
    assert all(sum(len(text) for text, _ in line) <= width for line in shown)


@pytest.mark.parametrize(("width", "height"), [(79, 22), (39, 23)])
def test_seven_nodes_and_eleven_links_fit_where_they_must(width: int, height: int) -> None:
    shown = "\n".join(lines(many_nodes(5), width, height, ALL))
    assert all(f"● {link} {name} {100 + link}s" in shown for link, name in SHORT.items())
    assert all(f"\n{node} " in shown for node in ("w2", "w3", "n0", "n4"))
    assert "pause-broker" in shown
    assert shown.endswith(KEYS)


def test_of_many_nodes_the_worst_are_shown_and_the_others_counted() -> None:
    shown = "\n".join(lines(many_nodes(40), 79, 22))
    assert "\nw3 " in shown
    assert "more nodes, 0 not Ready" in shown


def test_where_there_is_little_room_the_chain_and_the_head_stay_longest() -> None:
    shown = lines(STORY, 79, 3)
    assert [shown[0][:7], shown[1][:14], shown[2]] == ["cascade", "● 0 Kafka away", KEYS]


def test_before_anything_is_known_there_are_question_marks_and_no_zeros() -> None:
    assert lines([], 79, 22, None, 0) == [
        "waiting for the run · start 0 s · at 0 s",
        "",
        "p99                                                ?",
        "members                                            ?",
        "backlog                                            ?",
        "pods     ?",
        "faults   none open",
        "chain    not judged yet",
        KEYS,
    ]


def test_a_simulated_run_says_so_first() -> None:
    assert lines([event(0, "run", experiment=RUN["experiment"], world="simulated")], 79, 22)[0].startswith("cascade (SIMULATED)")
    assert lines([event(0, "run", experiment=RUN["experiment"], world="simulated")], 39, 22)[0].startswith("cascade (SIMULATED)")


def test_a_run_that_has_ended_says_how() -> None:
    ended = [*STORY, event(90, "end", status="aborted", reason="the disk is full")]
    assert lines(ended, 79, 22)[0] == "cascade · aborted: the disk is full · at 90 s"


def test_every_link_of_the_verdict_has_a_short_name_that_fits() -> None:
    assert set(TITLES) <= set(SHORT)
    assert all(len(f"● {link} {name} 999s") < CELL for link, name in SHORT.items())


@pytest.mark.parametrize(("value", "said"), [(0, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (185, "3 min 05 s")])
def test_time_is_said_in_minutes_and_seconds(value: float, said: str) -> None:
    assert seconds(value) == said


def test_a_heal_that_is_late_says_so() -> None:
    one = OpenFault("x", "y", "injected", 100.0, 130.0)
    assert fault(one, 104.0) == "x injected, heal due 4 s ago (watchdog at 130 s)"
    assert fault(OpenFault("x", "y", "open", None, None), 104.0) == "x open"


def test_help_explains_every_key_and_sign() -> None:
    page = Page(79, 22, ASCII, "any key: back", [("p", "pause the drawing, never the run")])
    shown = [words(line) for line in frame(picture_of(STORY, 77), page)]
    assert shown[:2] == ["keys", "p       pause the drawing, never the run"]
    assert "#       node not Ready: its kubelet said so" in shown
    assert shown[-1] == "any key: back"


def test_an_expected_link_stands_out_from_one_that_is_not() -> None:
    line = frame(picture_of([RUN, phase(1, "steady")], 2, LIGHTS[2:]), Page(79, 22, UNICODE))[-1]
    assert [style for text, style in line if "NotReady" in text or "no calm" in text] == ["", "dim"]
