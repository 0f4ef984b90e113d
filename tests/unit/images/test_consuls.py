"""Other versions of Consul: pinned, built alone, and never part of what everybody builds."""

import re
from typing import get_args

import pytest

from lab.adapters import shell
from lab.core.consul import DEFAULT_VERSION, ConsulVersion
from lab.core.errors import LabError
from lab.core.paths import project
from lab.images import build, golang, linked, schedule, versions
from lab.images.table import IMAGES, ON_REQUEST, by_part

OTHERS = [version for version in versions.CONSUL_RECIPES if version != versions.CONSUL]
TOLD = (
    "/bin/consul: go1.26.8\n"
    "\tpath\tgithub.com/hashicorp/consul\n"
    "\tmod\tgithub.com/hashicorp/consul\tv1.2.2\th1:C5Fu=\n"
    "\tdep\tgithub.com/hashicorp/memberlist\tv0.1.1-0.20171117043418-9bdd37bfb26b\th1:fOWn=\n"
    "\tdep\tgithub.com/hashicorp/raft\tv1.0.0\n"
    "\t=>\tgithub.com/elsewhere/raft\tv1.0.1\th1:htBV=\n"
    "\tdep\tgithub.com/hashicorp/raft-boltdb\tv0.0.0-20150201200839-d1e82c1ec3f1\th1:LHTr=\n"
    "\tdep\tgithub.com/hashicorp/serf\tv0.8.2-0.20180504200640-4b67f2c2b2bb\th1:Jp3R=\n"
)


@pytest.fixture(autouse=True)
def no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("CASCADE_LAB_CACHE", str(tmp_path))
    monkeypatch.setattr(golang, "toolchain", lambda: "go1.26.0")


def pins(version):
    text = (project() / "images" / versions.CONSUL_RECIPES[version] / "go.mod").read_text()
    return dict(re.findall(r"^\tgithub\.com/hashicorp/(\S+) (v\S+)", text, re.MULTILINE))


def test_what_an_experiment_may_ask_for_is_what_there_is():
    assert set(get_args(ConsulVersion)) == set(versions.CONSUL_RECIPES)
    assert DEFAULT_VERSION == versions.CONSUL


@pytest.mark.parametrize("version", versions.CONSUL_RECIPES)
def test_the_pins_are_those_of_the_release(version):
    assert pins(version)["consul"] == f"v{version.removesuffix('-newgossip')}"


def test_the_arm_between_1_2_2_and_1_2_3_has_the_one_s_consul_and_the_other_s_gossip():
    between, old, new = (pins(version) for version in ("1.2.2-newgossip", "1.2.2", "1.2.3"))
    assert {name for name in old if between[name] != old[name]} == {"memberlist", "serf"}
    assert (between["memberlist"], between["serf"]) == (new["memberlist"], new["serf"])


def test_nothing_that_everybody_builds_needs_another_consul():
    names = {part.name for part in build.parts()}
    assert not [name for name in names if any(versions.CONSUL_RECIPES[version] in name for version in OTHERS)]
    assert not {image.tag for image in IMAGES} & {image.tag for image in ON_REQUEST}


@pytest.mark.parametrize("version", OTHERS)
def test_one_version_is_built_from_nothing_with_its_own_program_and_tag(version):
    recipe = versions.CONSUL_RECIPES[version]
    parts = schedule.in_order(build.consul_parts(version))
    assert [part.name for part in parts] == ["debian", f"go-{recipe}", recipe]
    assert by_part(recipe).tag == f"consul:{version}"
    assert parts[2].needs == ("debian", f"go-{recipe}")
    stamped = any(f"GitDescribe={version}" in word for word in parts[1].settings)
    assert stamped == version.startswith("1.2.")


def test_the_default_version_is_left_to_the_whole_set(monkeypatch):
    monkeypatch.setattr(golang, "prepare", lambda progress: pytest.fail("nothing is to be built"))
    assert build.build_consul(None, versions.CONSUL) == {}


def test_what_is_linked_is_told_in_one_line_and_a_replaced_module_by_its_replacement():
    said = (
        "consul v1.2.2, memberlist v0.1.1-0.20171117043418-9bdd37bfb26b, serf v0.8.2-0.20180504200640-4b67f2c2b2bb, raft v1.0.1, go1.26.8"
    )
    assert linked.sentence(TOLD) == said


def test_a_program_that_does_not_tell_is_an_error():
    with pytest.raises(ValueError, match="and no more"):
        linked.sentence(TOLD.replace("/serf", "/surf"))


def test_an_image_s_label_is_read_back_and_a_pulled_one_has_none(monkeypatch):
    monkeypatch.setattr(shell, "run", lambda argv, **_: '{"cascade-lab.linked": "consul v1.2.2"}')
    assert linked.of_image("consul:1.2.2") == "consul v1.2.2"
    monkeypatch.setattr(shell, "run", lambda argv, **_: "null")
    assert linked.of_image("consul:1.2.2").startswith("not recorded: the image was not built")

    def gone(argv, **_):
        raise LabError("run docker", "No such image")

    monkeypatch.setattr(shell, "run", gone)
    assert linked.of_image("consul:1.2.2") == "not recorded: the engine no longer has the image"
