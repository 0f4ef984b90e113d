"""The machine's own clock: the only place that reads time or sleeps."""

import time
from datetime import UTC, datetime


class SystemClock:
    """`Clock` on `time.monotonic`."""

    def now_s(self) -> float:
        """Monotonic seconds since an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep; returns at once when `seconds` is not positive."""
        if seconds > 0:
            time.sleep(seconds)

    def utc(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC)
