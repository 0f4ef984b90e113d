"""Small servers on loopback that answer what they are told."""

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Web:
    """A web server. `routes` maps "METHOD path" to a (status, object), to raw bytes, or to a callable of the handler."""

    routes: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    bodies: list = field(default_factory=list)
    connections: int = 0
    port: int = 0


@contextmanager
def web():
    state = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    server.block_on_close = False
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            state.connections += 1
            super().setup()

        def answer(self):
            parts = urlsplit(self.path)
            state.asked.append(
                (self.command, parts.path, {name: found[0] for name, found in parse_qs(parts.query, keep_blank_values=True).items()})
            )
            state.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            route = state.routes.get(f"{self.command} {parts.path}", (404, {"message": "no such thing"}))
            if callable(route):
                route(self)
            else:
                self.give(*route) if isinstance(route, tuple) else self.give(200, route)

        def give(self, status, found):
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Consul-Index", "1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  the names that http.server looks for

        def log_message(self, *_):
            pass

    return Handler
