"""Back to a fresh steady system before each run: new Kafka, new Consul pool with a new Vault on it, new pods, then shares and caps.

A pool remembers its dead for 72 hours and a topic its lines, so runs that shared them would not be independent. What makes the steady state
is checked here (one pool, one leader, every agent a member, every pod running); the run's own steady phase then measures it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from lab.adapters.kube import NAMESPACE, Kube, Object
from lab.cluster import arms
from lab.cluster.arms import Arm
from lab.cluster.redeploy import settle
from lab.cluster.settle import until
from lab.cluster.world import KindWorld
from lab.core.agents import member, pod_of
from lab.core.errors import Aborted, Unavailable
from lab.core.progress import Progress
from lab.core.vault import DEFAULT_STORAGE, INSTANCES

SETTLE_ALLOWED_S = 480.0
"""Chosen: 50 pods on nodes that have yet to unpack their images took 75 to 160 s on 2 cores; three times that is a fault of the lab, not patience."""
DELETE_TRIES = 3
"""Chosen: a host that was busy with other work took over the minute that one try may take for 35 pods."""
AGENTS_AT_ONCE = 20
"""Of pods with several agents; the next begin when these are members. An agent that starts, and a pool that takes it in, cost some hundred times what an
agent takes at rest (3 ms/s of CPU on 2 cores): of 200 agents in steps of 50, 10 to 40 were held for failed for 6 minutes, with both cores busy."""
LARGE_POOL = 100
"""Agents from which on half as many begin at once: in steps of 20 one pool of 200 in three tipped at its last step, and stayed so for 5 minutes."""
IDLE_SHARE, IDLE_WINDOW_S, IDLE_ALLOWED_S = 1 / 3, 2.0, 60.0
"""Of the host's CPU, before more agents begin and before a run does. Chosen, by what was measured on 2 cores: with 20 to 90 agents at rest 53 to 75 % are
idle, with 200 about half (on a faster machine), while ten more start 1 to 28 %, for 5 to 20 s. A pool that tips stays at 0: one of 90 agents to which ten came, for as long as it was
watched."""
SERVERS = 3
GONE = ("failed", "left")
CORE_PODS = {"vault": INSTANCES[DEFAULT_STORAGE], "balancer": 1, "consul": SERVERS, "kafka": 1}
"""What is made anew with each run, by name, in the order of its end: Vault before the Consul that holds its lock, so that no instance of before
takes the lock of the new one."""
CORE_KINDS = {"vault": "statefulsets", "balancer": "deployments", "consul": "statefulsets", "kafka": "statefulsets"}
"""What makes each of them."""
COLLECTOR = "collector"
"""What the collectors of an arm go by (manifests/factors/rsyslog-daemonset). They are made anew as well: their counters begin at nothing."""
COLLECTORS = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/{COLLECTOR}"
NAME_LABEL = "app.kubernetes.io/name"


STARTS_WITHIN = timedelta(seconds=60)
"""Chosen: the platform's pods are ready within 30 s on a machine that makes seven nodes meanwhile."""


class Soiled(Aborted):
    """The pool remembers members that failed or left, and will for 72 hours: waiting does not help."""


def fresh(world: KindWorld, kube: Kube, progress: Progress, pods: int, arm: Arm) -> None:
    """Bring up `pods` workload pods on a fresh Kafka and a fresh Consul pool, uncapped, as the arm says.

    Raises:
        Aborted: it does not become steady in time; says what was last seen.
    """
    world.uncap()
    change = not arms.carries(kube, arm)
    if change or not _pristine(world, pods):
        _sweep(world, kube, progress, arm, change=change)
    try:
        _fill(world, kube, progress, pods, arm)
    except Soiled:  # a busy host had pods evicted before the run began
        _sweep(world, kube, progress, arm, change=False)
        _fill(world, kube, progress, pods, arm)
    world.weigh()


def _fill(world: KindWorld, kube: Kube, progress: Progress, pods: int, arm: Arm) -> None:
    until(progress, world.clock, "all nodes Ready", lambda: unready_nodes(kube), SETTLE_ALLOWED_S)
    there = world.pristine_pods() or 0
    world.touch()
    for some in _steps(there, pods, arm.agents_per_pod) if arm.agents_per_pod > 1 else ():
        kube.scale("app", some)
        until(progress, world.clock, f"{some} of {pods} workload pods", partial(_missing_pods, kube, some), SETTLE_ALLOWED_S)
        agents = some * arm.agents_per_pod
        until(progress, world.clock, "their agents in the pool", partial(_missing_agents, world, agents), SETTLE_ALLOWED_S)
        _await_room(world, progress, agents)
    kube.scale("app", pods)
    await_steady(world, kube, progress, pods, arm)
    if arm.agents_per_pod > 1:
        _await_room(world, progress, pods * arm.agents_per_pod)
    until(progress, world.clock, f"{pods} pods behind the load balancer", lambda: _unbalanced(world, pods), SETTLE_ALLOWED_S)


def _await_room(world: KindWorld, progress: Progress, agents: int) -> None:
    """A pool whose agents take all CPU is ill before anything was done to it, and so is whatever is measured of it.

    Raises:
        Aborted: it does not calm down.
    """
    seen: list[float] = []

    def look() -> str:
        seen.append(world.idle_share(IDLE_WINDOW_S))
        return "" if seen[-1] >= IDLE_SHARE else f"{seen[-1]:.0%} of the host's CPU is idle"

    try:
        until(progress, world.clock, "room on the host", look, IDLE_ALLOWED_S)
    except Aborted as error:
        came_back = f"{IDLE_ALLOWED_S:.0f} s after the last of them joined {seen[-1]:.0%} of the host's CPU is idle; a pool at rest leaves {IDLE_SHARE:.0%}"
        raise Aborted(
            f"bring up a pool of {agents} agents that is at rest",
            came_back,
            "fewer agents: --set workload.agents_per_pod=N; or end other work",
        ) from error


def _steps(there: int, pods: int, agents_per_pod: int) -> Iterator[int]:
    """How many pods to wait for, one number after the other, on the way from `there` to `pods`; neither is among them."""
    while True:
        agents = AGENTS_AT_ONCE if there * agents_per_pod < LARGE_POOL else AGENTS_AT_ONCE // 2
        there += max(1, agents // agents_per_pod)
        if there >= pods:
            return
        yield there


def _pristine(world: KindWorld, pods: int) -> bool:
    """Taking pods away would leave members of the pool that have left."""
    there = world.pristine_pods()
    return there is not None and there <= pods


def worn(kube: Kube, now: datetime) -> str:
    """Why the cluster cannot be swept but must be made anew, or "" if it is calm.

    A cascade leaves dead nodes with dozens of pods that their kubelets have yet to kill, and that flood again as soon as they get CPU:
    sweeping one took over 5 minutes, a new cluster takes 1.5. A pod that was made just now may still be starting: `lab up` ends before the last is ready.
    """
    pods = kube.pods()
    unready = sum(not _pod_ready(pod) and now - _made(pod) > STARTS_WITHIN for pod in pods)
    if nodes := unready_nodes(kube):
        return f"not Ready: {nodes}"
    return f"{unready} of {len(pods)} pods not ready" if unready else ""


def await_steady(world: KindWorld, kube: Kube, progress: Progress, pods: int, arm: Arm) -> None:
    """Wait for Kafka where the arm has it, one Consul leader, an open Vault, `pods` running pods, one pool that holds exactly their agents and the
    servers, and a load balancer that answers.

    Vault is opened as soon as Consul has a leader: the pods start meanwhile.

    Raises:
        Soiled: other members were in the pool and are remembered.
        Aborted: the time is up.
    """
    if arm.logging:
        until(progress, world.clock, "Kafka", lambda: "" if world.broker_answers(2.0) else "no answer yet", SETTLE_ALLOWED_S)
    until(progress, world.clock, "Consul's leader", lambda: _no_leader(world), SETTLE_ALLOWED_S)
    world.open_vault(progress, arm.vault)
    until(progress, world.clock, f"{pods} workload pods", lambda: _missing_pods(kube, pods), SETTLE_ALLOWED_S)
    remembered: list[str] = []

    def look() -> str:
        missing, remembered[:] = _strangers(world, kube, arm.agents_per_pod)
        return "" if remembered else missing

    title = f"one pool of {pods * arm.agents_per_pod + SERVERS} members"
    until(progress, world.clock, title, look, SETTLE_ALLOWED_S)
    if remembered:
        raise Soiled(f"see {title}", f"it remembers {', '.join(remembered)}", "lab run again; lab down && lab up starts afresh")
    until(progress, world.clock, "the load balancer", lambda: _unbalanced(world, 0), SETTLE_ALLOWED_S)


def unready_nodes(kube: Kube) -> str:
    """Names of nodes whose Ready condition is not True, or ""."""
    return ", ".join(node["metadata"]["name"] for node in kube.nodes() if not _node_ready(node))


def _strangers(world: KindWorld, kube: Kube, agents_per_pod: int) -> tuple[str, list[str]]:
    """What keeps the pool from being exactly the agents of the living pods and the servers, or "", and those of its members that are gone.

    Of several agents in a pod, one that died while the pod came up is gone too, once the one that follows it is known; until then there may be more
    alive than there should be. One that is held for failed and has no follower may live: it refutes that, or its follower is heard of.
    """
    labels = {pod["metadata"]["name"]: pod["metadata"]["labels"].get(NAME_LABEL) for pod in kube.pods()}
    wanted = {pod: agents_per_pod if label == "app" else 1 for pod, label in labels.items() if label in {"app", "consul"}}
    members = world.consul().members()
    alive = Counter(pod_of(name) for name, state in members.items() if state == "alive")
    absent = sum(max(0, agents - alive[pod]) for pod, agents in wanted.items())
    newest: dict[tuple[str, int], int] = {}
    for who in map(member, members):
        newest[who.pod, who.slot] = max(who.life, newest.get((who.pod, who.slot), 0))
    followed = {name for name in members if (who := member(name)).life < newest[who.pod, who.slot]}
    foreign = {name for name, state in members.items() if pod_of(name) not in wanted or (state != "alive" and name in followed)}
    surplus = sum(max(0, alive[pod] - agents) for pod, agents in wanted.items())
    if not absent and not foreign and not surplus:
        return "", []
    text = f"{alive.total()} alive, {absent} not yet members, {len(foreign) + surplus} that should not be there"
    return text, sorted(name for name in foreign if members[name] in GONE)


def _sweep(world: KindWorld, kube: Kube, progress: Progress, arm: Arm, *, change: bool) -> None:
    """All pods new; with `change` the cluster carries the arm before they are made."""
    kube.scale("app", 0)
    _delete(kube, "app")
    until(progress, world.clock, "the old pods gone", lambda: _left(kube.pods(labelled("app"))), SETTLE_ALLOWED_S)
    world.forget_tallies()
    wanted = _core(world, arm)
    old = {_uid(pod) for name in wanted for pod in kube.pods(labelled(name))}
    if change:
        _change(world, kube, progress, arm)
    else:
        for name in wanted:
            _delete(kube, name)
    until(progress, world.clock, "a fresh core", lambda: _core_missing(kube, old, wanted), SETTLE_ALLOWED_S)


def _core(world: KindWorld, arm: Arm) -> dict[str, int]:
    """What is made anew with each run of this arm, by name, in the order of its end."""
    core = core_pods(arm)
    return {COLLECTOR: len(world.app_nodes), **core} if arm.collects else core


def core_pods(arm: Arm) -> dict[str, int]:
    """`CORE_PODS` as this arm has them."""
    wanted = {**CORE_PODS, "vault": INSTANCES[arm.vault]}
    return {name: number for name, number in wanted.items() if arm.logging or name != "kafka"}


@retry(retry=retry_if_exception_type(Unavailable), stop=stop_after_attempt(DELETE_TRIES), reraise=True)
def _delete(kube: Kube, name: str) -> None:
    """Deleting what is being deleted is no error, so a busy API server is simply asked again."""
    kube.delete_pods(labelled(name))


def _change(world: KindWorld, kube: Kube, progress: Progress, arm: Arm) -> None:
    """Have the cluster carry another arm.

    No pod is there while its template changes, else a stateful set would replace one after the other; and none is counted, else its controller makes
    as many from the template of before: seen on a busy host, where one of three Consul servers came without the key of the others.
    """

    def left() -> str:
        pods = _left([pod for name in (COLLECTOR, *CORE_PODS) for pod in kube.pods(labelled(name))])
        return pods or ", ".join(f"{name} still counts pods" for name in kube.statefulsets_counting())

    arms.note(kube, arms.UNFINISHED)  # one who is killed from here on leaves a core that no arm has
    kube.forget(COLLECTORS)  # applying another arm changes objects, and takes none away
    for name in CORE_PODS:
        kube.scale(name, 0, kind=CORE_KINDS[name])
        _delete(kube, name)
    until(progress, world.clock, "the old core gone", left, SETTLE_ALLOWED_S)
    with progress.step(f"applying the arm {arm.words or 'as the manifests stand'}"):
        settle(kube)
        world.carry(arm, kube)


def _core_missing(kube: Kube, old: set[str], wanted: Mapping[str, int]) -> str:
    pods = [pod for name in wanted for pod in kube.pods(labelled(name)) if _uid(pod) not in old and _pod_ready(pod)]
    number = sum(wanted.values())
    return "" if len(pods) == number else f"{len(pods)} of {number} pods ready"


def _missing_pods(kube: Kube, pods: int) -> str:
    found = kube.pods(labelled("app"))
    ready = sum(_pod_ready(pod) for pod in found)
    return "" if ready == pods == len(found) else f"{ready} of {pods} ready, {len(found)} there"


def _missing_agents(world: KindWorld, agents: int) -> str:
    alive = sum(state == "alive" for state in world.consul().members().values()) - SERVERS
    return "" if alive >= agents else f"{alive} of {agents} are members"


def _no_leader(world: KindWorld) -> str:
    return "" if world.consul().leader() else "no leader yet"


def _unbalanced(world: KindWorld, pods: int) -> str:
    """What keeps the balancer from serving so many pods: Consul passes an app within 10 s of its start, and the balancer follows 1 to 3 s later."""
    live = sum(world.balancer().backends().values())
    return "" if live >= pods else f"{live} of {pods} answer behind it"


def _left(pods: Sequence[Object]) -> str:
    return f"{len(pods)} left" if pods else ""


def labelled(name: str) -> str:
    """Label selector of one part of the lab."""
    return f"{NAME_LABEL}={name}"


def _uid(pod: Object) -> str:
    return str(pod["metadata"]["uid"])


def _made(pod: Object) -> datetime:
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"])


def _pod_ready(pod: Object) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and _condition(pod, "Ready") == "True"


def _node_ready(node: Object) -> bool:
    return _condition(node, "Ready") == "True"


def _condition(thing: Object, kind: str) -> str:
    return next((str(c["status"]) for c in thing.get("status", {}).get("conditions", []) if c["type"] == kind), "Unknown")
