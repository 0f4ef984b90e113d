"""What the members of the plain pool keep and send."""

from dataclasses import dataclass, field

import simpy


@dataclass
class View:
    state: str
    inc: int
    changed_s: float
    suspicion: "Suspicion | None" = None


@dataclass
class Suspicion:
    members: int
    accusers: list[int]
    timer: simpy.Process | None = None


@dataclass
class Message:
    kind: str
    subject: int
    inc: int
    accuser: int
    sent: int = 0
    number: int = 0


@dataclass
class Packet:
    kind: str
    sender: int
    serial: int = 0
    origin: int = 0
    target: int = 0
    gossip: list[Message] = field(default_factory=list)


@dataclass
class Counts:
    packets: int = 0
    false_positives: int = 0
    false_positives_healthy: int = 0
    first_failed_s: dict[int, float] = field(default_factory=dict)
    last_failed_s: dict[int, float] = field(default_factory=dict)
