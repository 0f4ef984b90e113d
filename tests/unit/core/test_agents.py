"""Members and the pods they live in."""

import pytest

from lab.core.agents import Member, member, pod_of


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("consul-0", Member("consul-0")),
        ("app-5d9c7bf5c4-x2vqz", Member("app-5d9c7bf5c4-x2vqz")),
        ("app-5d9c7bf5c4-x2vqz-a3-0", Member("app-5d9c7bf5c4-x2vqz", 3, 0)),
        ("app-5d9c7bf5c4-x2vqz-a10-12", Member("app-5d9c7bf5c4-x2vqz", 10, 12)),
    ],
)
def test_a_name_tells_pod_slot_and_life(name, found):
    assert member(name) == found
    assert pod_of(name) == found.pod
