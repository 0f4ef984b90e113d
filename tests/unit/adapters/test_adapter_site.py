"""The server of `lab serve`, asked over the loopback."""

import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.adapters.site import HOST, LocalSite
from lab.core.errors import Refused


@dataclass
class Told:
    status: int
    kind: str
    body: bytes


@pytest.fixture
def site() -> Iterator[LocalSite]:
    opened = LocalSite(lambda address: Told(200 if address == "/a?b=1" else 404, "text/plain", address.encode()), 0)
    thread = threading.Thread(target=opened.serve)
    thread.start()
    yield opened
    opened.close()
    thread.join(5)
    assert not thread.is_alive()


def ask(site: LocalSite, path: str, method: str = "GET", host: str | None = None) -> tuple[int, bytes, http.client.HTTPMessage]:
    port = int(site.address.rstrip("/").rpartition(":")[2])
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    connection.request(method, path, headers={"Host": host or f"{HOST}:{port}"})
    reply = connection.getresponse()
    found = reply.status, reply.read(), reply.headers
    connection.close()
    return found


def test_a_page_is_given_with_its_type_and_never_kept(site: LocalSite) -> None:
    status, body, headers = ask(site, "/a?b=1")
    assert (status, body, headers["Content-Type"], headers["Cache-Control"]) == (200, b"/a?b=1", "text/plain", "no-store")


def test_a_head_has_no_body(site: LocalSite) -> None:
    status, body, headers = ask(site, "/a?b=1", "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", "6")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_sent_to_it(site: LocalSite, method: str) -> None:
    assert ask(site, "/a?b=1", method)[0] == 501


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example"])
def test_another_name_for_this_machine_is_turned_away(site: LocalSite, host: str) -> None:
    assert ask(site, "/a?b=1", host=host)[0] == 403


@pytest.mark.parametrize("host", ["localhost:8321", "127.0.0.1:9"])
def test_its_own_names_are_let_in(site: LocalSite, host: str) -> None:
    assert ask(site, "/a?b=1", host=host)[0] == 200


def test_a_taken_port_is_refused_with_what_to_do(site: LocalSite) -> None:
    port = int(site.address.rstrip("/").rpartition(":")[2])
    with pytest.raises(Refused, match="name another port"):
        LocalSite(lambda _: Told(200, "", b""), port)


def test_it_listens_on_the_loopback_only(site: LocalSite) -> None:
    assert site.address.startswith("http://127.0.0.1:")
