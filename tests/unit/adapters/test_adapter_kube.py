"""The Kubernetes client against a server that lists, watches, refuses and hangs."""

import json
import threading

import pytest
from adapter_fakes import web
from pydantic import SecretStr

from lab.adapters.kube import EVENTS, LEASES, NODES, PODS, Gone, Kube, answers
from lab.core.errors import Refused, Unavailable

APPS = "/apis/apps/v1/namespaces/lab"


@pytest.fixture
def server():
    with web() as state:
        yield state


@pytest.fixture
def kube(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "clusters": [{"name": "lab", "cluster": {"server": f"http://127.0.0.1:{server.port}"}}],
        "users": [{"name": "lab", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    kube = Kube(tmp_path / "kubeconfig")
    yield kube
    kube.close()


def listed(*names):
    return {"metadata": {"resourceVersion": "10"}, "items": [{"metadata": {"name": name}} for name in names]}


def streaming(*lines, hold=None):
    """A watch that sends these lines in two pieces each and then ends, or waits for `hold`."""

    def stream(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        raw = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        for piece in (raw[:20], raw[20:]):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if hold is not None:
            hold.wait(10)
        handler.wfile.write(b"0\r\n\r\n")

    return stream


def event(kind, name, **more):
    return {"type": kind, "object": {"metadata": {"name": name}} | more}


def test_collections_are_listed_as_plain_objects(server, kube):
    server.routes |= {f"GET {path}": (200, listed("a")) for path in (NODES, PODS, LEASES)}
    assert [each["metadata"]["name"] for each in (*kube.nodes(), *kube.pods("app=app"), *kube.leases())] == ["a"] * 3
    assert server.asked[1] == ("GET", PODS, {"labelSelector": "app=app"})


def test_a_source_lists_and_then_watches_from_there(server, kube):
    source = kube.pods_source()
    server.routes[f"GET {PODS}"] = (200, listed("a"))
    objects, version = source.list()
    server.routes[f"GET {PODS}"] = streaming(event("ADDED", "b"), event("DELETED", "a"))
    seen = [(kind, found["metadata"]["name"]) for kind, found in source.watch(version)]
    assert ([each["metadata"]["name"] for each in objects], seen) == (["a"], [("ADDED", "b"), ("DELETED", "a")])
    asked = server.asked[-1][2]
    assert (asked["watch"], asked["resourceVersion"], asked["labelSelector"]) == ("1", "10", "app.kubernetes.io/name=app")


def test_events_begin_now(server, kube):
    server.routes[f"GET {EVENTS}"] = (200, listed("old"))
    assert kube.events_source().list() == ([], "10")
    assert server.asked[-1][2] == {"limit": "1"}


def test_closing_a_watch_from_another_thread_ends_it(server, kube):
    hold = threading.Event()
    server.routes[f"GET {NODES}"] = streaming(event("ADDED", "a"), hold=hold)
    stream = kube.nodes_source().watch("1")
    for _, found in stream:
        assert found["metadata"]["name"] == "a"
        threading.Thread(target=stream.close).start()
    stream.close()
    hold.set()


def test_a_version_that_is_too_old_is_gone(server, kube):
    server.routes[f"GET {NODES}"] = (410, {"message": "too old"})
    with pytest.raises(Gone):
        kube.nodes_source().watch("1")
    server.routes[f"GET {NODES}"] = streaming({"type": "ERROR", "object": {"code": 410, "message": "too old"}})
    with pytest.raises(Gone, match="too old"):
        list(kube.nodes_source().watch("1"))


def test_a_watch_cut_in_the_middle_is_unavailable(server, kube):
    def cut(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"40\r\n{")
        handler.close_connection = True

    server.routes[f"GET {NODES}"] = cut
    with pytest.raises(Unavailable, match="watch /api/v1/nodes"):
        list(kube.nodes_source().watch("1"))


@pytest.mark.parametrize(
    ("status", "generation", "ready"),
    [
        ({"observedGeneration": 2, "updatedReplicas": 3, "readyReplicas": 2}, 2, (2, 3)),
        ({"observedGeneration": 1, "updatedReplicas": 3, "readyReplicas": 3}, 2, (0, 3)),
        ({"observedGeneration": 2, "updatedReplicas": 1, "readyReplicas": 3}, 2, (0, 3)),
        ({}, 1, (0, 3)),
    ],
)
def test_ready_replicas_count_once_the_latest_change_was_rolled_out(server, kube, status, generation, ready):
    found = {"metadata": {"generation": generation}, "spec": {"replicas": 3}, "status": status}
    server.routes |= {f"GET {APPS}/deployments/app": (200, found), f"GET {APPS}/statefulsets/consul": (200, found)}
    assert kube.deployment_ready("app") == ready
    assert kube.statefulset_ready("consul") == ready


def test_stateful_sets_that_still_count_pods_or_have_not_seen_their_change_are_named(server, kube):
    def one(name, generation, **status):
        return {"metadata": {"name": name, "generation": generation}, "status": status}

    listed = [
        one("gone", 2, observedGeneration=2, replicas=0),
        one("unseen", 3, observedGeneration=2),
        one("left", 1, observedGeneration=1, replicas=1),
    ]
    listed.append(one("current", 1, observedGeneration=1, replicas=0, currentReplicas=2))
    server.routes[f"GET {APPS}/statefulsets"] = (200, {"items": listed})
    assert kube.statefulsets_counting() == ["unseen", "left", "current"]


def test_scaling_sends_a_patch_of_the_scale(server, kube):
    server.routes[f"PATCH {APPS}/deployments/app/scale"] = (200, {})
    kube.scale("app", 60)
    assert json.loads(server.bodies[-1]) == {"spec": {"replicas": 60}}


def test_a_change_is_a_merge_patch_of_the_object(server, kube):
    server.routes[f"PATCH {APPS}/deployments/app"] = (200, {})
    kube.merge(f"{APPS}/deployments/app", {"spec": {"paused": None}})
    assert json.loads(server.bodies[-1]) == {"spec": {"paused": None}}


def test_a_secret_is_filled_by_the_request_s_body_alone_and_no_message_holds_it(server, kube):
    path = "/api/v1/namespaces/lab/secrets/gossip"
    server.routes[f"PATCH {path}"] = (200, {})
    kube.fill_secret("gossip", {"gossip.json": SecretStr("precious")})
    assert json.loads(server.bodies[-1]) == {"data": {"gossip.json": "cHJlY2lvdXM="}}
    server.routes[f"PATCH {path}"] = (500, {"message": "no"})
    with pytest.raises(Unavailable) as caught:
        kube.fill_secret("gossip", {"gossip.json": SecretStr("precious")})
    assert not [word for word in ("precious", "cHJl") if word in f"{caught.value} {caught.value!r} {server.asked}"]


def test_pods_are_deleted_at_once_and_a_pod_that_is_gone_is_fine(server, kube):
    server.routes |= {f"DELETE {PODS}/a": (200, {}), f"DELETE {PODS}": (200, {})}
    kube.delete_pod("a")
    kube.delete_pods("app=app")
    kube.delete_pod("gone")
    assert json.loads(server.bodies[0]) == {"gracePeriodSeconds": 0}
    assert server.asked[1] == ("DELETE", PODS, {"labelSelector": "app=app"})


def test_an_object_is_forgotten_with_what_it_made_and_one_that_is_not_there_is_fine(server, kube):
    place = "/apis/apps/v1/namespaces/lab/daemonsets/collector"
    kube.forget(place)
    server.routes[f"DELETE {place}"] = (200, {})
    kube.forget(place)
    assert [asked[:2] for asked in server.asked] == [("DELETE", place)] * 2
    assert json.loads(server.bodies[-1]) == {"propagationPolicy": "Background"}


def test_an_error_status_is_unavailable_with_what_came_back(server, kube):
    server.routes[f"GET {NODES}"] = (503, {"message": "starting"})
    with pytest.raises(Unavailable, match=r"503 .*starting"):
        kube.nodes()


def test_a_server_that_hangs_is_asked_once_and_given_up(server, kube):
    release = threading.Event()
    server.routes[f"GET {NODES}"] = lambda _: release.wait(5)
    with pytest.raises(Unavailable, match="timed out"):
        kube.get(NODES, timeout_s=0.2)
    release.set()
    assert len(server.asked) == 1


@pytest.mark.parametrize("text", [None, "not: [a kubeconfig"])
def test_without_a_usable_kubeconfig_the_next_step_is_said(tmp_path, text):
    if text:
        (tmp_path / "kubeconfig").write_text(text)
    with pytest.raises(Refused, match="lab up"):
        Kube(tmp_path / "kubeconfig")


def test_an_api_server_answers_when_it_says_anything_but_an_error_of_its_own():
    with web() as server:
        place = f"http://127.0.0.1:{server.port}"
        server.routes["GET /readyz"] = (200, {})
        assert answers(place)
        server.routes["GET /readyz"] = (401, {})
        assert answers(place)
        server.routes["GET /readyz"] = (503, {})
        assert not answers(place)
    assert not answers(place)
