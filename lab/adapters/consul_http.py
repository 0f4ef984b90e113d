"""The transport under py-consul: one plain connection, one time-out, no pool, no proxy.

py-consul's own transport (requests) costs 1.9 ms of CPU a question on 2 shared cores; this one 0.3 ms. Probes ask several times a second and
the lab may use 5 % of a core in all, so it matters.
"""

import http.client
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from consul import base

from lab.adapters import plain_http

Headers = Mapping[str, str] | None
Callback = Callable[[base.Response], Any]
Params = Sequence[tuple[str, Any]] | None


class PlainHttp(base.HTTPClient):
    """Asks over `http.client`.

    Args:
        host: where to ask.
        port: where to ask.
        timeout_s: from the question until the answer begins, connecting included; and for each further piece of it.
        keep: keep the connection open; then it serves one thread at a time. Without it each question makes and closes its own.
    """

    def __init__(self, host: str, port: int, timeout_s: float, *, keep: bool) -> None:
        super().__init__(host, port)
        self._timeout_s = timeout_s
        self._keep = keep
        self._kept: http.client.HTTPConnection | None = None

    def get(self, callback: Callback, path: str, params: Params = None, headers: Headers = None, raw: bool = False) -> Any:
        """GET; `raw` leaves the body as bytes."""
        return callback(self._request("GET", path, params, b"", headers, raw=raw))

    def put(self, callback: Callback, path: str, params: Params = None, data: str | bytes = "", headers: Headers = None) -> Any:
        """PUT `data`."""
        return callback(self._request("PUT", path, params, data, headers))

    def post(self, callback: Callback, path: str, params: Params = None, data: str | bytes = "", headers: Headers = None) -> Any:
        """POST `data`."""
        return callback(self._request("POST", path, params, data, headers))

    def delete(self, callback: Callback, path: str, params: Params = None, data: str | bytes = "", headers: Headers = None) -> Any:
        """DELETE."""
        return callback(self._request("DELETE", path, params, data, headers))

    def close(self) -> None:
        """Drop the kept connection, if there is one."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _request(self, method: str, path: str, params: Params, sent: str | bytes, headers: Headers, *, raw: bool = False) -> base.Response:
        target = self.uri(path, list(params or ()))[len(self.base_uri) :]
        body = sent.encode() if isinstance(sent, str) else sent
        kept, self._kept = self._kept, None
        if kept is not None:
            try:
                return self._exchange(kept, method, target, body, headers, raw=raw)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                kept.close()  # closed while nobody asked: not an answer, so ask again on a new one
        fresh = http.client.HTTPConnection(self.host, self.port, timeout=self._timeout_s)
        return self._exchange(fresh, method, target, body, headers, raw=raw)

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, target: str, body: bytes, headers: Headers, *, raw: bool
    ) -> base.Response:
        try:
            response, received = plain_http.exchange(connection, method, target, body, headers or {}, timeout_s=self._timeout_s)
        except BaseException:
            connection.close()
            raise
        if self._keep and not response.will_close:
            self._kept = connection
        else:
            connection.close()
        return base.Response(response.status, response.headers, received if raw else received.decode())
