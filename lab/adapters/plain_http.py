"""One HTTP question on a connection of its own: no pool, no proxy, one time-out. For what has no client worth its CPU here (Vault, HAProxy)."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lab.core.errors import Unavailable

HOST: Final = "127.0.0.1"
_SHORT: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The body is kept out of the repr: it may hold a secret."""

    status: int
    body: bytes = field(repr=False)


def ask(method: str, port: int, path: str, *, timeout_s: float, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """Ask, and return the answer whatever its status.

    Args:
        method: GET, PUT or POST.
        port: on 127.0.0.1.
        path: with its query.
        timeout_s: from the question until the answer begins, connecting included; and for each further piece of it.
        body: sent along; named in no message.
        headers: likewise.

    Raises:
        Unavailable: no answer in time, or the connection broke.
    """
    tried = f"{method} {path} at {HOST}:{port}"
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        response, received = exchange(connection, method, path, body, {"Connection": "close", **(headers or {})}, timeout_s=timeout_s)
        return Answer(response.status, received)
    except TimeoutError as error:
        raise Unavailable(tried, f"timed out after {timeout_s:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(tried, f"{type(error).__name__}: {error}"[:_SHORT]) from error
    finally:
        connection.close()


def exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float
) -> tuple[http.client.HTTPResponse, bytes]:
    """One question and its answer on a connection, which is made if it does not stand; whether it is closed is the caller's affair.

    Args:
        connection: as its maker has set it up.
        method: GET, PUT, POST or DELETE.
        path: with its query.
        body: sent along.
        headers: likewise.
        timeout_s: from the question until the answer begins, connecting included; and for each further piece of it.

    Raises:
        OSError, http.client.HTTPException: no answer.
    """
    deadline_s = time.monotonic() + timeout_s
    if connection.sock is None:
        connection.connect()
    connection.sock.settimeout(max(0.001, deadline_s - time.monotonic()))
    connection.request(method, path, body or None, dict(headers))
    response = connection.getresponse()
    return response, response.read()
