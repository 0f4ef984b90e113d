"""The sampled pool against the exact one, where both run: the same scenarios, the same measures, the error of the first stated.

Tolerances were chosen before the first comparison. What lies outside stays in the table as outside.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lab.sim.constants import SWIM, UP_TO_2018_08_07
from lab.sim.gossip import script
from lab.sim.gossip.pool import Action, GossipPool, Rules, Size
from lab.sim.gossip.sampled import SampledPool
from lab.sim.gossip.thinned import HOMES, ThinnedPool

FOLLOWED = 64
"""Rows of the sampled pools that are compared: 4 to 16 members each at 250 to 1,000. Chosen: half of what is used above, so that the errors there are smaller."""
TIMES = 4
"""Names that each name of the thinned pools stands for, of 1,000: 250 are left. Chosen: as many as the sampled pools are compared at; of 41,003 members 4,559 are left, so that
the errors there are smaller."""
STANDARD_ERRORS = 3.0
"""Means may differ by so many standard errors of their difference, plus the share below. Chosen before the first run, as in the comparison with the event queue."""
SHARE, SHARE_RARE = 0.10, 0.25
"""Relative error that is let pass: of rates and levels, and of rare events. Chosen: a tenth is far below what moves between versions or sizes; events such as
false positives and resurrections differ by factors between scenarios."""
LEAST = 0.02
"""Differences below this are let pass whatever their share: per member, second or name, as the measure is. Chosen: what is too rare to matter to a run."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is done to a pool.

    Args:
        seconds: how long it is watched.
        actions: of a pool of so many members: what is done, how many names there will be, who is anomalous.
        rules: what the pool goes by.
    """

    seconds: int
    actions: Callable[[int, np.random.Generator], tuple[list[Action], int, Sequence[int]]]
    rules: Rules = field(default_factory=Rules)


def deaths(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """One member of fifty dies, each at its own moment."""
    dead = chance.permutation(members)[: members // 50]
    return [Action(int(chance.integers(2000, 42_000)), script.KILL, int(member)) for member in dead], members, ()


def churn(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """Each second a member in 500 dies and a newcomer joins through one of three."""
    actions, living, names = [], list(range(3, members)), members
    for at_ms in range(1000, 180_000, 500_000 // members):
        victim = living.pop(int(chance.integers(len(living))))
        actions += [Action(at_ms, script.KILL, victim), Action(at_ms, script.START, names, names % 3)]
        living.append(names)
        names += 1
    return actions, names, ()


def slow(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """One member in twenty is blocked for 12 s, runs for 1 s, again and again, each in its own rhythm."""
    count, actions = members // 20, list[Action]()
    for member in range(count):
        begins_ms = range(5000 + int(chance.integers(13_000)), 120_000, 13_000)
        actions += [Action(begin_ms, script.BLOCK, member, begin_ms + 12_000) for begin_ms in begins_ms]
    return actions, members, range(count)


def turns(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """Everybody waits for its turn again and again, log-normal around 100 ms, as agents on full nodes do in the chain."""
    actions = []
    for member in range(members):
        at_ms = 5000
        while at_ms < 65_000:
            until_ms = at_ms + int(np.ceil(100 * chance.lognormal(0, 1.28)))
            actions.append(Action(at_ms, script.BLOCK, member, until_ms))
            at_ms = until_ms + -until_ms % 1000
    return actions, members, ()


def mass_death(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """One in five dies within a second."""
    dead = chance.permutation(members)[: members // 5]
    return [Action(int(chance.integers(5000, 6000)), script.KILL, int(member)) for member in dead], members, ()


def replaced(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """One in five dies within a second, and as many start in the ten seconds from the tenth on: what one lap of evictions does to a pool."""
    actions, _, _ = mass_death(members, chance)
    names = members + members // 5
    killed = {action.member for action in actions}
    homes = [member for member in range(members) if member not in killed][:3]
    actions += [Action(int(chance.integers(15_000, 25_000)), script.START, name, homes[name % 3]) for name in range(members, names)]
    return actions, names, ()


def cut(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """Nine in ten switch encryption on: the others hear and are heard no more."""
    changed = chance.permutation(members)[: 9 * members // 10]
    actions = [Action(5000, script.KEY, int(member), 1) for member in changed]
    return actions + [Action(5000, script.ACCEPT, int(member), 2) for member in changed], members, ()


def healed_cut(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """Half of the members switch encryption on, and off again two minutes later: serf's tries to reconnect make one pool of two."""
    changed = [int(member) for member in chance.permutation(members)[: members // 2]]
    actions = [Action(5000, script.KEY, member, 1) for member in changed] + [Action(5000, script.ACCEPT, member, 2) for member in changed]
    actions += [Action(125_000, script.KEY, member, 0) for member in changed] + [
        Action(125_000, script.ACCEPT, member, 1) for member in changed
    ]
    return actions, members, ()


def overload(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """Forty members a second announce themselves anew: six times what a pool can spread in full."""
    del chance
    return [Action(1000 + 25 * number, script.UPDATE, number % members) for number in range(40 * 60)], members, ()


def goodbye(members: int, chance: np.random.Generator) -> tuple[list[Action], int, Sequence[int]]:
    """One in ten leaves in order, within twenty seconds."""
    leaving = chance.permutation(members)[: members // 10]
    moments = chance.integers(2000, 22_000, len(leaving))
    actions = [Action(int(at_ms), script.LEAVE, int(member)) for at_ms, member in zip(moments, leaving, strict=True)]
    return actions + [Action(each.at_ms + 3000, script.KILL, each.member) for each in actions], members, ()


SCENARIOS = {
    "deaths": Scenario(90, deaths),
    "churn": Scenario(180, churn),
    "churn, before August 2018": Scenario(180, churn, Rules(profile=UP_TO_2018_08_07)),
    "slow members": Scenario(120, slow),
    "slow members, SWIM": Scenario(120, slow, Rules(lifeguard=SWIM)),
    "everybody waits": Scenario(90, turns),
    "a fifth dies": Scenario(150, mass_death),
    "a fifth is replaced": Scenario(240, replaced),
    "encryption in nine of ten": Scenario(150, cut),
    "encryption and back": Scenario(240, healed_cut),
    "overload": Scenario(60, overload),
    "leaving": Scenario(60, goodbye),
}

RARE = ("false positives", "at healthy members", "resurrections", "phantoms", "refutations")
"""Measures that may err by SHARE_RARE."""


def measure(pool: GossipPool, seconds: int) -> dict[str, float]:
    """What is compared of a run: per member, and per second where it is a rate."""
    samples, members = pool.samples, float(pool.samples[:, 1].mean())
    first, last = pool.detection_s()
    each = {
        "packets": pool.total("packets") / seconds,
        "bytes": pool.total("bytes") / seconds,
        "suspicions": pool.total("suspicions"),
        "refutations": pool.total("refutations"),
        "failures": pool.total("failures"),
        "joins": pool.total("joins"),
        "updates": pool.total("updates"),
        "leaves": pool.total("leaves"),
        "false positives": pool.total("false_positives"),
        "at healthy members": pool.total_of_healthy("false_positives"),
        "resurrections": pool.total("resurrections"),
        "queued": float(samples[:, 5].mean()),
        "alive in the end": float(samples[-1, 2]),
        "failed in the end": float(samples[-1, 3]),
        "phantoms": float(samples[:, 4].mean()),
        "health score": float(samples[:, 7].mean()),
    }
    found = {name: value / members for name, value in each.items()}
    if len(first):
        found |= {"first detection, s": float(np.nanmean(first)), "held dead by all, s": float(np.nanmean(last))}
    return found


def run(name: str, members: int, seed: int, followed: int = 0, times: int = 1) -> dict[str, float]:
    """One scenario in one pool: an exact one, one with so many followed members, or one whose names each stand for several, too."""
    scenario = SCENARIOS[name]
    actions, names, anomalous = scenario.actions(members, np.random.default_rng([seed, 1]))
    size, chance = Size(members, names, samples=scenario.seconds, times=times), np.random.default_rng([seed, 2])
    if times > 1:
        homes = HOMES if names > members else 0
        pool: GossipPool = ThinnedPool(size, scenario.rules, chance, actions, followed=followed, homes=homes)
    elif followed:
        pool = SampledPool(size, scenario.rules, chance, actions, followed=followed)
    else:
        pool = GossipPool(size, scenario.rules, chance, actions)
    pool.mark_anomalous(anomalous)
    pool.run(scenario.seconds)
    return measure(pool, scenario.seconds)


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of one scenario at one size.

    Args:
        scenario, members, measure: which.
        exact, sampled: means over seeds.
        error: standard error of their difference.
    """

    scenario: str
    members: int
    measure: str
    exact: float
    sampled: float
    error: float

    @property
    def residual(self) -> float:
        """Sampled over exact, less 1; 0 if both are nothing."""
        return self.sampled / self.exact - 1 if self.exact else float(self.sampled > 0)

    @property
    def agrees(self) -> bool:
        """Within the tolerance?"""
        share = SHARE_RARE if self.measure in RARE else SHARE
        return abs(self.sampled - self.exact) <= STANDARD_ERRORS * self.error + max(share * abs(self.exact), LEAST)


def compare(name: str, members: int, exact: Sequence[Mapping[str, float]], sampled: Sequence[Mapping[str, float]]) -> Iterator[Line]:
    """Both pools' runs of one scenario at one size, measure by measure; those that are nothing in both are left out."""
    for measured in exact[0]:
        ours, theirs = (np.array([run[measured] for run in runs]) for runs in (sampled, exact))
        if ours.any() or theirs.any():
            error = np.sqrt(ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs))
            yield Line(name, members, measured, float(theirs.mean()), float(ours.mean()), float(error))


def render(lines: Sequence[Line]) -> str:
    """The table as text, one line a measure."""
    told = ["scenario | members | measure (per member) | exact | sampled | residual | standard error | verdict"]
    for line in lines:
        error = line.error / abs(line.exact) if line.exact else float("nan")
        verdict = "agrees" if line.agrees else "DOES NOT AGREE"
        told.append(
            f"{line.scenario} | {line.members} | {line.measure} | {line.exact:.4g} | {line.sampled:.4g} | {100 * line.residual:+.1f} % | {100 * error:.1f} % | {verdict}"
        )
    return "\n".join(told) + "\n"
