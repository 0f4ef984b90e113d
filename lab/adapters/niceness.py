"""How soon the kernel lets this process, and the programs that it starts, have the CPU."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_niceness(niceness: int) -> Iterator[None]:
    """Run a block at `niceness` (-20 first, 19 last), and go on as before after it. Without root, who alone may go first again, nothing changes."""
    if os.geteuid() != 0:
        yield
        return
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)
