"""What one gossip pool makes of a cascade's churn, by version of Consul, with and without encryption, per pod or per node, in one pool or ten.

The story is the same for all arms. After a calm half minute pods are evicted and replaced for three minutes, half of them each minute; their agents
die without a farewell, those of replacements join. Meanwhile a share of the agents lives on full nodes and waits for its turn again and again; a share
of the evicted ones goes on running, as on nodes whose kubelet is gone, and gossips without anybody who manages it. Then the churn ends and the pool is
watched for six minutes: does it forget the dead?

With encryption, all managed agents get a key one minute after the churn has ended, as Target did; the unmanaged ones have none and are heard no more.
With one agent per node the pods' moves are no news for gossip: the pool has a seventh of the members, and only the waiting is left.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.sim.chain.parameters import Costs
from lab.sim.constants import FROM_2018_08_08, UP_TO_2018_08_07, Profile
from lab.sim.gossip import script, state
from lab.sim.gossip.choice import is_exact, pool_of, times_of
from lab.sim.gossip.pool import GossipPool, Rules, Size
from lab.sim.gossip.sampled import FOLLOWED

CALM_S, CHURN_S, WATCH_S = 30, 180, 360
CURE_AFTER_S = 60
MOVED_PER_MIN = 0.5
"""Share of the pods that are evicted and replaced each minute of the churn. Chosen: in the lab's cascades all are within two minutes or three."""
WAITING = 0.3
"""Share of the agents on full nodes. Chosen: below the lab's 1, so that the pool has healthy members to be judged by."""
UNMANAGED = 0.1
"""Share of the evicted agents that go on running. Chosen: the incident's stragglers were not counted."""
PODS_PER_NODE = 7
"""As in the lab."""
SERVERS = 3
KEYED = 1
"""The one gossip key; 0 is plaintext."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to run the pool.

    Args:
        name: in words.
        profile: version of memberlist.
        encrypted: managed agents get a key after the churn.
        per_node: one agent for a node's pods.
        pools: the agents are split evenly over so many; one of them is simulated.
    """

    name: str
    profile: Profile = FROM_2018_08_08
    encrypted: bool = False
    per_node: bool = False
    pools: int = 1

    def members(self, agents: int) -> int:
        """Of one pool, servers left out."""
        return max(10, math.ceil(agents / (PODS_PER_NODE if self.per_node else 1) / self.pools))


ARMS = (
    Arm("old Consul (to 1.2.2)", UP_TO_2018_08_07),
    Arm("new Consul (from 1.2.3)"),
    Arm("old Consul, encrypted after the churn", UP_TO_2018_08_07, encrypted=True),
    Arm("new Consul, encrypted after the churn", encrypted=True),
    Arm("new Consul, one agent per node", per_node=True),
    Arm("new Consul, ten pools", pools=10),
    Arm("old Consul, ten pools", UP_TO_2018_08_07, pools=10),
)
"""What is compared."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one arm.

    Args:
        arm: which.
        members: of the simulated pool, servers included.
        false_positives: living members noted as failed, per member and minute of churn, at any member.
        phantom_share_peak: most of the alive entries of lists that are of ended processes, as a share.
        phantom_share_end: the same at the end of the watch.
        forgot_s: seconds from the end of the churn until that share is below a hundredth for good; infinite if it is not within the watch.
        packets_per_s: of a member, over the churn.
        queued_peak: broadcasts that wait per member, at most.
        dropped: messages that found the hand-off full, per member.
        came_back: times that a member took an ended process up again, per member.
    """

    arm: Arm
    members: int
    false_positives: float
    phantom_share_peak: float
    phantom_share_end: float
    forgot_s: float
    packets_per_s: float
    queued_peak: float
    dropped: float
    came_back: float


@dataclass(frozen=True, slots=True)
class _Story:
    """Who does what when: `actions` is (S, 4) int64, ms, action, member, argument."""

    members: int
    names: int
    actions: NDArray[np.int64]


def study(agents: int, arm: Arm, seed: int, costs: Costs | None = None) -> Finding:
    """Simulate one arm; the same seed gives the same finding."""
    chance = np.random.default_rng(seed)
    story = _story(arm, arm.members(agents), chance, costs or Costs())
    end_s = CALM_S + CHURN_S + WATCH_S
    pool = pool_of(Size(story.members, story.names, samples=end_s + 1), Rules(profile=arm.profile), chance, story.actions)
    pool.run(CALM_S)
    before = _counts(pool)
    pool.run(CALM_S + CHURN_S)
    churned = _counts(pool)
    pool.run(end_s)
    return _finding(arm, story, pool, before, churned)


def _story(arm: Arm, agents: int, chance: np.random.Generator, costs: Costs) -> _Story:
    members = SERVERS + agents
    moves = 0 if arm.per_node else round(agents * MOVED_PER_MIN * CHURN_S / 60)
    alive, moved = list(range(SERVERS, members)), list[tuple[int, int, int, int]]()
    moments_ms = np.sort(chance.uniform(1000 * CALM_S, 1000 * (CALM_S + CHURN_S), moves)).astype(int)
    for number, at_ms in enumerate(moments_ms):
        place = int(chance.integers(len(alive)))
        gone, new = alive[place], members + number
        if chance.random() >= UNMANAGED:
            moved.append((int(at_ms), script.KILL, gone, 0))
        moved.append((int(at_ms), script.START, new, number % SERVERS))
        alive[place] = new
    parts = [np.array(moved, np.int64).reshape(-1, 4), _waits(members + moves, chance, costs)]
    if arm.encrypted:
        parts.append(np.array(list(_cure([*range(SERVERS), *alive])), np.int64))
    return _Story(members, members + moves, np.concatenate(parts))


def _waits(names: int, chance: np.random.Generator, costs: Costs) -> NDArray[np.int64]:
    """Blocked windows of the agents on full nodes, one begun each second, until the churn ends. Stragglers wait for as long as they run."""
    waiting = SERVERS + np.flatnonzero(chance.random(names - SERVERS) < WAITING)
    at_ms, end_ms, found = np.full(len(waiting), 1000 * CALM_S), 1000 * (CALM_S + CHURN_S), list[NDArray[np.int64]]()
    while len(waiting):
        waits_ms = np.ceil(costs.turn_ms * chance.lognormal(0, costs.turn_spread, len(waiting))).astype(np.int64)
        found.append(np.stack([at_ms, np.full(len(waiting), script.BLOCK), waiting, at_ms + waits_ms], axis=1))
        at_ms = at_ms + np.maximum(1000, waits_ms)
        waiting, at_ms = waiting[at_ms < end_ms], at_ms[at_ms < end_ms]
    return np.concatenate(found) if found else np.zeros((0, 4), np.int64)


def _cure(managed: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """A key for every managed agent at one moment, and nothing else is accepted from then on."""
    at_ms = 1000 * (CALM_S + CHURN_S + CURE_AFTER_S)
    for member in managed:
        yield at_ms, script.KEY, member, KEYED
        yield at_ms, script.ACCEPT, member, 1 << KEYED


def _counts(pool: GossipPool) -> dict[str, int]:
    return {name: pool.total(name) for name in ("false_positives", "packets")}


def _finding(arm: Arm, story: _Story, pool: GossipPool, before: dict[str, int], churned: dict[str, int]) -> Finding:
    samples = {name: pool.samples[:, 1 + place] for place, name in enumerate(state.SAMPLES)}
    at_s = pool.samples[:, 0]
    shares = samples["phantoms"] / np.maximum(samples["alive_views"], 1)
    member_s = story.members * CHURN_S
    later = at_s > CALM_S + CHURN_S
    bad = at_s[later & (shares >= 0.01)]
    end_s = float(at_s[-1])
    forgot_s = 0.0 if not len(bad) else math.inf if bad[-1] >= end_s else float(bad[-1]) + 1 - (CALM_S + CHURN_S)
    return Finding(
        arm=arm,
        members=story.members,
        false_positives=60 * (churned["false_positives"] - before["false_positives"]) / member_s,
        phantom_share_peak=float(shares.max()),
        phantom_share_end=float(shares[-1]),
        forgot_s=forgot_s,
        packets_per_s=(churned["packets"] - before["packets"]) / member_s,
        queued_peak=float((samples["queued"] / np.maximum(samples["running"], 1)).max()),
        dropped=pool.total("dropped_handoff") / story.members,
        came_back=pool.total("resurrections") / story.members,
    )


LIMITS = (
    "What the model cannot say: how fast Target's agents worked, how many were starved and for how long, what the network lost; all of that is chosen here.",
    "Old and new Consul differ in the hand-off queue of a handler that falls behind and in a cap on concurrent push/pulls. Here agents wait for whole turns and then keep up. The cap is reached where newcomers of one large pool join through three servers, and refuses them; elsewhere both come out alike.",
    "Serf's own intents, its snapshots on disk and Consul's servers under the load of 41,000 agents stand in no arm; a full broadcast queue costs memory and CPU that are not modelled.",
    "Agents that got a new address from a pod that is gone (reuse of IPs) are not modelled, nor is a second cluster that shares the pool.",
)
"""Sentences for every report of the study."""


def limits(found: Sequence[Finding]) -> tuple[str, ...]:
    """LIMITS, and which pools were not followed member by member."""
    sampled = [each.members for each in found if not is_exact(each.members)]
    if not sampled:
        return LIMITS
    told = [
        f"In pools of {min(sampled):,} members and more {FOLLOWED} are followed and the others told by rates; the error against the exact pool is in tests/sim/approximation.md."
    ]
    thinned = [members for members in sampled if times_of(members) > 1]
    if thinned:
        told.append(
            f"In pools of {min(thinned):,} members and more only one name of {times_of(min(thinned))} is held and stands for all; the error against the exact pool is in tests/sim/thinned.md."
        )
    return (*LIMITS, *told)


def lines(agents: int, found: Sequence[Finding]) -> Iterator[str]:
    """The study as text."""
    yield f"SIMULATED: {agents:,} agents, one run an arm; moved {MOVED_PER_MIN:.0%} a minute for {CHURN_S} s, {WAITING:.0%} of the agents on full nodes, {UNMANAGED:.0%} of the evicted run on"
    yield "arm | members of a pool | false positives per member and minute | phantoms, peak | phantoms, end | forgotten after | packets/s a member | queued a member | dropped a member | came back a member"
    for each in found:
        yield " | ".join(cells(each))
    yield from limits(found)


def cells(found: Finding) -> tuple[str, ...]:
    """One arm in words."""
    forgot = "not within the watch" if math.isinf(found.forgot_s) else f"{found.forgot_s:.0f} s"
    return (
        found.arm.name,
        f"{found.members:,}",
        f"{found.false_positives:.3g}",
        f"{100 * found.phantom_share_peak:.1f} %",
        f"{100 * found.phantom_share_end:.2f} %",
        forgot,
        f"{found.packets_per_s:.1f}",
        f"{found.queued_peak:.1f}",
        f"{found.dropped:.3g}",
        f"{found.came_back:.3g}",
    )
