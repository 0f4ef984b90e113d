"""Which capabilities this host may hand on: sandboxes often withhold some, and then containers and nodes must ask for less."""

from pathlib import Path

EVERY = (1 << 41) - 1
"""All of Linux 5.9 and later: CAP_CHOWN (0) to CAP_CHECKPOINT_RESTORE (40)."""


def bounded() -> bool:
    """Does this host lack capabilities that `docker run --privileged` asks for?"""
    last = Path("/proc/sys/kernel/cap_last_cap")
    every = (1 << (int(last.read_text()) + 1)) - 1 if last.exists() else EVERY
    status = Path("/proc/self/status").read_text().splitlines()
    held = next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
    return held & every != every
