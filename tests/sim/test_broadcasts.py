"""The broadcast queue and the hand-off queue, message by message."""

import numpy as np
import pytest

from lab.sim.compiled import entry_not_kept
from lab.sim.constants import FROM_2018_08_08, HANDOFF_DEPTH, UP_TO_2018_08_07, Profile
from lab.sim.gossip import broadcasts, network
from lab.sim.gossip.handle import handle
from lab.sim.gossip.pool import GossipPool, Rules, Size
from lab.sim.gossip.state import ALIVE, DEAD, DROPPED_HANDOFF, SUSPECT, Pool
from tests.sim.reading import incarnations, states

ROOM = 1398


@entry_not_kept
def enqueue(pool, member, subject, kind, inc, accuser):
    broadcasts.enqueue(pool, member, subject, kind, inc, accuser)


@entry_not_kept
def fill(pool, member, slot, room):
    return broadcasts.fill(pool, member, slot, room)


@entry_not_kept
def take(pool, member, kind, subject, inc, accuser):
    network.take(pool, member, kind, subject, inc, accuser)


@entry_not_kept
def work_off(pool, member):
    network.work_off(pool, member)


def arrays(profile: Profile = FROM_2018_08_08) -> Pool:
    return GossipPool(Size(99, 99, 0), Rules(profile=profile), np.random.default_rng(1)).arrays


def packet(pool: Pool, room: int = ROOM) -> list[int]:
    pool.packet_n[0] = 1
    fill(handle(pool), 0, 0, room)
    return [int(subject) for subject in pool.packets[0, 1 : pool.packet_n[0], 1]]


def test_newer_messages_go_first_among_those_sent_equally_often() -> None:
    pool = arrays()
    for subject in (1, 2, 3):
        enqueue(handle(pool), 0, subject, ALIVE, 2, subject)
    assert packet(pool) == [3, 2, 1]


def test_those_sent_less_often_go_first_and_larger_before_newer() -> None:
    pool = arrays()
    enqueue(handle(pool), 0, 1, ALIVE, 2, 1)
    packet(pool)
    enqueue(handle(pool), 0, 2, ALIVE, 2, 2)
    enqueue(handle(pool), 0, 3, DEAD, 1, 0)
    assert packet(pool) == [2, 3, 1]


def test_a_packet_takes_what_fits_and_fills_the_rest_with_short_messages() -> None:
    pool = arrays()
    for subject in range(1, 9):
        enqueue(handle(pool), 0, subject, ALIVE, 2, subject)
    enqueue(handle(pool), 0, 20, SUSPECT, 1, 0)
    assert packet(pool) == [8, 7, 6, 5, 4, 3, 20]


def test_a_newer_message_about_the_same_name_replaces_the_older() -> None:
    pool = arrays()
    enqueue(handle(pool), 0, 1, SUSPECT, 1, 0)
    enqueue(handle(pool), 0, 1, DEAD, 1, 0)
    assert packet(pool) == [1]
    assert pool.packets[0, 1, 0] == DEAD


def test_a_message_is_sent_as_often_as_the_limit_says_and_never_twice_in_a_packet() -> None:
    pool = arrays()
    enqueue(handle(pool), 0, 1, ALIVE, 2, 1)
    sent = [packet(pool) for _ in range(12)]
    assert sent == [[1]] * 8 + [[]] * 4


def test_a_ping_leaves_less_room_and_a_full_packet_none() -> None:
    pool = arrays()
    for subject in range(1, 9):
        enqueue(handle(pool), 0, subject, ALIVE, 2, subject)
    assert len(packet(pool, ROOM - 132)) == 5
    assert packet(pool, 70) == []


def slow(profile: Profile) -> Pool:
    pool = arrays(profile)
    pool.members[0]["rate"] = 1e-9
    for subject in range(1, HANDOFF_DEPTH + 11):
        take(handle(pool), 0, SUSPECT, subject % 98 + 1, 1, 2)
    for subject in (1, 2, 3):
        take(handle(pool), 0, ALIVE, subject, 7 + subject, subject)
    return pool


def test_before_august_2018_what_finds_the_queue_full_is_dropped_even_if_it_says_alive() -> None:
    assert slow(UP_TO_2018_08_07).counts[0, DROPPED_HANDOFF] == 10 + 3


def test_after_august_2018_alive_messages_have_a_queue_of_their_own_and_are_worked_off_first() -> None:
    pool = slow(FROM_2018_08_08)
    assert pool.counts[0, DROPPED_HANDOFF] == 10
    pool.members[0]["rate"] = 1.0
    pool.clock[0] += 1
    work_off(handle(pool), 0)
    assert list(incarnations(pool)[0, [2, 3]]) == [1, 10]


@pytest.mark.parametrize(("profile", "subject"), [(UP_TO_2018_08_07, 2), (FROM_2018_08_08, 4)])
def test_accusations_are_worked_off_oldest_first_before_august_2018_and_newest_first_after(profile: Profile, subject: int) -> None:
    pool = arrays(profile)
    pool.members[0]["rate"] = 1e-9
    for accused in (2, 3, 4):
        take(handle(pool), 0, SUSPECT, accused, 1, 9)
    pool.members[0]["rate"] = 1.0
    pool.clock[0] += 1
    work_off(handle(pool), 0)
    assert [int(name) for name in np.flatnonzero(states(pool)[0] == SUSPECT)] == [subject]


def lists(pool: Pool, row: int) -> list[list[int]]:
    """The places of each list of the row's queue, from first to last, whose ends and finger are as they should be."""
    found = []
    for first, last, finger in pool.ends[row].reshape(-1, 3):
        places, place, before = [], first, -1
        while place >= 0:
            assert pool.queued[place]["previous"] == before
            places.append(place)
            place, before = pool.queued[place]["next"], place
        assert last == before
        assert finger in places or (finger, places) == (-1, [])
        found.append(places)
    return found


def test_every_list_stays_sorted_whatever_is_added_sent_and_replaced() -> None:
    pool, chance, longest = arrays(), np.random.default_rng(5), 0
    for _ in range(300):
        for subject in chance.integers(1, 99, chance.integers(0, 12)):
            enqueue(handle(pool), 0, subject, chance.choice([ALIVE, SUSPECT, DEAD]), 1, 0)
        packet(pool, int(chance.integers(100, ROOM)))
        found = lists(pool, 0)
        assert all(np.all(np.diff(pool.queued[places]["number"]) < 0) for places in found)
        assert sum(map(len, found)) == pool.rows[0]["queued_n"]
        longest = max(longest, *map(len, found))
    assert longest > 10
