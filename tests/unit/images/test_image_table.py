import re

import pytest

from lab.core.errors import LabError
from lab.core.paths import project
from lab.core.shipper import DEFAULT_SHIPPER
from lab.core.vault import DEFAULT_STORAGE
from lab.images import build, debian, golang, jars, nodes, versions
from lab.images.table import IMAGES, ON_REQUEST, by_part

LISTING = """\
REF                                       TYPE      DIGEST      SIZE    PLATFORMS   LABELS
registry.example/etcd:3.6.5-0             manifest  sha256:aaa  25 MiB  linux/amd64 -
sha256:0123                               manifest  sha256:aaa  25 MiB  linux/amd64 -
registry.example/coredns/coredns:v1.12.1  manifest  sha256:bbb  52 MiB  linux/amd64 -
docker.io/library/consul:1.2.2            manifest  sha256:ccc  99 MiB  linux/amd64 -
"""


def test_names_and_parts_are_unique():
    assert len({image.tag for image in IMAGES}) == len({image.part for image in IMAGES}) == len(IMAGES)


def test_every_image_that_kind_config_and_the_manifests_name_is_in_the_table():
    tags = {image.tag for image in (*IMAGES, *ON_REQUEST)}
    files = [*project().glob("kind-*.yaml"), *(project() / "manifests").rglob("*.yaml")]
    named = {
        name
        for file in files
        for name in re.findall(r"^\s*(?:- )?image: \"?([^\s\"{}]+:[^\s\"{}]+)\"?\s*$", file.read_text(), re.MULTILINE)
    }
    assert named <= tags
    assert "kindest/node:v1.34.4" in named


def test_every_image_we_build_has_a_recipe_or_a_program_that_makes_it():
    programmed = {"debian", "kindest-node", "node-core", "node-app"}
    assert all((project() / "images" / image.part / "Dockerfile").is_file() for image in IMAGES if image.part not in programmed)


def test_rsyslog_is_built_alone_on_debian_and_when_it_is_asked_for():
    base, rsyslog = build.rsyslog_parts()
    assert (base.name, rsyslog.name, rsyslog.needs) == ("debian", "rsyslog", ("debian",))
    assert "rsyslog" not in {image.part for image in IMAGES}
    assert build.build_shipper(None, DEFAULT_SHIPPER) == {}


def test_the_vault_with_storage_of_its_own_is_built_alone_and_when_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(golang, "toolchain", lambda: "go1.26.0")
    monkeypatch.setattr(golang, "prepare", lambda progress: pytest.fail("nothing is to be built"))
    recipe = versions.VAULT_RAFT_RECIPE
    base, program, image = build.vault_parts()
    assert (base.name, program.name, image.name, image.needs) == ("debian", f"go-{recipe}", recipe, ("debian", f"go-{recipe}"))
    assert by_part(recipe).tag == f"vault:{versions.VAULT_RAFT}"
    assert not {part.name for part in build.parts()} & {program.name, image.name}
    assert build.build_vault(None, DEFAULT_STORAGE) == {}


def test_recipes_stand_on_images_of_the_table():
    tags = {"scratch", *(image.tag for image in IMAGES)}  # scratch is the word for no base
    for recipe in (project() / "images").glob("*/Dockerfile"):
        for base in re.findall(r"^FROM (\S+)", recipe.read_text(), re.MULTILINE):
            assert base in tags, f"{recipe} stands on {base}"


@pytest.mark.parametrize(
    ("recipe", "pin"),
    [
        ("kubernetes", f"k8s.io/kubernetes v{versions.KUBERNETES}"),
        ("consul", f"github.com/hashicorp/consul v{versions.CONSUL}"),
        ("vault", f"github.com/hashicorp/vault v{versions.VAULT}"),
        (versions.VAULT_RAFT_RECIPE, f"github.com/hashicorp/vault v{versions.VAULT_RAFT}"),
        ("consul-template", f"github.com/hashicorp/consul-template v{versions.CONSUL_TEMPLATE}"),
        ("coredns", f"github.com/coredns/coredns v{versions.COREDNS}"),
    ],
)
def test_the_pins_agree_with_the_versions(recipe, pin):
    assert pin in (project() / "images" / recipe / "go.mod").read_text()


def test_the_jars_lock_names_kafka_at_its_version():
    assert f"kafka_2.13-{versions.KAFKA}.jar" in jars.lock()
    assert f"<kafka.version>{versions.KAFKA}<" in (project() / "images" / "kafka" / "pom.xml").read_text()


def test_a_changed_a_new_and_a_missing_jar_are_all_named(tmp_path):
    for name in ("good", "changed", "new"):
        (tmp_path / f"{name}.jar").write_text(name)
    locked = {**jars.digests(tmp_path), "changed.jar": "0" * 64, "missing.jar": "0" * 64}
    del locked["new.jar"]
    with pytest.raises(LabError, match=r"changed\.jar, missing\.jar, new\.jar"):
        jars.check(tmp_path, locked)


def test_an_image_leaves_a_node_s_store_with_every_name_it_has():
    assert nodes.refs_of(LISTING, ("etcd",)) == ["registry.example/etcd:3.6.5-0", "sha256:0123"]
    assert nodes.refs_of(LISTING, ()) == []


def test_the_node_images_take_their_content_from_the_table():
    assert by_part("node-app").needs == ("kindest-node", "workload", "consul")
    assert by_part("node-core").needs == ("kindest-node", *build.CORE_IMAGES)


def test_nothing_but_what_no_container_reads_is_emptied():
    assert all(place.split("/")[0] in {"usr", "var"} for place in debian.UNREAD)
