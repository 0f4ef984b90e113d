"""The study of a whole pool: its story, its arms, its words."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lab.report.pool_page import render_page
from lab.sim import study
from lab.sim.chain.parameters import Costs
from lab.sim.constants import UP_TO_2018_08_07
from lab.sim.gossip import script
from lab.sim.study import ARMS, Arm, Finding, cells, lines

OLD = Arm("old", UP_TO_2018_08_07)


def told(arm: Arm, agents: int = 60) -> study._Story:
    return study._story(arm, agents, np.random.default_rng(1), Costs())


def count(story: study._Story, action: int) -> int:
    return int((story.actions[:, 1] == action).sum())


def test_half_of_the_pods_move_each_minute_and_some_agents_stay_behind() -> None:
    story = told(OLD)
    moves = story.names - story.members
    assert moves == round(60 * study.MOVED_PER_MIN * study.CHURN_S / 60)
    assert count(story, script.START) == moves
    assert 0 < count(story, script.KILL) < moves


def test_nobody_moves_where_nodes_have_the_agents_and_a_pool_of_ten_is_a_tenth() -> None:
    assert count(told(replace(OLD, per_node=True)), script.START) == 0
    assert replace(OLD, per_node=True).members(700) == 100
    assert replace(OLD, pools=10).members(700) == 70


def test_the_cure_gives_a_key_to_those_alone_that_somebody_manages() -> None:
    story = told(replace(OLD, encrypted=True))
    keyed = {int(member) for _, action, member, _ in story.actions if action == script.KEY}
    replaced = story.names - story.members
    assert len(keyed) == story.members
    assert keyed >= {0, 1, 2}
    assert len(set(range(story.names)) - keyed) == replaced


@pytest.fixture(scope="module")
def found() -> dict[str, Finding]:
    arms = [OLD, replace(OLD, name="cured", encrypted=True), replace(OLD, name="nodes", per_node=True)]
    return {arm.name: study.study(40, arm, 1) for arm in arms}


def test_the_same_seed_gives_the_same_finding(found: dict[str, Finding]) -> None:
    assert study.study(40, OLD, 1) == found["old"]
    assert study.study(40, OLD, 2) != found["old"]


def test_moving_pods_make_phantoms_and_agents_of_nodes_make_none(found: dict[str, Finding]) -> None:
    assert found["old"].phantom_share_peak > 0.01
    assert found["nodes"].phantom_share_peak == 0.0
    assert found["old"].packets_per_s > found["nodes"].packets_per_s


def test_every_arm_is_one_row_and_what_is_not_forgotten_is_said(found: dict[str, Finding]) -> None:
    rows = list(lines(40, list(found.values())))
    assert rows[0].startswith("SIMULATED")
    assert len(rows) == 2 + len(found) + len(study.LIMITS)
    assert cells(replace(found["old"], forgot_s=math.inf))[5] == "not within the watch"


def test_the_page_says_that_it_is_simulated_and_what_it_does_not_say(found: dict[str, Finding]) -> None:
    page = render_page(40, list(found.values()))
    assert 'class="badge simulated"' in page
    assert study.LIMITS[0].replace("'", "&#39;") in page


def test_the_arms_are_those_of_the_question() -> None:
    assert {arm.profile for arm in ARMS} == {UP_TO_2018_08_07, Arm("").profile}
    assert any(arm.encrypted for arm in ARMS)
    assert any(arm.per_node for arm in ARMS)
    assert any(arm.pools == 10 for arm in ARMS)
