"""The flood profile: the same visitors, and requests that make the pods log so many lines a second in all."""

from locust import constant_pacing, task
from shared import LINES_EACH, LINES_PER_S, Paced, Timed, Visitor, record, users_for

__all__ = ["Flooder", "Timed", "Visitor"]

ASKS_PER_S = LINES_PER_S / LINES_EACH


class Flooder(Paced):
    """Asks a pod to log many lines at once."""

    fixed_count = users_for(ASKS_PER_S)
    abstract = fixed_count == 0
    period_s = fixed_count / ASKS_PER_S if fixed_count else 1.0
    wait_time = constant_pacing(period_s)

    @task
    def log(self) -> None:
        """One burst of lines."""
        self.client.get(f"/log?lines={LINES_EACH}", name="log")


record("flood")
