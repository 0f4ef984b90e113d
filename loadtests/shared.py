"""What both Locust files share: settings from the environment, the raw lines, the users, and the end.

Locust's own percentiles are rounded to two digits, so each request is one line of a CSV file and percentiles are computed from that.

    LOAD_CSV            file that the raw lines are appended to
    LOAD_REQUESTS       page requests per second over all pods
    LOAD_LINES          log lines per second over all pods (flood)
    LOAD_LINES_EACH     log lines asked for by one request (flood)
    LOAD_DURATION_S     seconds until it ends by itself
    LOAD_ZERO_S         what the system's monotonic clock said when the run began; `at_s` counts from there
    LOAD_LEASH_FD       file descriptor of a pipe held by the parent: at its end, the parent is gone, and so are we
"""

import csv
import os
import time
from pathlib import Path

import gevent
from gevent.os import tp_read
from locust import FastHttpUser, LoadTestShape, constant_pacing, events, task

REQUESTS_PER_S = float(os.environ.get("LOAD_REQUESTS", "10"))
LINES_PER_S = float(os.environ.get("LOAD_LINES", "0"))
LINES_EACH = int(os.environ.get("LOAD_LINES_EACH", "200"))
"""Chosen: 20 requests a second make 4,000 lines a second; fewer and larger ones hit the pods unevenly, smaller ones cost us CPU."""
DURATION_S = float(os.environ.get("LOAD_DURATION_S", "60"))
ZERO_S = float(os.environ.get("LOAD_ZERO_S") or time.monotonic())

OPEN_UP_TO_S = 2.0
"""Chosen: the rate holds while requests take no longer than this, as each user waits for its answer; a longer one costs more users."""
TIMEOUT_S = 10.0
"""Chosen: a user's patience. Longer hides requests that never end until the run is over."""
USERS_MAX = 400
"""Chosen: a bound on memory, 400 users are 20 MB; reached at 200 requests a second."""
COLUMNS = ("at_s", "epoch_s", "profile", "name", "latency_ms", "status", "error")


def users_for(rate_per_s: float) -> int:
    """Users that keep up `rate_per_s` while a request takes `OPEN_UP_TO_S`; none for no rate."""
    return min(USERS_MAX, max(2, round(rate_per_s * OPEN_UP_TO_S))) if rate_per_s > 0 else 0


class Paced(FastHttpUser):
    """A user that asks at fixed times, on a new connection each time, so that the NodePort spreads the requests over the pods."""

    abstract = True
    connection_timeout = TIMEOUT_S
    network_timeout = TIMEOUT_S
    default_headers = {"Connection": "close"}  # noqa: RUF012 (as Locust has it)
    period_s = 1.0
    started = 0

    def on_start(self) -> None:
        """Start in turn, spread evenly over one period: users that ask at the same moment would make waves."""
        number = type(self).started
        type(self).started += 1
        gevent.sleep(number / self.fixed_count * self.period_s)


class Visitor(Paced):
    """Asks for the page."""

    fixed_count = users_for(REQUESTS_PER_S)
    period_s = fixed_count / REQUESTS_PER_S
    wait_time = constant_pacing(period_s)

    @task
    def page(self) -> None:
        """One page; each logs a few lines."""
        self.client.get("/", name="page")


class Timed(LoadTestShape):
    """All users at once, until the time is over."""

    use_common_options = False

    def tick(self) -> tuple[int, float] | None:
        """Locust asks every second; None ends the test."""
        if self.get_run_time() >= DURATION_S:
            return None
        users = sum(kind.fixed_count for kind in self.runner.user_classes)
        return users, users


def record(profile: str) -> None:
    """Write one line per request from now on, and end with the parent."""
    path = Path(os.environ["LOAD_CSV"])
    file = path.open("a", buffering=1, newline="", encoding="utf-8")
    writer = csv.writer(file)
    if path.stat().st_size == 0:
        writer.writerow(COLUMNS)

    @events.request.add_listener
    def write(name: str, response_time: float, start_time: float, response: object = None, exception: object = None, **_: object) -> None:
        at_s = time.monotonic() - response_time / 1000 - ZERO_S
        status = getattr(response, "status_code", 0) or ""
        error = f"{type(exception).__name__}: {exception}"[:200] if exception else ""
        writer.writerow((f"{at_s:.3f}", f"{start_time:.3f}", profile, name, f"{response_time:.2f}", status, error))

    @events.init.add_listener
    def hold_leash(**_: object) -> None:
        leash = os.environ.get("LOAD_LEASH_FD")
        if leash:
            gevent.spawn(_wait_for_the_parent, int(leash))


def _wait_for_the_parent(leash: int) -> None:
    tp_read(leash, 1)
    os._exit(3)
