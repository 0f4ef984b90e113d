"""Build every image out of package registries: the parts, what they need, and how long they take on 2 cores."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.adapters import debian as host
from lab.adapters import shell
from lab.adapters.clock import SystemClock
from lab.core.paths import cache, project
from lab.core.progress import Progress
from lab.core.shipper import DEFAULT_SHIPPER, Shipper
from lab.core.vault import DEFAULT_STORAGE, Storage
from lab.images import containers, golang, linked, nodes, versions
from lab.images.debian import debian
from lab.images.jars import jars
from lab.images.parts import Bench, Part, files_present, stamp_path
from lab.images.programs import consul_program, programs, vault_program
from lab.images.schedule import Made, lacking, make_all
from lab.images.table import IMAGES, ON_REQUEST, by_part

CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
"""Where Debian and Red Hat keep the host's trusted certificates."""

CORE_IMAGES = ("kafka", "consul", "vault", "haproxy", "consul-template")
APP_IMAGES = ("workload", "consul")
NODE_SETTINGS = (*nodes.CONTROL, nodes.QUIET)


def build_all(progress: Progress, *, clean: bool = False) -> Made:
    """Build what is missing; with everything there it takes a second or two. The engine must run (lab.cluster.engine.ensure).

    Args:
        progress: one step per part, two at a time, from two threads.
        clean: throw all stamps, programs, caches and images of the table away first, and build cold.

    Raises:
        Refused: a build tool is missing and may not be installed by us.
        LabError: a part failed; the message names its log. What was made until then is kept.
    """
    host.ensure(host.BUILD_TOOLS, progress)
    golang.prepare(progress)
    if clean:
        _clean(progress)
    return make_all(parts(), progress, SystemClock(), nodes.clean_work)


def parts() -> list[Part]:
    """Every part of a build from nothing."""
    return [
        *programs(),
        Part("jars", jars, files_present, files=_recipe("kafka", "pom.xml", "jars.lock"), expect_s=30),
        _debian(),
        _image("node-base", nodes.node_base, 60, _recipe("node-base")),
        _image("kindest-node", nodes.kindest_node, 60, _recipe("kube-proxy"), (nodes.LOOSEN, nodes.QUIET)),
        _image("kafka", lambda bench: _docker(bench, "kafka", {"libs": cache() / "jars"}), 60, _recipe("kafka", "Dockerfile")),
        _consul("consul"),
        _vault("vault"),
        _program_image("consul-template"),
        _image("haproxy", lambda bench: _docker(bench, "haproxy"), 20, _recipe("haproxy")),
        _image("python", lambda bench: _docker(bench, "python"), 30, _recipe("python")),
        *own_parts(),
    ]


def build_consul(progress: Progress, version: str) -> Made:
    """Build one version of Consul that is no part of the whole set; the set's own is left to `build_all`.

    Raises:
        Refused: a build tool is missing and may not be installed by us.
        LabError: a part failed; the message names its log.
    """
    if version == versions.CONSUL:
        return {}
    golang.prepare(progress)
    return _make_few(consul_parts(version), progress)


def build_shipper(progress: Progress, shipper: Shipper) -> Made:
    """Build the image of a shipper that is no part of the whole set; the default one is in it.

    Raises:
        Refused: a build tool is missing and may not be installed by us.
        LabError: a part failed; the message names its log.
    """
    return {} if shipper == DEFAULT_SHIPPER else _make_few(rsyslog_parts(), progress)


def build_vault(progress: Progress, storage: Storage) -> Made:
    """Build the Vault that keeps its data so, where it is no part of the whole set; the default one is in it.

    Raises:
        Refused: a build tool is missing and may not be installed by us.
        LabError: a part failed; the message names its log.
    """
    if storage == DEFAULT_STORAGE:
        return {}
    golang.prepare(progress)
    return _make_few(vault_parts(), progress)


def vault_parts() -> list[Part]:
    """All that goes into the Vault that has storage of its own, from nothing."""
    return [_debian(), vault_program(), _vault(versions.VAULT_RAFT_RECIPE)]


def rsyslog_parts() -> list[Part]:
    """All that goes into the image of rsyslog, from nothing."""
    return [_debian(), _image("rsyslog", lambda bench: _docker(bench, "rsyslog"), 20, _recipe("rsyslog"))]


def _make_few(wanted: list[Part], progress: Progress) -> Made:
    if lacking(wanted):
        host.ensure(["debootstrap"], progress)
    return make_all(wanted, progress, SystemClock(), nodes.clean_work)


def consul_parts(version: str) -> list[Part]:
    """All that goes into one version of Consul, from nothing."""
    return [_debian(), consul_program(version), _consul(versions.CONSUL_RECIPES[version])]


def own_parts() -> list[Part]:
    """The images that only we make, whether their bases were built or pulled."""
    return [
        _image("workload", _workload, 20, _recipe("workload")),
        _image("node-core", lambda bench: nodes.bake(bench, "node-core", _tags(CORE_IMAGES)), 25, _recipe("node-core"), NODE_SETTINGS),
        _image("node-app", lambda bench: nodes.bake(bench, "node-app", _tags(APP_IMAGES)), 20, settings=NODE_SETTINGS),
    ]


def _image(
    part: str,
    make: Callable[[Bench], dict[str, Any]],
    expect_s: float,
    files: tuple[Path, ...] = (),
    settings: tuple[str, ...] = (),
) -> Part:
    image = by_part(part)

    def replace(bench: Bench) -> dict[str, Any]:
        before = containers.image_id(image.tag)
        made = make(bench)
        stamp_path(final).unlink(missing_ok=True)
        containers.forget(before, image.tag)
        return made

    final = Part(part, replace, containers.present, image.needs, files, (image.tag, *settings), expect_s)
    return final


def _debian() -> Part:
    """The base of all that we build."""
    return _image("debian", debian, 60)


def _program_image(part: str) -> Part:
    """An image that is one program of ours on Debian."""
    return _image(part, lambda bench: _docker(bench, part, {part: golang.binary(part)}), 3, _recipe(part, "Dockerfile"))


def _vault(part: str) -> Part:
    """An image of Vault; all versions have one recipe."""

    def make(bench: Bench) -> dict[str, Any]:
        return containers.build(bench, "vault", by_part(part).tag, {"vault": golang.binary(part)})

    return _image(part, make, 3, _recipe("vault", "Dockerfile"))


def _consul(part: str) -> Part:
    """An image of Consul; it says what is linked into its program, so that a run's history can."""

    def make(bench: Bench) -> dict[str, Any]:
        program = golang.binary(part)
        return containers.build(bench, "consul", by_part(part).tag, {"consul": program}, linked.label(program))

    return _image(part, make, 3, _recipe("consul", "Dockerfile"), (linked.LABEL,))


def _recipe(name: str, *files: str) -> tuple[Path, ...]:
    folder = project() / "images" / name
    return tuple(folder / file for file in files) if files else (folder,)


def _tags(names: tuple[str, ...]) -> list[str]:
    return [by_part(name).tag for name in names]


def _docker(bench: Bench, part: str, extra: dict[str, Path] | None = None) -> dict[str, Any]:
    return containers.build(bench, part, by_part(part).tag, extra)


def _workload(bench: Bench) -> dict[str, Any]:
    """Runs pip, which may have to pass what intercepts TLS here: the host's certificates go along, into a stage that is not kept."""
    places = (os.environ.get("PIP_CERT", ""), os.environ.get("SSL_CERT_FILE", ""), *CA_BUNDLES)
    bundle = next((Path(place) for place in places if place and Path(place).is_file()), None)
    return containers.build(bench, "workload", by_part("workload").tag, {"host-ca.crt": bundle} if bundle else {})


def _clean(progress: Progress) -> None:
    with progress.step("Throwing away everything that was built") as step:
        nodes.clean_work()
        tags = [image.tag for image in (*IMAGES, *ON_REQUEST)]
        for tag in reversed(tags):
            step.say(tag)
            shell.attempt(["docker", "image", "rm", "--force", tag], timeout_s=120)
        shell.attempt(["docker", "image", "prune", "--force"], timeout_s=600)
        for name in ("stamps", "bin", "jars", "maven", "go"):
            step.say(name)
            _remove(cache() / name)


def _remove(place: Path) -> None:
    """Remove a folder; Go's module cache is read-only on purpose. The engine's shim stays, for the engine runs by it."""
    if not place.is_dir():
        return
    shell.run(["chmod", "-R", "u+w", str(place)], timeout_s=300)
    for leaf in place.iterdir():
        if leaf.name == "boundcaps":
            continue
        shutil.rmtree(leaf) if leaf.is_dir() else leaf.unlink()


def timings() -> dict[str, float]:
    """Seconds that each part took when it was last made."""
    try:
        kept = json.loads((cache() / "logs" / "timings.json").read_text())
    except FileNotFoundError:
        return {}
    return {name: entry["took_s"] for name, entry in kept.items()}
