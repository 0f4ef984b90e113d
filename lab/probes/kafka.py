"""Link 0 and 1: does the broker answer, and how fast do lines arrive."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lab.core.clock import Clock
from lab.core.errors import Unavailable
from lab.core.protocols import Reading
from lab.probes.ask import Paced, Rate, reason, timed

TOPIC = "logs"


class Broker(Protocol):
    """The broker, one question at a time."""

    def check(self, timeout_s: float) -> None: ...
    def end_offset(self, topic: str, timeout_s: float) -> int: ...


@dataclass(slots=True)
class KafkaProbe:
    """Time of a metadata request, end offset of `logs`, and its growth per second.

    A frozen broker still accepts connections, so only an answer counts. One request at a time: the connection is kept, and another is made when it breaks.

    Args:
        interval_s: chosen: the outage and the flood last tens of seconds, so 1 s shows their edges; less costs CPU.
        timeout_s: chosen: a healthy broker answers within 10 ms, one on a starved core node was seen to take 1.7 s. Just under two intervals, so
            that a frozen one is asked again every 2 s. Higher hides a freeze longer.
    """

    broker: Broker
    clock: Clock
    interval_s: float = 1.0
    timeout_s: float = 1.8
    name: str = "kafka"
    _paced: Paced = field(init=False)
    _shipped: Rate = field(init=False)

    def __post_init__(self) -> None:
        self._paced = Paced(1, self.interval_s * 0.8)
        self._shipped = Rate(self.clock, self.interval_s / 2)

    def sample(self) -> Sequence[Reading]:
        """`kafka_answer_ms`, `kafka_end_offset`, `shipped_lines_per_s`."""
        return self._paced.ask(self._ask, self.name)

    def _ask(self) -> Sequence[Reading]:
        begun_s = self.clock.now_s()
        answer = timed(self.clock, "kafka_answer_ms", "broker", lambda: self.broker.check(self.timeout_s))
        left_s = self.timeout_s - (self.clock.now_s() - begun_s)
        if answer.value is None or left_s <= 0:
            return [answer, *self._unknown(answer.reason or "no time left")]
        try:
            end = self.broker.end_offset(TOPIC, left_s)
        except Unavailable as error:
            return [answer, *self._unknown(reason(error))]
        rate = self._shipped.of(end)
        growth = [] if rate is None else [Reading("shipped_lines_per_s", TOPIC, round(rate, 1))]
        return [answer, Reading("kafka_end_offset", TOPIC, float(end)), *growth]

    def _unknown(self, why: str) -> list[Reading]:
        return [Reading("kafka_end_offset", TOPIC, None, why), Reading("shipped_lines_per_s", TOPIC, None, why)]
