"""The arrays against the plain event queue: two programs, written separately, must tell the same story.

Agreement was defined before the first run: the means over seeds differ by at most 3 standard errors of their difference, plus 3 % of the mean for
what the arrays leave out (a latency of a quarter of a millisecond, the first packet of a blocked gossip round).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from lab.sim.constants import SWIM, Lifeguard
from lab.sim.gossip import script
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size
from tests.sim.plain import PlainPool

STANDARD_ERRORS = 3.0
SHARE = 0.03
SEEDS = range(8)


@dataclass(frozen=True)
class Story:
    members: int
    until_s: float
    kills: tuple[tuple[int, float], ...] = ()
    windows: tuple[tuple[int, float, float], ...] = ()


DEATH = Story(members=24, until_s=30, kills=((3, 5.4),))
BLOCKED = Story(members=24, until_s=50, windows=tuple((member, at_s, at_s + 12) for member in (1, 2, 3) for at_s in (5.0, 17.2, 29.4)))


def plain(story: Story, rules: Rules, seed: int) -> dict[str, float]:
    counts = PlainPool(story.members, rules, seed, list(story.windows), list(story.kills)).run(story.until_s)
    found: dict[str, float] = {
        "packets": counts.packets,
        "false_positives": counts.false_positives,
        "false_positives_healthy": counts.false_positives_healthy,
    }
    for name, at_s in story.kills:
        found |= {"first_failed_s": counts.first_failed_s[name] - at_s, "last_failed_s": counts.last_failed_s[name] - at_s}
    return found


def arrays(story: Story, rules: Rules, seed: int) -> dict[str, float]:
    actions = [Action(round(at_s * 1000), script.KILL, member) for member, at_s in story.kills]
    actions += [Action(round(begin_s * 1000), script.BLOCK, member, round(end_s * 1000)) for member, begin_s, end_s in story.windows]
    pool = GossipPool(Size(story.members, story.members, 0), rules, np.random.default_rng(seed), actions)
    anomalous = sorted({member for member, _, _ in story.windows})
    pool.mark_anomalous(anomalous)
    pool.run(story.until_s)
    healthy = ~np.isin(np.arange(story.members), anomalous)
    found: dict[str, float] = {
        "packets": pool.total("packets"),
        "false_positives": pool.total("false_positives"),
        "false_positives_healthy": pool.total("false_positives", healthy),
    }
    if story.kills:
        first, last = pool.detection_s()
        found |= {"first_failed_s": float(first[0]), "last_failed_s": float(last[0])}
    return found


def disagreements(left: list[dict[str, float]], right: list[dict[str, float]]) -> list[str]:
    told = []
    for name in left[0]:
        ours, theirs = np.array([each[name] for each in left]), np.array([each[name] for each in right])
        error = np.sqrt(ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs))
        if abs(ours.mean() - theirs.mean()) > STANDARD_ERRORS * error + SHARE * abs(theirs.mean()):
            told.append(f"{name}: {ours.mean():.3f} against {theirs.mean():.3f}, standard error {error:.3f}")
    return told


@pytest.mark.parametrize("lifeguard", [SWIM, Lifeguard()], ids=["SWIM", "Lifeguard"])
@pytest.mark.parametrize("story", [DEATH, BLOCKED], ids=["death", "blocked"])
def test_both_versions_agree_over_seeds(story: Story, lifeguard: Lifeguard) -> None:
    rules = Rules(lifeguard=lifeguard)
    many = range(100, 100 + 5 * len(SEEDS))
    assert disagreements([arrays(story, rules, seed) for seed in many], [plain(story, rules, seed) for seed in SEEDS]) == []


def test_a_difference_would_be_seen() -> None:
    slower = Rules(machine=Rules().machine, loss=0.3)
    told = disagreements([arrays(DEATH, slower, seed) for seed in SEEDS], [plain(DEATH, Rules(), seed) for seed in SEEDS])
    assert any("packets" in line for line in told)


def seconds(version: Callable[[Story, Rules, int], object], story: Story) -> float:
    begin_s = time.process_time()
    version(story, Rules(), 1)
    return time.process_time() - begin_s


@pytest.mark.timing
def test_the_arrays_are_a_hundred_times_faster_per_member_second(record_property: Callable[[str, object], None]) -> None:
    """Of 200 members, for so long that the making of the pool does not count: of 20 s among 100 it is more than half."""
    story = Story(members=200, until_s=300, kills=((3, 2.0),))
    arrays(DEATH, Rules(), 0)
    ratio = seconds(plain, story) / min(seconds(arrays, story) for _ in range(5))
    record_property("speed_ratio", ratio)
    assert ratio >= 100
