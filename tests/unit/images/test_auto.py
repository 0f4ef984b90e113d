import json

import pytest

from lab.adapters import shell
from lab.core.errors import LabError
from lab.images import auto, containers, golang, state
from lab.images.table import IMAGES, ON_REQUEST
from tests.fakes import FakeProgress


@pytest.fixture(autouse=True)
def quiet(tmp_path, monkeypatch):
    monkeypatch.setenv("CASCADE_LAB_CACHE", str(tmp_path))
    monkeypatch.setattr(golang, "prepare", lambda progress: None)
    monkeypatch.setattr(auto, "build_parts", lambda: "build")
    monkeypatch.setattr(auto, "pull_parts", lambda registry: "pull")


@pytest.mark.parametrize(
    ("complete", "answers", "used"),
    [
        ({"build"}, True, "build"),
        ({"pull"}, False, "pull"),
        ({"build", "pull"}, True, "build"),
        (set(), True, "pull"),
        (set(), False, "build"),
    ],
)
def test_a_complete_set_is_kept_else_the_registry_decides(monkeypatch, complete, answers, used):
    monkeypatch.setattr(auto, "lacking", lambda parts: [] if parts in complete else ["node-app"])
    monkeypatch.setattr(auto.registries, "answers", lambda image, timeout_s: answers)
    assert auto.choose(FakeProgress()) == used


def test_a_stated_registry_is_the_one_that_is_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(auto, "lacking", lambda parts: ["node-app"])
    monkeypatch.setattr(auto.registries, "answers", lambda image, timeout_s: asked.append((image, timeout_s)))
    auto.choose(FakeProgress(), "127.0.0.1:5000")
    assert asked == [("127.0.0.1:5000/python:3.11-slim-bookworm", auto.ASK_S_MAX)]


def test_where_an_image_is_from_is_told_by_its_stamp(tmp_path, monkeypatch):
    (tmp_path / "stamps").mkdir()
    for stamp, image in (("consul", "sha256:1"), ("pull-kafka", "sha256:2")):
        (tmp_path / "stamps" / f"{stamp}.json").write_text(json.dumps({"key": "", "made": {"image": image}}))
    (tmp_path / "stamps" / "vault.json").write_text("{")
    here = {"consul:1.2.2": "sha256:1", "apache/kafka:4.3.1": "sha256:2", "vault:1.1.2": "sha256:3"}
    monkeypatch.setattr(containers, "image_ids", lambda: here)
    rows = {row.image.part: (row.present, row.source) for row in state.status()}
    assert rows["consul"] == (True, "built")
    assert rows["kafka"] == (True, "pulled")
    assert rows["vault"] == (True, "unknown")
    assert rows["haproxy"] == (False, "")
    assert len(rows) == len(IMAGES) + len(ON_REQUEST)


@pytest.mark.parametrize(("said", "minor"), [("go1.26.3", 26), ("go1.9", 9), ("devel +abc", 0)])
def test_a_toolchain_s_version_is_read(monkeypatch, said, minor):
    monkeypatch.setattr(shell, "attempt", lambda argv, **_: shell.Ran(0, said, "", 0.0))
    assert golang._minor("go") == minor


def test_go_never_fetches_a_toolchain_or_links_c():
    env = golang.environment()
    assert (env["GOTOOLCHAIN"], env["CGO_ENABLED"]) == ("local", "0")


def test_a_wheel_without_go_is_told(tmp_path):
    with pytest.raises(LabError, match="no bin/go below"):
        golang._inside(tmp_path)
