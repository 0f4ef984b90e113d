"""What the lab changes on the host, written down before it is changed, and put back by `lab down`.

Two things need root and are skipped without it: a blackhole route under the lab's address range, so that traffic for a node that is gone dies
here, and a higher inotify limit, which seven nodes with systemd would exhaust.
"""

import json
import os
from pathlib import Path
from typing import Any

from lab.adapters import shell
from lab.cluster.doctor import INOTIFY_INSTANCES_NEEDED
from lab.core import paths

BLACKHOLE = ("198.18.0.0/15", "metric", "4096")
"""RFC 2544's benchmark range; the metric is worse than any route of a living bridge."""
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")


def _record() -> Path:
    return paths.STATE / "host.json"


def prepare() -> None:
    """Make the state folder and, as root, the route and the limit. Idempotent; the old values are on disk first."""
    paths.TALLY.mkdir(parents=True, exist_ok=True)
    paths.TALLY.chmod(0o1777)
    if os.geteuid() != 0:
        return
    limit = int(_INOTIFY.read_text(encoding="ascii"))
    if not _record().exists():
        _record().write_text(json.dumps({"inotify_instances": limit}), encoding="utf-8")
    if limit < INOTIFY_INSTANCES_NEEDED:
        _INOTIFY.write_text(str(INOTIFY_INSTANCES_NEEDED), encoding="ascii")
    shell.run(["ip", "route", "replace", "blackhole", *BLACKHOLE], timeout_s=10)


def restore() -> None:
    """Put back what `prepare` changed. Idempotent."""
    if os.geteuid() != 0:
        return
    if _record().exists():
        before: dict[str, Any] = json.loads(_record().read_text(encoding="utf-8"))
        _INOTIFY.write_text(str(before["inotify_instances"]), encoding="ascii")
    if has_blackhole():
        shell.run(["ip", "route", "del", "blackhole", *BLACKHOLE], timeout_s=10)


def has_blackhole() -> bool:
    """Is the lab's route on the host?"""
    return "blackhole" in shell.attempt(["ip", "route", "show", "type", "blackhole", BLACKHOLE[0]], timeout_s=10).out
