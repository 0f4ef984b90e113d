import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

PROGRAMS = Path(__file__).parents[3] / "images" / "workload"


class Away(Exception):
    """What the fake Kafka client raises."""


class FakeKafka:
    """Takes messages; refuses the next `refusals` of them, as a broker that comes and goes would."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.refusals = 0

    def send(self, topic: str, key: bytes, value: bytes) -> Any:
        taken = not self.refusals
        self.refusals -= not taken
        if taken:
            self.taken.append(value)
        return SimpleNamespace(succeeded=lambda: taken)

    def flush(self) -> None: ...


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kafka: FakeKafka) -> Iterator[SimpleNamespace]:
    """The pod's programs, imported afresh with folders of their own and a fake Kafka client."""
    monkeypatch.syspath_prepend(str(PROGRAMS))
    for name, value in {"POD_NAME": "app-1", "NODE_NAME": "node-1", "LOG_DIR": str(tmp_path), "TALLY_DIR": str(tmp_path / "tally")}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "tally").mkdir()
    shipping = ModuleType("shipping")
    shipping.__dict__.update(KafkaError=Away, producer=lambda: kafka)
    monkeypatch.setitem(sys.modules, "shipping", shipping)
    names = ("tally", "app", "logger", "metrics")
    loaded = {name: importlib.import_module(name) for name in names}
    yield SimpleNamespace(**loaded, folder=tmp_path)
    for name in names:
        del sys.modules[name]
