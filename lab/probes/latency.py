"""How long one kind of request takes, asked at a steady pace."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lab.core.clock import Clock
from lab.core.protocols import Reading
from lab.probes.ask import Paced, timed


@dataclass(slots=True)
class Latency:
    """Milliseconds of one kind of request.

    Args:
        series: such as `consul_read_ms`.
        target: who is asked, such as `servers`.
        call: makes one request; has its own time-out of `timeout_s`, and may be called from several threads at once if `most` is over 1.
        interval_s: pause between two requests.
        timeout_s: how long a request may take.
        most: requests under way at once; chosen as time-out over interval, so that the pace holds even if all hang.
    """

    series: str
    target: str
    call: Callable[[], object]
    clock: Clock
    interval_s: float
    timeout_s: float
    most: int
    _paced: Paced = field(init=False)

    def __post_init__(self) -> None:
        self._paced = Paced(self.most, self.interval_s * 0.8)

    @property
    def name(self) -> str:
        """The series says it."""
        return self.series

    def sample(self) -> Sequence[Reading]:
        """The requests that ended since the last call."""
        return self._paced.ask(self._ask, self.series)

    def _ask(self) -> Sequence[Reading]:
        return [timed(self.clock, self.series, self.target, self.call)]
