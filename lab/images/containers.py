"""The container engine's images, through the `docker` program: what is there, build, tag, pull, commit."""

import contextlib
import json
import os
import tarfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from lab.adapters import host, shell
from lab.core.errors import LabError, Unavailable
from lab.core.paths import cache, project
from lab.images.parts import Bench

CLASSIC = {"DOCKER_BUILDKIT": "0"}
"""The engine's own builder: it is always there and takes FROM images from the engine's store; buildx is a package of its own."""

BUILD_S_MAX = 1800.0
"""Chosen: the largest Dockerfile takes 2 min of downloads and unpacking; a slow mirror must get through."""

REMOVE_TRIES = 3
"""Chosen: the engine gives a killed container 10 s to be gone; one that a commit had frozen was seen not to go, and stayed."""

BAKE = "cascade-lab-bake-"
"""How the names of throw-away containers begin. Not a label: a commit would hand it on to the image, and the image to every node made from it."""

PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def image_id(tag: str) -> str | None:
    """The id that a tag (or an id) stands for in the engine, or None; an engine that cannot tell is an error, not a None."""
    ran = shell.attempt(["docker", "image", "inspect", "--format", "{{.Id}}", tag], timeout_s=60)
    if ran.code == 0:
        return ran.out.strip()
    if "no such image" in ran.err.lower():
        return None
    raise Unavailable(f"look for the image {tag}", ran.err.strip()[-500:], "docker version")


def image_ids() -> dict[str, str]:
    """Every tag in the engine with its id; one call."""
    listed = shell.run(["docker", "image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"], timeout_s=60)
    return dict(line.split() for line in listed.splitlines())


def present(made: Mapping[str, Any]) -> bool:
    """Does the stamp's tag stand for the stamp's image? A tag that was moved or removed is put back while the image is still there."""
    here = image_id(made["tag"])
    if here != made["image"] and image_id(made["image"]) == made["image"]:
        shell.run(["docker", "tag", made["image"], made["tag"]], timeout_s=60)
        return True
    return bool(here == made["image"])


def made_image(tag: str, **more: str) -> dict[str, Any]:
    """A stamp's content for a part that makes an image."""
    return {"tag": tag, "image": image_id(tag), **more}


def build(
    bench: Bench, recipe: str, tag: str, extra: Mapping[str, Path] | None = None, marks: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Build images/RECIPE/Dockerfile, with files put beside it.

    Args:
        bench: where progress and output go.
        recipe: folder below images/.
        tag: name of the result.
        extra: file name in the build's context to file or folder here; hard-linked or copied by tar, never into the checkout.
        marks: labels of the image.
    """
    bench.step.say(f"docker build, log {bench.log}")
    argv = ["docker", "build", "--network", "host", "--force-rm", "--pull=false", "--tag", tag]
    for name, text in (marks or {}).items():
        argv += ["--label", f"{name}={text}"]
    for name in PROXIES:
        argv += ["--build-arg", name] if name in os.environ else []
    with _context(recipe, extra or {}) as context:
        shell.run([*argv, "-"], timeout_s=BUILD_S_MAX, log=bench.log, env=CLASSIC, stdin=context)
    return made_image(tag)


def forget(image: str | None, tag: str) -> None:
    """Remove the image that a tag stood for before, unless the tag still does, a stamp wants it back some day, or a container runs on it."""
    if image is None or image == image_id(tag) or any(image in stamp.read_text() for stamp in (cache() / "stamps").glob("*.json")):
        return
    shell.attempt(["docker", "image", "rm", image], timeout_s=120)


@contextlib.contextmanager
def _context(recipe: str, extra: Mapping[str, Path]) -> Iterator[Path]:
    """A tar of the recipe's folder and the extra files, with owners and times set so that the builder's layer cache holds."""
    place = cache() / "work" / f"context-{recipe}-{uuid.uuid4().hex[:8]}.tar"
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        _pack(place, project() / "images" / recipe, extra)
        yield place
    finally:
        place.unlink(missing_ok=True)


def _pack(place: Path, folder: Path, extra: Mapping[str, Path]) -> None:
    def same(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if "__pycache__" in member.name:
            return None
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.isdir() or member.mode & 0o111 else 0o644
        return member

    with tarfile.open(place, "w") as tar:
        for leaf in sorted(folder.iterdir()):
            tar.add(leaf, leaf.name, filter=same)
        for name, source in sorted(extra.items()):
            tar.add(source, name, filter=same)


@contextlib.contextmanager
def container(image: str, *words: str) -> Iterator[str]:
    """A throw-away container that sleeps; gives its name, and removes it and its volumes at the end."""
    name = f"{BAKE}{uuid.uuid4().hex[:8]}"
    argv = [
        "docker",
        "run",
        "--detach",
        "--name",
        name,
        "--network",
        "none",
        *words,
        "--entrypoint",
        "sleep",
        image,
        "infinity",
    ]
    try:
        shell.run(argv, timeout_s=300)
        yield name
    finally:
        remove(name)


@retry(retry=retry_if_exception_type(LabError), stop=stop_after_attempt(REMOVE_TRIES), reraise=True)
def remove(name: str) -> None:
    """Remove a container and its volumes; fine if it is not there.

    Raises:
        LabError: it survived `REMOVE_TRIES`; the message has what the engine said.
    """
    found = shell.attempt(["docker", "container", "inspect", "--format", "{{.Id}}", name], timeout_s=60)
    if found.code != 0 and "no such container" in found.err.lower():
        return
    if os.geteuid() == 0:
        host.thaw(found.out.strip() or name)
    shell.run(["docker", "rm", "--force", "--volumes", name], timeout_s=120)


def inside(name: str, command: Sequence[str], *, timeout_s: float = 120.0, stdin: bytes | None = None) -> str:
    """Run a command in a container and return what it prints."""
    keep = ["--interactive"] if stdin is not None else []
    return shell.run(["docker", "exec", *keep, name, *command], timeout_s=timeout_s, stdin=stdin)


def labels(tag: str) -> dict[str, str]:
    """An image's labels."""
    said = shell.run(["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", tag], timeout_s=60)
    return json.loads(said) or {}
