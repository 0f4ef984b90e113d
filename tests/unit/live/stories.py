"""Short stories for the live view, told event by event."""

from typing import Any

from lab.core.history import Event
from lab.live.model import Light, Model, Picture
from lab.runner.load import load_experiment

CASCADE = load_experiment("cascade").model_dump(mode="json")


def event(at_s: float, kind: str, **fields: Any) -> Event:
    return Event(0, at_s, kind, None, fields)


def sample(at_s: float, series: str, target: str, value: float | None) -> Event:
    return event(at_s, "sample", series=series, target=target, value=value)


def phase(at_s: float, name: str, state: str = "begin") -> Event:
    return event(at_s, "phase", phase=name, state=state)


def fault(at_s: float, change: str, name: str = "pause-broker") -> Event:
    return event(at_s, "fault", fault=name, target="broker", change=change)


RUN = event(0, "run", experiment=CASCADE)
STORY = [
    RUN,
    phase(1, "prepare"),
    phase(21, "steady"),
    event(21, "node", node="w2", ready="True"),
    event(21, "node", node="w3", ready="True"),
    sample(22, "pods_running", "lab", 50),
    sample(22, "pods_pending", "lab", 0),
    sample(22, "agent_read_ms", "agents", 700.0),
    sample(50, "agent_read_ms", "agents", 2.0),
    sample(50, "agent_read_ms", "agents", 4.5),
    sample(50, "members_alive", "pool", 53),
    sample(50, "members_failed", "pool", 0),
    phase(61, "steady", "end"),
    phase(62, "outage"),
    fault(62, "open"),
    fault(63, "injected"),
    event(76, "node", node="w3", ready="Unknown"),
    sample(77, "agent_read_ms", "agents", 812.5),
    sample(77, "agent_read_ms", "agents", None),
    sample(77, "log_backlog_bytes_max", "pod-max", 12_345),
    sample(77, "pods_running", "lab", 41),
    sample(77, "evictions_total", "lab", 9),
    sample(77, "members_alive", "pool", 44),
    sample(77, "members_failed", "pool", 9),
]
"""20 s of preparing, the steady phase a second too long, a node lost 14 s into the outage."""

LIGHTS = [
    Light(0, "Kafka away", "fired", 64.2, None),
    Light(1, "Logs pile up, then flood", "fired", 70.0, 75.0),
    Light(3, "Nodes NotReady", "quiet", None, None),
    Light(10, "Does not calm down", "unknown", None, None),
]


def model_of(story: list[Event], lights: list[Light] | None = None) -> Model:
    model = Model()
    for each in story:
        model.see(each)
    if lights is not None:
        model.judged(lights)
    return model


def picture_of(story: list[Event], now_s: float, lights: list[Light] | None = None) -> Picture:
    return model_of(story, lights).picture(now_s)
