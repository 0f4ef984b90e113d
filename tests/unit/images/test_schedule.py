import json
import threading
from pathlib import Path

import pytest

from lab.core.errors import LabError, Refused
from lab.images import build, golang, pull, schedule
from lab.images.parts import Part, key, remembered, stamp_path
from tests.fakes import FakeClock, FakeProgress


@pytest.fixture(autouse=True)
def cold(tmp_path, monkeypatch):
    monkeypatch.setenv("CASCADE_LAB_CACHE", str(tmp_path))


class Workshop:
    """Makes parts that remember the order they were made in."""

    def __init__(self):
        self.made = []
        self.gone = set()
        self.failing = set()

    def part(self, name, *needs, **more):
        def make(bench):
            if name in self.failing:
                raise LabError(f"make {name}", "told to fail")
            self.made.append(name)
            self.gone.discard(name)
            return {"name": name, "from": sorted(bench.made)}

        return Part(name, make, lambda _: name not in self.gone, needs, **more)


@pytest.fixture
def shop():
    return Workshop()


def make(parts):
    return schedule.make_all(parts, FakeProgress(), FakeClock())


def test_a_part_is_made_after_all_that_it_needs(shop):
    make([shop.part("image", "program", "base"), shop.part("base"), shop.part("program")])
    assert shop.made[-1] == "image"


def test_a_second_call_makes_nothing(shop):
    parts = [shop.part("base"), shop.part("image", "base")]
    assert make(parts) == make(parts)
    assert shop.made == ["base", "image"]
    assert schedule.lacking(parts) == []


def test_what_vanished_is_made_again_and_what_stands_on_it_stays_if_it_came_out_the_same(shop):
    parts = [shop.part("base"), shop.part("image", "base")]
    make(parts)
    shop.gone = {"base"}
    make(parts)
    assert shop.made == ["base", "image", "base"]


def test_a_changed_recipe_remakes_the_part_and_what_needs_it(shop, tmp_path):
    recipe = tmp_path / "Dockerfile"
    recipe.write_text("FROM a")
    parts = [shop.part("base"), shop.part("image", "base", files=(recipe,))]
    make(parts)
    recipe.write_text("FROM b")
    assert schedule.lacking(parts) == ["image"]


def test_a_failure_keeps_what_was_made_and_the_next_call_goes_on_there(shop):
    parts = [shop.part("base"), shop.part("image", "base")]
    shop.failing = {"image"}
    with pytest.raises(LabError, match="told to fail"):
        make(parts)
    shop.failing = set()
    make(parts)
    assert shop.made == ["base", "image"]


def test_an_interrupted_part_has_no_stamp(shop):
    part = shop.part("base")
    shop.failing = {"base"}
    with pytest.raises(LabError):
        make([part])
    assert not stamp_path(part).exists()


def test_a_broken_stamp_counts_as_none(shop):
    part = shop.part("base")
    make([part])
    stamp_path(part).write_text('{"key": ')
    assert remembered(part, {}) is None


def test_the_longest_road_is_begun_first(shop, monkeypatch):
    monkeypatch.setattr(schedule, "WORKERS", 1)
    short, long = shop.part("short", expect_s=5), shop.part("long", expect_s=1)
    make([short, long, shop.part("node", "long", expect_s=50)])
    assert shop.made == ["long", "node", "short"]


def test_two_parts_are_made_at_the_same_time():
    both = threading.Barrier(2, timeout=10)
    parts = [Part(name, lambda _: {"waited": both.wait() >= 0}, lambda _: True) for name in ("a", "b")]
    assert make(parts) == {"a": {"waited": True}, "b": {"waited": True}}


def test_a_second_builder_at_the_same_time_is_refused(shop):
    refused = []

    def look(_):
        with pytest.raises(Refused) as seen:
            make([shop.part("other")])
        refused.append(str(seen.value))
        return {}

    make([Part("first", look, lambda _: True)])
    assert "another process" in refused[0]


def test_the_time_of_every_part_is_kept(shop, tmp_path):
    make([shop.part("base")])
    assert json.loads((tmp_path / "logs" / "timings.json").read_text())["base"]["took_s"] == 0.0


def test_a_key_depends_on_what_the_needs_came_out_as(shop):
    part = shop.part("image", "base")
    assert key(part, {"base": {"image": "1"}}) != key(part, {"base": {"image": "2"}})


def test_a_need_that_does_not_exist_is_our_own_mistake(shop):
    with pytest.raises(AssertionError, match="wait for each other"):
        schedule.in_order([shop.part("image", "nowhere")])


def test_every_part_of_both_ways_can_be_ordered(monkeypatch):
    monkeypatch.setattr(golang, "toolchain", lambda: "go1.26.0")
    for parts in (build.parts(), pull.parts()):
        order = [part.name for part in schedule.in_order(parts)]
        assert order.index("kindest-node") < order.index("node-core") < len(order) == len(set(order))


def test_a_recipe_s_folders_are_read_whole(shop, tmp_path):
    (tmp_path / "recipe" / "deep").mkdir(parents=True)
    leaf: Path = tmp_path / "recipe" / "deep" / "file"
    leaf.write_text("1")
    part = shop.part("image", files=(tmp_path / "recipe",))
    before = key(part, {})
    leaf.write_text("2")
    assert key(part, {}) != before
