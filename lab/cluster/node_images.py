"""Images that no node image holds: brought into the stores of a running cluster's nodes when a run needs one.

Only single runs need them, so they must not make every node image and every bring-up larger. One archive is written once and read by each
node; the layers that an image shares with those already there are not stored again.
"""

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.adapters import shell
from lab.adapters.docker import Docker
from lab.core import paths
from lab.core.errors import LabError
from lab.core.progress import Progress

MARKS = "/run/lab-images"
"""In each node, a file per image that was brought there, with the image's id: a rebuilt one is brought again. In memory, so gone with the node's boot."""
IMPORT_ALLOWED_S = 180.0
"""Chosen: a store takes in 200 MB in 3 s on an idle machine; six of them on two busy cores a minute."""
AT_ONCE = 2
"""Chosen: hashing and unpacking fill a core each."""
EXEC_TIMEOUT_S = 30.0
"""Chosen: a store lists its images in 0.1 s on an idle node; here several are taking one in."""


@dataclass(frozen=True, slots=True)
class EngineImage:
    """An image of the engine on the host: its tag, and the id that the tag stands for."""

    tag: str
    id: str


def load(progress: Progress, docker: Docker, nodes: Sequence[str], image: EngineImage, env: Mapping[str, str]) -> list[str]:
    """See to it that these nodes hold the image; returns those that lacked it.

    Args:
        progress: one step, if any node lacks it.
        docker: the engine.
        nodes: names.
        image: what they shall hold.
        env: variables for `docker`.

    Raises:
        LabError: the engine lacks the image, or a node could not take it in.
    """
    lacking = [node for node in nodes if not _holds(docker, node, image)]
    if not lacking:
        return []
    paths.STATE.mkdir(parents=True, exist_ok=True)
    with (
        progress.step(f"bringing {image.tag} to {len(lacking)} nodes", IMPORT_ALLOWED_S) as step,
        tempfile.TemporaryDirectory(dir=paths.STATE, prefix="image-") as room,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        archive = Path(room) / "image.tar"
        step.say("writing the archive")
        shell.run(["docker", "save", "--output", str(archive), image.tag], timeout_s=IMPORT_ALLOWED_S, env=env)
        step.say(", ".join(lacking))
        for done in [pool.submit(_bring, docker, node, image, archive, env) for node in lacking]:
            done.result()
    return lacking


def _holds(docker: Docker, node: str, image: EngineImage) -> bool:
    return docker.run(node, ["cat", _mark(image)], timeout_s=EXEC_TIMEOUT_S).output.strip() == image.id


def _bring(docker: Docker, node: str, image: EngineImage, archive: Path, env: Mapping[str, str]) -> None:
    """Import and unpack. The runtime finds it under its full name, `docker.io/library/NAME:VERSION`, which is what a pod's short name stands for."""
    ctr = ["ctr", "--namespace", "k8s.io", "images"]
    shell.run(
        ["docker", "exec", "--interactive", node, *ctr, "import", "--all-platforms", "--digests", "-"],
        timeout_s=IMPORT_ALLOWED_S,
        env=env,
        stdin=archive,
    )
    held = docker.run_checked(node, [*ctr, "list", "--quiet"], timeout_s=EXEC_TIMEOUT_S).split()
    if not any(name.endswith(f"/{image.tag}") for name in held):
        raise LabError(f"bring {image.tag} to {node}", f"its store holds {', '.join(held)[:300]}", "lab down; lab up")
    note = f"mkdir -p {MARKS} && printf %s {image.id} > {_mark(image)}"
    docker.run_checked(node, ["sh", "-ec", note], timeout_s=EXEC_TIMEOUT_S)


def _mark(image: EngineImage) -> str:
    return f"{MARKS}/{image.tag.replace('/', '_')}"
