"""The official images' way, against a real registry on loopback and a second engine that has none of the images."""

import contextlib
import os
import shutil
import socket
from pathlib import Path

import pytest

from lab.adapters import registry, shell
from lab.adapters.capabilities import bounded
from lab.adapters.clock import SystemClock
from lab.cluster import engine
from lab.core.paths import cache
from lab.images import auto, build, containers, nodes, pull, schedule, state
from lab.images.table import IMAGES
from tests.fakes import FakeProgress

pytestmark = pytest.mark.cluster
OFFICIAL = [image for image in IMAGES if image.pulled_from]
CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def until(question, seconds):
    clock = SystemClock()
    end_s = clock.now_s() + seconds
    while not question():
        assert clock.now_s() < end_s, f"not within {seconds} s"
        clock.sleep(0.2)


def gone(pid):
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return not Path(f"/proc/{pid}/exe").exists()


@contextlib.contextmanager
def running(argv, log, answers):
    pid = shell.spawn(argv, log=log)
    try:
        until(answers, 60)
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 15)
        until(lambda: gone(pid), 60)


def listens(port):
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def installed(package):
    """Debian's package, removed again if it was not there before."""
    there = shell.found(package)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        if not there:
            shell.run(["apt-get", "install", "--yes", "--no-install-recommends", package], timeout_s=300, env=quiet)
        yield
    finally:
        if not there:
            shell.run(["apt-get", "purge", "--yes", package], timeout_s=300, env=quiet)


def push(image, tag):
    shell.run(["docker", "tag", image.tag, tag], timeout_s=60)
    try:
        shell.run(["docker", "push", "--quiet", tag], timeout_s=600)
    finally:
        shell.run(["docker", "image", "rm", tag], timeout_s=60)


@pytest.fixture(scope="module")
def built():
    if os.geteuid() != 0:
        pytest.skip("starting a registry and an engine takes root")
    found = engine.find()
    engine.ensure(FakeProgress())
    if schedule.lacking(build.parts()):
        pytest.skip("the images are not built: `lab images build`")
    yield {image.tag: containers.image_id(image.tag) for image in OFFICIAL}
    if found is None:
        engine.stop(FakeProgress())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pull")
    yield folder
    for mount in (line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()):
        if mount.startswith(f"{folder}/"):  # dockerd leaves the network namespace that it made for `--network host`
            shell.run(["umount", mount], timeout_s=10)
    shutil.rmtree(folder)  # some 5 GB


@pytest.fixture(scope="module")
def loopback_registry(built, place):
    """A registry that holds the built images under the official names; its address."""
    with installed("docker-registry"), socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        (place / "registry.yml").write_text(CONFIG.format(folder=place / "registry", port=port))
        argv = ["docker-registry", "serve", str(place / "registry.yml")]
        with running(argv, place / "registry.log", lambda: listens(port)):
            for image in OFFICIAL:
                push(image, f"127.0.0.1:{port}/{image.pulled_from}")
            yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def bare_engine(loopback_registry, place):  # after the registry was filled, for DOCKER_HOST points elsewhere from here on
    """An engine of its own with no image and no network, and a cache of its own; both are the lab's for these tests."""
    line = f"unix://{place}/engine.sock"
    shim = cache() / "bin" / "boundcaps"
    argv = ["dockerd", "--host", line, "--data-root", f"{place}/data", "--exec-root", f"{place}/exec", "--pidfile", f"{place}/pid"]
    argv += ["--bridge", "none", "--iptables=false", "--ip-forward=false"]
    argv += ["--add-runtime", f"boundcaps={shim}", "--default-runtime", "boundcaps"] if bounded() else []
    go = cache() / "go"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASCADE_LAB_CACHE", str(place / "cache"))
        (place / "cache").mkdir()
        (place / "cache" / "go").symlink_to(go)  # kind is a program, not an image: it is built either way, here from what was fetched
        socket_answers = lambda: shell.attempt(["docker", "--host", line, "version"], timeout_s=10).code == 0  # noqa: E731
        with running(argv, place / "engine.log", socket_answers):
            patch.setenv("DOCKER_HOST", line)
            yield line
            patch.delenv("DOCKER_HOST")


def test_without_an_answer_the_images_are_built(bare_engine):
    assert not registry.answers("127.0.0.1:9/python:3.11-slim-bookworm", auto.ASK_S_MAX)
    assert auto.choose(FakeProgress(), "127.0.0.1:9") == "build"


def test_a_registry_that_answers_is_pulled_from_under_the_same_names(bare_engine, loopback_registry, built):
    assert auto.ensure(FakeProgress(), "auto", loopback_registry) == "pull"
    assert {tag: containers.image_id(tag) for tag in built} == built
    sources = {row.image.tag: row.source for row in state.status() if row.present}
    assert sources == {image.tag: "pulled" if image.pulled_from else "built" for image in IMAGES if image.on != "build"}
    nodes.assert_holds("cascade-lab/node-core:v1.34.4", ["kafka:4.3.1", "consul:1.2.2"])
    nodes.assert_holds("cascade-lab/node-app:v1.34.4", ["workload:1", "consul:1.2.2"])


def test_what_was_pulled_is_not_pulled_again_even_when_the_registry_is_gone(bare_engine, loopback_registry):
    progress = FakeProgress()
    pull.pull_all(progress, loopback_registry)
    assert progress.titles == []
    assert auto.choose(progress, loopback_registry) == "pull"


@pytest.mark.skipif(not bounded(), reason="this host withholds no capability")
def test_a_pulled_node_that_asks_for_what_the_host_withholds_is_loosened_once(bare_engine, loopback_registry, tmp_path):
    tag = "kindest/node:tight"
    with containers.container("kindest/node:v1.34.4") as box:
        containers.inside(box, ["sh", "-c", "printf '[Service]\\nOOMScoreAdjust=-999\\n' > /etc/systemd/system/tight.service"])
        nodes.commit(box, tag)
    tight = containers.image_id(tag)

    class Bench:
        step = type("Step", (), {"say": lambda self, text: None})()

    first, second = nodes.loosened(Bench(), tag), nodes.loosened(Bench(), tag)
    assert first["pulled"] == tight != first["image"] == second["image"]
