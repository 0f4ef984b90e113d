"""Deleting pods on an API server that is too busy to answer."""

from types import SimpleNamespace

import pytest

from lab.adapters.kube import Kube, Object
from lab.cluster import reset
from lab.core.errors import Unavailable
from tests.fakes import FakeProgress


class Busy(Kube):
    """Answers from the `answers_from`-th time on."""

    def __init__(self, answers_from: int) -> None:
        self.asked: list[str] = []
        self._answers_from = answers_from

    def delete_pods(self, selector: str, *, grace_s: int = 0) -> None:  # as the API's
        self.asked.append(selector)
        if len(self.asked) < self._answers_from:
            raise Unavailable("DELETE pods", "timed out", "look")


def test_a_busy_api_server_is_asked_again_to_delete() -> None:
    kube = Busy(answers_from=reset.DELETE_TRIES)
    reset._delete(kube, "app")
    assert kube.asked == ["app.kubernetes.io/name=app"] * reset.DELETE_TRIES


def test_one_that_never_answers_is_given_up() -> None:
    with pytest.raises(Unavailable):
        reset._delete(Busy(answers_from=reset.DELETE_TRIES + 1), "app")


class Told(Kube):
    """Some pods, all with agents."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def pods(self, selector: str = "") -> list[Object]:  # as the API's
        return [{"metadata": {"name": name, "labels": {"app.kubernetes.io/name": "app"}}} for name in self._names]


class World:
    """A pool of Consul members."""

    def __init__(self, **members: str) -> None:
        self._members = members

    def consul(self) -> "World":
        return self

    def members(self) -> dict[str, str]:
        return self._members


@pytest.mark.parametrize(
    ("world", "missing", "gone"),
    [
        (World(a="alive", b="alive"), "", []),
        (World(a="alive"), "1 alive, 1 not yet members, 0 that should not be there", []),
        (World(a="alive", b="alive", c="alive"), "3 alive, 0 not yet members, 1 that should not be there", []),
        (World(a="alive", b="alive", c="failed", d="left"), "2 alive, 0 not yet members, 2 that should not be there", ["c", "d"]),
        (World(a="alive", b="failed"), "1 alive, 1 not yet members, 0 that should not be there", []),
    ],
)
def test_only_members_that_are_gone_for_good_soil_a_pool(world: World, missing: str, gone: list[str]) -> None:
    assert reset._strangers(world, Told("a", "b")) == (missing, gone)  # type: ignore[arg-type]


def test_a_soiled_pool_is_swept_and_filled_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def fill(*_: object) -> None:
        calls.append("fill")
        if calls.count("fill") == 1:
            raise reset.Soiled("see one pool", "it remembers c", "again")

    monkeypatch.setattr(reset, "_sweep", lambda *_: calls.append("sweep"))
    monkeypatch.setattr(reset, "_fill", fill)
    monkeypatch.setattr(reset, "_pristine", lambda *_: True)
    world = SimpleNamespace(uncap=lambda: calls.append("uncap"), weigh=lambda: calls.append("weigh"))
    reset.fresh(world, Told(), FakeProgress(), 2)  # type: ignore[arg-type]
    assert calls == ["uncap", "fill", "sweep", "fill", "weigh"]
