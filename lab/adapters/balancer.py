"""The load balancer from outside: what its users get, what it has loaded, and how often its configuration was made."""

import csv
from typing import Final

from lab.adapters import plain_http
from lab.core.errors import Unavailable

USERS_PORT: Final = 18090
LAB_PORT: Final = 18404
"""On 127.0.0.1 (kind-config.yaml)."""

CANARY: Final = ("198.19.192.90", 8090)
"""Address and port of what answers for every canary (manifests/core/canary-service.yaml); reached from the balancer, not from the host."""

_OK: Final = 200
_NOT_SERVERS: Final = ("FRONTEND", "BACKEND")


class Balancer:
    """Threads may share it: each question takes a connection of its own.

    Args:
        timeout_s: how long an answer may take to begin.
    """

    def __init__(self, *, timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s

    def page(self) -> None:
        """Have one pod, whichever, answer through the balancer, at no cost of log lines.

        Raises:
            Unavailable: no answer in time, or an error such as 503 (no backend). So do all questions here.
        """
        self._got(USERS_PORT, "/healthz")

    def serves(self, canary: str) -> bool:
        """Does this one canary answer through the balancer? False where the balancer does not know it."""
        path = f"/canary/{canary}"
        answer = plain_http.ask("GET", USERS_PORT, path, timeout_s=self._timeout_s)
        return answer.status == _OK and answer.body.decode(errors="replace").strip() == path

    def renders(self) -> int:
        """How often the configuration that is loaded now was made, since the balancer's pod began."""
        said = self._got(LAB_PORT, "/renders").strip()
        if not said.isdecimal():
            raise Unavailable("read how often the balancer was configured", f"it says {said[:40]!r}")
        return int(said)

    def backends(self) -> dict[str, bool]:
        """The loaded backends of the app, `NODE:SERVICE` as the catalog names them; True for those that answer the balancer's own checks."""
        rows = csv.DictReader(self._got(LAB_PORT, "/stats;csv").removeprefix("# ").splitlines())
        try:
            return {row["svname"]: row["status"].startswith("UP") for row in rows if row["svname"] not in _NOT_SERVERS}
        except KeyError as absent:
            raise Unavailable("read the balancer's backends", f"its table has no column {absent}") from absent

    def _got(self, port: int, path: str) -> str:
        answer = plain_http.ask("GET", port, path, timeout_s=self._timeout_s)
        if answer.status != _OK:
            raise Unavailable(f"GET {path} at the balancer", f"status {answer.status}")
        return answer.body.decode(errors="replace")
