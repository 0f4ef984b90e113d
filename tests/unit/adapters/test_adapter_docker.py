"""The engine's client against a small engine on loopback."""

import json
import threading

import pytest
from adapter_fakes import web

from lab.adapters.docker import NEIGHBOUR, Docker, Ran
from lab.adapters.host import CpuCounters
from lab.core.errors import Refused, Unavailable

API = "/v1.41"


def container(name, role="worker", state="running", mounts=(), network="lab"):
    labels = {"io.x-k8s.kind.cluster": "cascade-lab", "io.x-k8s.kind.role": role}
    networks = {"Networks": {network: {"IPAddress": "198.18.1.2"}}}
    common = {"Labels": labels, "State": state, "Image": "node:1", "Mounts": list(mounts), "NetworkSettings": networks}
    return {"Id": f"id-{name}", "Names": [f"/{name}"], **common}


@pytest.fixture
def engine():
    with web() as state:
        state.routes |= {
            "GET /version": (200, {"ApiVersion": "1.41", "Version": "20.10"}),
            f"GET {API}/version": (200, {"ApiVersion": "1.41", "Version": "20.10"}),
        }
        yield state


@pytest.fixture
def docker(engine):
    docker = Docker(f"tcp://127.0.0.1:{engine.port}")
    yield docker
    docker.close()


def inspected(engine, **found):
    engine.routes[f"GET {API}/containers/n1/json"] = (200, found)


def test_nodes_are_the_clusters_containers_by_name(engine, docker):
    engine.routes[f"GET {API}/containers/json"] = (200, [container("n2", state="exited"), container("n1", "control-plane")])
    assert [(node.name, node.id, node.role, node.state) for node in docker.nodes()] == [
        ("n1", "id-n1", "control-plane", "running"),
        ("n2", "id-n2", "worker", "exited"),
    ]
    assert json.loads(engine.asked[-1][2]["filters"]) == {"label": ["io.x-k8s.kind.cluster=cascade-lab"]}


def test_a_cluster_of_the_same_name_on_another_network_is_not_the_labs(engine, docker):
    engine.routes[f"GET {API}/containers/json"] = (200, [container("n1"), container("n2", network="kind")])
    assert [node.name for node in docker.nodes()] == ["n1"]
    assert [node.name for node in docker.strangers()] == ["n2"]
    assert docker.addresses() == {"n1": "198.18.1.2"}


def test_the_neighbours_nodes_are_asked_for_by_its_name(engine, docker):
    engine.routes[f"GET {API}/containers/json"] = (200, [container("n1")])
    assert [node.name for node in docker.nodes(NEIGHBOUR)] == ["n1"]
    assert json.loads(engine.asked[-1][2]["filters"]) == {"label": ["io.x-k8s.kind.cluster=cascade-lab-neighbour"]}


@pytest.mark.parametrize(("cores", "quota"), [(0.25, 25_000), (2, 200_000), (0, -1)])
def test_a_cap_is_a_quota_of_the_kernels_period(engine, docker, cores, quota):
    engine.routes[f"POST {API}/containers/n1/update"] = (200, {})
    docker.cap("n1", cores)
    assert json.loads(engine.bodies[-1]) == {"CpuPeriod": 100_000, "CpuQuota": quota}


def test_a_weight_is_set_as_it_is(engine, docker):
    engine.routes[f"POST {API}/containers/n1/update"] = (200, {})
    docker.weigh("n1", 8192)
    assert json.loads(engine.bodies[-1]) == {"CpuShares": 8192}


@pytest.mark.parametrize(
    ("host", "cores"),
    [
        ({"CpuQuota": 25_000, "CpuPeriod": 100_000}, 0.25),
        ({"CpuQuota": 25_000, "CpuPeriod": 0}, 0.25),
        ({"NanoCpus": 500_000_000}, 0.5),
        ({"CpuQuota": -1, "CpuPeriod": 100_000}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_cap_that_holds_is_read_back(engine, docker, host, cores):
    inspected(engine, HostConfig=host)
    assert docker.cap_of("n1") == cores


def exec_routes(engine, start, code=0):
    engine.routes |= {
        f"POST {API}/containers/n1/exec": (201, {"Id": "e1"}),
        f"POST {API}/exec/e1/start": start,
        f"GET {API}/exec/e1/json": (200, {"ExitCode": code}),
    }


def frame(text):
    return b"\x01\0\0\0" + len(text).to_bytes(4, "big") + text


def streamed(text):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/vnd.docker.raw-stream")
        handler.end_headers()
        threading.Event().wait(0.05)  # docker-py loses what comes in one packet with the headers; an engine starts a program in between
        handler.wfile.write(frame(text))
        handler.close_connection = True

    return answer


def test_a_program_is_run_in_a_node_with_its_own_end(engine, docker):
    exec_routes(engine, streamed(b"v1.6\n"), code=3)
    assert docker.run("n1", ["ctr", "version"], timeout_s=10) == Ran(3, "v1.6\n")
    created = next(json.loads(body) for body in engine.bodies if b"ctr" in body)
    assert created["Cmd"] == ["timeout", "-s", "KILL", "10", "ctr", "version"]


def test_a_program_that_does_not_end_is_given_up(engine, docker):
    release = threading.Event()
    exec_routes(engine, lambda _: release.wait(5))
    with pytest.raises(Unavailable) as failure:
        docker.run("n1", ["ctr", "version"], timeout_s=0.2)
    release.set()
    assert failure.value.came_back == "timed out after 0.2 s"


def test_a_program_that_was_killed_for_its_time_is_a_time_out_too(engine, docker):
    exec_routes(engine, streamed(b""), code=137)
    with pytest.raises(Unavailable, match="timed out after 10 s"):
        docker.run("n1", ["ctr", "version"], timeout_s=10)


@pytest.mark.parametrize(("state", "pauses", "unpauses"), [("running", 1, 0), ("paused", 0, 1)])
def test_pausing_twice_is_pausing_once(engine, docker, state, pauses, unpauses):
    inspected(engine, State={"Status": state, "Pid": 4711})
    engine.routes |= {f"POST {API}/containers/n1/{verb}": (204, b"") for verb in ("pause", "unpause")}
    docker.pause("n1")
    docker.unpause("n1")
    asked = [path.rsplit("/", 1)[1] for method, path, _ in engine.asked if method == "POST"]
    assert (asked.count("pause"), asked.count("unpause")) == (pauses, unpauses)
    assert docker.pid("n1") == 4711


def test_the_use_of_a_container_comes_from_its_control_group(engine, docker, monkeypatch):
    inspected(engine, Id="id-n1", State={"Status": "running", "Pid": 4711})
    asked = []

    class Group:
        def __init__(self, container_id, pid):
            asked.append((container_id, pid))

        def read(self):
            return CpuCounters(2.5, 9, 4)

    monkeypatch.setattr("lab.adapters.docker.Cgroup", Group)
    assert docker.used_s("n1") == 2.5
    assert asked == [("id-n1", 4711)]


def test_what_is_left_is_named(engine, docker):
    mounts = [{"Type": "volume", "Name": "v1"}, {"Type": "bind"}]
    engine.routes |= {
        f"GET {API}/containers/json": (200, [container("n1", mounts=mounts)]),
        f"GET {API}/networks": (200, [{"Name": "lab"}, {"Name": "laboratory"}]),
        f"GET {API}/volumes": (200, {"Volumes": None}),
    }
    assert docker.leftovers() == ["container n1", "network lab", "volume v1"]


def test_a_container_that_is_not_there_is_unavailable(docker):
    with pytest.raises(Unavailable, match="not there"):
        docker.inspect("n1")


def test_without_an_engine_the_next_step_is_said():
    with web() as gone:
        port = gone.port
    with pytest.raises(Refused, match="lab doctor"):
        Docker(f"tcp://127.0.0.1:{port}")
