"""The socket of `lab serve`: Python's own HTTP server, on this machine's loopback address only.

Why not a framework: there are six addresses, all read-only, asked by one person and one Prometheus. The standard library serves them
without another package in a tool whose install is on the newcomer's clock. It is not hardened for a network, so it never listens on one.
"""

import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Protocol

from lab.core.errors import Refused

HOST = "127.0.0.1"
_OWN_NAMES = {HOST, "localhost"}


class Page(Protocol):
    """What a page is to the server."""

    @property
    def status(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> bytes: ...


class LocalSite:
    """Serves what `answer` says, one request at a time, until closed.

    Args:
        answer: from `/path?query` to a page; called from one thread.
        port: on 127.0.0.1; 0 picks a free one.

    Raises:
        Refused: the port is taken.
    """

    def __init__(self, answer: Callable[[str], Page], port: int) -> None:
        lock = threading.Lock()

        def one_at_a_time(address: str) -> Page:
            with lock:
                return answer(address)

        handler = type("Handler", (_Handler,), {"answer": staticmethod(one_at_a_time)})
        try:
            self._server = _Server((HOST, port), handler)
        except OSError as error:
            raise Refused(f"listen on {HOST}:{port}", error.strerror or str(error), "name another port: lab serve --port 8322") from error

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"http://{HOST}:{self._server.server_address[1]}/"

    def serve(self) -> None:
        """Answer until `close` or Ctrl-C."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop answering and let go of the port."""
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingMixIn, HTTPServer):
    """One thread per connection, so that a browser that keeps one open does not shut out Prometheus; the pages are made one at a time."""

    daemon_threads = True
    allow_reuse_address = True


class _Handler(BaseHTTPRequestHandler):
    answer: Callable[[str], Page]
    protocol_version = "HTTP/1.1"
    timeout = 30
    """Seconds that an idle connection is kept. Chosen: two scrapes of a slow Prometheus."""

    def do_GET(self) -> None:  # the name that the server calls
        """Answer with the page and its body."""
        self._reply(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with the page's headers."""
        self._reply(with_body=False)

    def version_string(self) -> str:
        """Who answers."""
        return "cascade-lab"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that the server uses
        """Nothing: the terminal is the lab's."""

    def _reply(self, *, with_body: bool) -> None:
        if not self._is_for_us():
            self.send_error(403, "only for this machine")
            return
        page = self.answer(self.path)
        self.send_response(page.status)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if with_body:
            self.wfile.write(page.body)

    def _is_for_us(self) -> bool:
        """Another site's name that was made to point at this machine must not read the runs through a visitor's browser."""
        host = self.headers.get("Host", "")
        return host in _OWN_NAMES or host.rpartition(":")[0] in _OWN_NAMES
