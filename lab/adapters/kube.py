"""The Kubernetes API: plain objects, watches, and the few changes that the lab makes.

The kubernetes package does configuration, TLS and requests; objects stay the JSON that came, because turning each watch event into its models
costs about ten times the CPU, and the lab's own use is bounded.
"""

import base64
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import urllib3
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from kubernetes.config.config_exception import ConfigException
from pydantic import SecretStr
from yaml import YAMLError  # type: ignore[import-untyped]  # kubernetes reads its configuration with it

from lab.core.errors import Refused, Unavailable
from lab.core.paths import KUBECONFIG

Object = dict[str, Any]
_load: Any = new_client_from_config

NAMESPACE: Final = "lab"
PODS: Final = f"/api/v1/namespaces/{NAMESPACE}/pods"
NODES: Final = "/api/v1/nodes"
LEASES: Final = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
EVENTS: Final = "/api/v1/events"
NAMESPACES: Final = "/api/v1/namespaces"
_APPS: Final = f"/apis/apps/v1/namespaces/{NAMESPACE}"
DEPLOYMENTS: Final = f"{_APPS}/deployments"

_ANSWER_S: Final = 10.0
"""Time for one answer. Chosen: an API server that shares two cores with a storm was seen to take seconds; more only delays giving up."""
_WATCH_S: Final = 300
"""Length of one watch request, after which it is asked again. Chosen: well under the server's own 30 to 60 minutes; less costs a new list more often."""
_SWEEP_S: Final = 60.0
"""Time to delete a collection: the server deletes one object after the other before it answers. Chosen: 50 pods took 11 s on a busy machine."""
_SHORT: Final = 200
_SERVER_ERROR: Final = 500


def answers(server: str, timeout_s: float = 1.0) -> bool:
    """Does an API server answer there, before anybody holds its certificate? Nothing is sent but the question whether it is ready.

    Args:
        server: `https://host:port`.
        timeout_s: seconds to wait.
    """
    with urllib3.PoolManager(cert_reqs="CERT_NONE", retries=False, timeout=timeout_s) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        try:
            return pool.request("GET", f"{server}/readyz").status < _SERVER_ERROR
        except urllib3.exceptions.HTTPError:
            return False


class Gone(Unavailable):
    """The resource version is too old to watch from: list again."""


class Stream:
    """One running watch: iterate for (type, object); `close` from any thread ends the iteration."""

    def __init__(self, response: Any, tried: str) -> None:
        self._response = response
        self._tried = tried
        self._closed = False

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        """Events until the server ends the watch or `close` is called.

        Raises:
            Gone: the version watched from is no longer kept.
            Unavailable: the connection broke, or the server reports an error.
        """
        rest = b""
        try:
            for chunk in self._response.stream(65536, decode_content=False):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (self._event(line) for line in lines if line)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if not self._closed:
                raise Unavailable(self._tried, f"{type(error).__name__}: {error}"[:_SHORT]) from error
        finally:
            self._response.close()

    def close(self) -> None:
        """End the iteration; safe from another thread and more than once."""
        self._closed = True
        try:
            self._response.shutdown()
        except (ValueError, RuntimeError, OSError):
            return  # it has ended by itself already

    def _event(self, line: bytes) -> tuple[str, Object]:
        event = json.loads(line)
        if event["type"] == "ERROR":
            status = event["object"]
            kind = Gone if status.get("code") == 410 else Unavailable
            raise kind(self._tried, str(status.get("message", ""))[:_SHORT])
        return event["type"], event["object"]


class Source:
    """One collection of objects, to list and to watch.

    Args:
        kube: the API.
        path: of the collection.
        query: selectors, as the API spells them.
        from_now: leave out what exists already.
    """

    def __init__(self, kube: "Kube", path: str, query: Mapping[str, str] | None = None, *, from_now: bool = False) -> None:
        self._kube = kube
        self._path = path
        self._query = dict(query or {})
        self._from_now = from_now

    def list(self) -> tuple[list[Object], str]:
        """All objects and the version to watch from.

        Raises:
            Unavailable: the API server does not answer.
        """
        limit = {"limit": "1"} if self._from_now else {}
        found = self._kube.get(self._path, self._query | limit)
        return [] if self._from_now else found["items"], found["metadata"]["resourceVersion"]

    def watch(self, version: str) -> Stream:
        """Follow the collection from `version`.

        Raises:
            Gone: `version` is too old.
            Unavailable: the API server does not answer.
        """
        return self._kube.watch(self._path, version, self._query)


class Kube:
    """The API of one cluster, by its kubeconfig.

    Raises:
        Refused: there is no usable kubeconfig.
    """

    def __init__(self, kubeconfig: Path = KUBECONFIG) -> None:
        try:
            loaded: Any = _load(config_file=str(kubeconfig))
        except (ConfigException, YAMLError, OSError) as error:
            raise Refused(f"read the kubeconfig {kubeconfig}", str(error)[:_SHORT], "bring the cluster up: lab up") from error
        loaded.configuration.proxy = None  # the API server is on this host; a proxy of the environment does not reach it
        loaded.configuration.retries = False  # a time-out is a time-out; the default asks three times more
        self._client: Any = ApiClient(loaded.configuration)

    def get(self, path: str, query: Mapping[str, str] | None = None, *, timeout_s: float = _ANSWER_S) -> Object:
        """The object or list at `path`.

        Raises:
            Unavailable: no answer in time, or an error status. So do all calls here.
        """
        return self._call("GET", path, query or {}, timeout_s=timeout_s)

    def watch(self, path: str, version: str, query: Mapping[str, str] | None = None) -> Stream:
        """Follow `path` from resource version `version` on."""
        asked = {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": str(_WATCH_S), "resourceVersion": version, **(query or {})}
        tried = f"watch {path}"
        with _translated(tried):
            response = self._send("GET", path, asked, None, (_ANSWER_S, _WATCH_S + 30.0), None)
            if response.status >= 400:
                raise _refusal(tried, response)
            return Stream(response.response, tried)

    def nodes(self) -> list[Object]:
        """All nodes."""
        return list(self.get(NODES)["items"])

    def pods(self, selector: str = "", *, namespace: str = NAMESPACE) -> list[Object]:
        """Pods of a namespace, by a label selector."""
        return list(self.get(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": selector} if selector else None)["items"])

    def leases(self) -> list[Object]:
        """Lease of each node's kubelet."""
        return list(self.get(LEASES)["items"])

    def deployment_ready(self, name: str) -> tuple[int, int]:
        """Ready and desired replicas; the ready ones count only when the controller has seen the latest change."""
        return self._ready(f"{_APPS}/deployments/{name}", "updatedReplicas")

    def statefulset_ready(self, name: str) -> tuple[int, int]:
        """Ready and desired replicas; the ready ones count only when the controller has seen the latest change."""
        return self._ready(f"{_APPS}/statefulsets/{name}", "updatedReplicas")

    def statefulsets_counting(self) -> list[str]:
        """Stateful sets whose controller has yet to see their latest change, or still counts pods."""
        return [
            str(one["metadata"]["name"])
            for one in self.get(f"{_APPS}/statefulsets")["items"]
            if any(one.get("status", {}).get(count, 0) for count in ("replicas", "currentReplicas"))
            or one.get("status", {}).get("observedGeneration", 0) < one["metadata"]["generation"]
        ]

    def scale(self, name: str, replicas: int, *, kind: str = "deployments") -> None:
        """Ask for `replicas` pods of a deployment (or of `statefulsets`)."""
        self._call("PATCH", f"{_APPS}/{kind}/{name}/scale", {}, {"spec": {"replicas": replicas}})

    def merge(self, path: str, change: Object) -> None:
        """Change the object at `path` by a merge patch (RFC 7386): null takes a field away."""
        self._call("PATCH", path, {}, change)

    def fill_secret(self, name: str, files: Mapping[str, SecretStr]) -> None:
        """Set files of a Secret that is there. What they hold is in the request alone, and in no message."""
        encoded = {file: base64.b64encode(text.get_secret_value().encode()).decode() for file, text in files.items()}
        self._call("PATCH", f"{NAMESPACES}/{NAMESPACE}/secrets/{name}", {}, {"data": encoded})

    def delete_pod(self, name: str, *, grace_s: int = 0) -> None:
        """Delete one pod; fine when it is gone already. 0 s of grace also forgets a pod whose node does not answer."""
        try:
            self._call("DELETE", f"{PODS}/{name}", {}, {"gracePeriodSeconds": grace_s})
        except _NotFound:
            return

    def forget(self, path: str) -> None:
        """Delete the object at `path`, and in time what it has made; fine when there is none."""
        try:
            self._call("DELETE", path, {}, {"propagationPolicy": "Background"})
        except _NotFound:
            return

    def delete_pods(self, selector: str, *, grace_s: int = 0) -> None:
        """Delete all pods with these labels at once."""
        self._call("DELETE", PODS, {"labelSelector": selector}, {"gracePeriodSeconds": grace_s}, timeout_s=_SWEEP_S)

    def pods_source(self, selector: str = "app.kubernetes.io/name=app") -> Source:
        """The workload's pods."""
        return Source(self, PODS, {"labelSelector": selector})

    def nodes_source(self) -> Source:
        """All nodes."""
        return Source(self, NODES)

    def leases_source(self) -> Source:
        """The kubelets' leases."""
        return Source(self, LEASES)

    def events_source(self) -> Source:
        """Kubernetes events of all namespaces, from now on."""
        return Source(self, EVENTS, from_now=True)

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()

    def _ready(self, path: str, updated: str) -> tuple[int, int]:
        found = self.get(path)
        status, desired = found.get("status", {}), int(found["spec"].get("replicas", 1))
        if status.get("observedGeneration", 0) < found["metadata"]["generation"] or status.get(updated, 0) < desired:
            return 0, desired
        return int(status.get("readyReplicas", 0)), desired

    def _call(self, method: str, path: str, query: Mapping[str, str], body: Object | None = None, timeout_s: float = _ANSWER_S) -> Object:
        tried = f"{method} {path}"
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        with _translated(tried):
            response = self._send(method, path, query, body, timeout_s, kind)
            raw = response.read()
            if response.status >= 400:
                raise _refusal(tried, response)
            found: Object = json.loads(raw)
            return found

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Object | None,
        timeout_s: float | tuple[float, float],
        kind: str | None,
    ) -> Any:
        headers = {"Accept": "application/json"} | ({"Content-Type": kind} if kind and body is not None else {})
        request = self._client.param_serialize(
            method, path, query_params=list(query.items()), header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        return self._client.call_api(*request, _request_timeout=timeout_s)


class _NotFound(Unavailable):
    """Status 404."""


def _refusal(tried: str, response: Any) -> Unavailable:
    kinds: dict[int, type[Unavailable]] = {404: _NotFound, 410: Gone}
    return kinds.get(response.status, Unavailable)(tried, f"{response.status} {response.read()[:_SHORT].decode(errors='replace')}")


@contextmanager
def _translated(tried: str) -> Iterator[None]:
    try:
        yield
    except urllib3.exceptions.TimeoutError as error:
        raise Unavailable(f"{tried} of the Kubernetes API", "timed out") from error
    except (ApiException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise Unavailable(f"{tried} of the Kubernetes API", f"{type(error).__name__}: {error}"[:_SHORT]) from error
