"""Before each run all pods are new; where the arm changes, none is there while its template does."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from lab.adapters.kube import Kube, Object
from lab.cluster import arms, reset
from lab.cluster.arms import Arm
from lab.core.errors import Aborted, Unavailable
from lab.core.vault import INSTANCES, Storage
from tests.fakes import FakeClock, FakeProgress


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
    assert reset._strangers(world, Told("a", "b"), 1) == (missing, gone)  # type: ignore[arg-type]


def test_a_soiled_pool_is_swept_and_filled_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def fill(*_: object) -> None:
        calls.append("fill")
        if calls.count("fill") == 1:
            raise reset.Soiled("see one pool", "it remembers c", "again")

    monkeypatch.setattr(reset, "_sweep", lambda *_, change: calls.append(f"sweep {change}"))
    monkeypatch.setattr(arms, "carries", lambda *_: True)
    monkeypatch.setattr(reset, "_fill", fill)
    monkeypatch.setattr(reset, "_pristine", lambda *_: True)
    world = SimpleNamespace(uncap=lambda: calls.append("uncap"), weigh=lambda: calls.append("weigh"))
    reset.fresh(world, Told(), FakeProgress(), 2, Arm())  # type: ignore[arg-type]
    assert calls == ["uncap", "fill", "sweep False", "fill", "weigh"]


@pytest.mark.parametrize(
    ("members", "missing", "gone"),
    [
        ({"a-a1-0": "alive", "a-a2-0": "alive", "b-a1-0": "alive", "b-a2-3": "alive"}, "", []),
        ({"a-a1-0": "alive", "a-a2-0": "alive", "b-a1-0": "alive"}, "3 alive, 1 not yet members, 0 that should not be there", []),
        (
            {"a-a1-0": "alive", "a-a2-0": "failed", "a-a2-1": "alive", "b-a1-0": "alive", "b-a2-0": "alive"},
            "4 alive, 0 not yet members, 1 that should not be there",
            ["a-a2-0"],
        ),
        (
            {"a-a1-0": "alive", "a-a2-0": "alive", "a-a2-1": "alive", "b-a1-0": "alive", "b-a2-0": "alive"},
            "5 alive, 0 not yet members, 1 that should not be there",
            [],
        ),
        (
            {"a-a1-0": "alive", "a-a2-0": "failed", "b-a1-0": "alive", "b-a2-0": "alive"},
            "3 alive, 1 not yet members, 0 that should not be there",
            [],
        ),
        (
            {"a-a1-0": "alive", "a-a2-0": "alive", "b-a1-0": "alive", "b-a2-0": "alive", "c-a1-0": "failed"},
            "4 alive, 0 not yet members, 1 that should not be there",
            ["c-a1-0"],
        ),
    ],
)
def test_of_several_agents_in_a_pod_one_that_has_a_follower_soils_the_pool(members: dict[str, str], missing: str, gone: list[str]) -> None:
    assert reset._strangers(World(**members), Told("a", "b"), 2) == (missing, gone)  # type: ignore[arg-type]


class Cluster(Kube):
    """Sets that make as many pods as are wanted of them, at once and ready; `done` is what was asked for."""

    def __init__(self, collectors: int = 0) -> None:
        self.wanted = {"app": 2, reset.COLLECTOR: collectors, **reset.CORE_PODS}
        self.done: list[str] = []
        self.made = 0
        self.counting: list[str] = []
        self.looks = 0
        self.there = {name: self._new(name) for name in self.wanted}

    def _new(self, name: str) -> list[Object]:
        self.made += 1
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        labels = {reset.NAME_LABEL: name}
        uids = [f"{name}-{number}-{self.made}" for number in range(self.wanted[name])]
        return [{"metadata": {"name": uid, "uid": uid, "labels": labels}, "status": ready} for uid in uids]

    def scale(self, name: str, replicas: int, *, kind: str = "deployments") -> None:
        self.done.append(f"scale {name} {replicas}")
        self.wanted[name] = replicas
        self.there[name] = self.there[name][:replicas]
        self.counting = ["consul"] if not replicas and name == "consul" else self.counting

    def statefulsets_counting(self) -> list[str]:
        seen, self.counting = self.counting, []  # the controller sees it a look later
        self.looks += bool(seen)
        return seen

    def forget(self, path: str) -> None:
        name = path.rpartition("/")[2]
        self.done.append(f"forget {name}")
        self.wanted[name], self.there[name] = 0, []

    def delete_pods(self, selector: str, *, grace_s: int = 0) -> None:  # as the API's
        name = selector.partition("=")[2]
        self.done.append(f"delete {name}")
        self.there[name] = self._new(name)

    def pods(self, selector: str = "") -> list[Object]:  # as the API's
        return self.there[selector.partition("=")[2]]


class Swept:
    """A world that carries an arm at once, with as many pods as it says."""

    app_nodes = ("n1", "n2")

    def __init__(self, cluster: Cluster) -> None:
        self.clock = FakeClock()
        self._cluster = cluster

    def forget_tallies(self) -> None:
        self._cluster.done.append("forget tallies")

    def carry(self, arm: Arm, kube: Kube) -> None:
        assert all(not self._cluster.there[name] for name in ("app", reset.COLLECTOR, *reset.CORE_PODS))
        self._cluster.done.append(f"carry {arm.words}")
        self._cluster.wanted |= {**dict.fromkeys(reset.CORE_PODS, 0), **reset.core_pods(arm)}
        self._cluster.wanted[reset.COLLECTOR] = len(self.app_nodes) if arm.collects else 0
        self._cluster.there |= {name: self._cluster._new(name) for name in (reset.COLLECTOR, *reset.CORE_PODS)}


@pytest.mark.parametrize("change", [False, True])
def test_a_sweep_makes_every_pod_anew_and_applies_another_arm_while_none_is_there(change: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    before = {pod["metadata"]["uid"] for pods in cluster.there.values() for pod in pods}
    monkeypatch.setattr(reset, "settle", lambda kube: kube.done.append("settle"))
    monkeypatch.setattr(arms, "note", lambda kube, words: kube.done.append(words))
    arm = Arm(logging=not change)
    reset._sweep(Swept(cluster), cluster, FakeProgress(), arm, change=change)  # type: ignore[arg-type]
    emptied = [f"{verb} {name}{' 0' * (verb == 'scale')}" for name in reset.CORE_PODS for verb in ("scale", "delete")]
    changed, kept = (
        [arms.UNFINISHED, "forget collector", *emptied, "settle", 'carry {"logging": false}'],
        [f"delete {name}" for name in reset.CORE_PODS],
    )
    assert cluster.done == ["scale app 0", "delete app", "forget tallies", *(changed if change else kept)]
    assert not before & {pod["metadata"]["uid"] for pods in cluster.there.values() for pod in pods}
    assert len(cluster.there["kafka"]) == (0 if change else 1)
    assert cluster.looks == int(change)


@pytest.mark.parametrize(("old", "new"), [(0, 2), (2, 2), (2, 0)])
def test_collectors_are_made_anew_come_with_their_arm_and_go_with_it(old: int, new: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(old)
    before = {pod["metadata"]["uid"] for pod in cluster.there[reset.COLLECTOR]}
    monkeypatch.setattr(reset, "settle", lambda _: None)
    monkeypatch.setattr(arms, "note", lambda *_: None)
    arm = Arm(shipper="rsyslog-daemonset" if new else "kafka-python")
    reset._sweep(Swept(cluster), cluster, FakeProgress(), arm, change=old != new)  # type: ignore[arg-type]
    after = {pod["metadata"]["uid"] for pod in cluster.there[reset.COLLECTOR]}
    assert len(after) == new
    assert not before & after


@pytest.mark.parametrize(("old", "new"), [("consul", "raft"), ("raft", "raft"), ("raft", "consul")])
def test_a_fresh_core_has_as_many_vaults_as_their_storage_wants(old: Storage, new: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    cluster.wanted["vault"] = INSTANCES[old]
    cluster.there["vault"] = cluster._new("vault")
    monkeypatch.setattr(reset, "settle", lambda _: None)
    monkeypatch.setattr(arms, "note", lambda *_: None)
    reset._sweep(Swept(cluster), cluster, FakeProgress(), Arm(vault=new), change=old != new)  # type: ignore[arg-type]
    assert len(cluster.there["vault"]) == INSTANCES[new] == (3 if new == "raft" else 2)


@pytest.mark.parametrize(("carried", "swept"), [("", []), ('{"consul": "1.2.3"}', [True]), (arms.UNFINISHED, [True])])
def test_a_fresh_cluster_is_swept_only_when_it_carries_another_arm(
    carried: str, swept: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(arms, "_said", lambda _: {**arms.annotations(Arm()), arms.ANNOTATION: carried})
    monkeypatch.setattr(reset, "_sweep", lambda *_, change: seen.append(change))
    monkeypatch.setattr(reset, "_fill", lambda *_: None)
    monkeypatch.setattr(reset, "_pristine", lambda *_: True)
    world = SimpleNamespace(uncap=lambda: None, weigh=lambda: None)
    reset.fresh(world, Told(), FakeProgress(), 2, Arm())  # type: ignore[arg-type]
    assert seen == swept


@pytest.mark.parametrize(
    ("pods", "agents", "there", "asked"),
    [
        (20, 10, 1, [3, 5, 7, 9, *range(11, 21)]),
        (5, 10, None, [2, 4, 5]),
        (35, 1, None, [35]),
        (2, 100, None, [1, 2]),
    ],
)
def test_many_agents_come_up_in_steps(monkeypatch: pytest.MonkeyPatch, pods: int, agents: int, there: int | None, asked: list[int]) -> None:
    """All at once they take each other's CPU until no node is Ready."""
    scaled: list[int] = []
    waited: list[str] = []
    kube = SimpleNamespace(scale=lambda _, wanted: scaled.append(wanted))
    world = SimpleNamespace(touch=lambda: None, pristine_pods=lambda: there, clock=FakeClock())
    monkeypatch.setattr(reset, "until", lambda _progress, _clock, title, *_: waited.append(title))
    monkeypatch.setattr(reset, "await_steady", lambda *_: waited.append("steady"))
    reset._fill(world, kube, FakeProgress(), pods, Arm(agents_per_pod=agents))  # type: ignore[arg-type]
    assert scaled == asked
    assert waited.count("their agents in the pool") == len(asked) - 1
    between = ["their agents in the pool", "room on the host"]
    steps = [title for title in waited if title in between]
    assert steps[: 2 * (len(asked) - 1)] == between * (len(asked) - 1)
    assert waited[waited.index("steady") + 1 :].count("room on the host") == int(agents > 1)


def test_more_agents_begin_when_those_before_leave_room_and_a_pool_that_leaves_none_is_told_from_one_at_rest() -> None:
    clock, idle = FakeClock(), [0.01, 0.28, 0.5]

    def idle_share(window_s: float) -> float:
        clock.sleep(window_s)
        return idle.pop(0) if idle else 0.0

    world = SimpleNamespace(clock=clock, idle_share=idle_share)
    reset._await_room(world, FakeProgress(), 70)  # type: ignore[arg-type]
    assert idle == []
    with pytest.raises(Aborted) as caught:
        reset._await_room(world, FakeProgress(), 100)  # type: ignore[arg-type]
    assert "bring up a pool of 100 agents that is at rest" in str(caught.value)
    assert "0% of the host's CPU is idle; a pool at rest leaves 33%" in str(caught.value)


def test_agents_are_counted_without_the_servers() -> None:
    pool = {**dict.fromkeys(["consul-0", "consul-1", "consul-2", "app-1-a1-0", "app-1-a2-0"], "alive"), "app-1-a3-0": "failed"}
    world = SimpleNamespace(consul=lambda: SimpleNamespace(members=lambda: pool))
    assert reset._missing_agents(world, 2) == ""  # type: ignore[arg-type]
    assert reset._missing_agents(world, 3) == "2 of 3 are members"  # type: ignore[arg-type]


class Pods(Kube):
    """One node that is Ready, and one pod that is not, made at noon."""

    def __init__(self, **marks: str) -> None:
        self._marks = marks

    def nodes(self) -> list[Object]:
        return [{"metadata": {"name": "one"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}]

    def pods(self, selector: str = "") -> list[Object]:  # as the API's
        return [{"metadata": {"name": "app-1", "creationTimestamp": "2026-11-29T12:00:00Z", **self._marks}, "status": {}}]


@pytest.mark.parametrize(("age_s", "why"), [(10, ""), (100, "1 of 1 pods not ready")])
def test_a_pod_that_starts_does_not_wear_a_cluster_and_one_that_never_does_it(age_s: int, why: str) -> None:
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)
    assert reset.worn(Pods(), noon + timedelta(seconds=age_s)) == why
    assert reset.worn(Pods(deletionTimestamp="2026-11-29T12:00:05Z"), noon + timedelta(seconds=age_s)) == why
