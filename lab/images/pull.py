"""Take the official images from a registry instead of building them; our own three are made on top, the same way as always."""

from functools import partial
from typing import Any

from lab.adapters import shell
from lab.adapters.capabilities import bounded
from lab.adapters.clock import SystemClock
from lab.core.errors import LabError, Unavailable
from lab.core.progress import Progress
from lab.images import containers, golang, nodes
from lab.images.build import own_parts
from lab.images.parts import Bench, Part
from lab.images.programs import programs
from lab.images.schedule import Made, make_all
from lab.images.table import IMAGES, Image

PULL_S_MAX = 1800.0
"""Chosen: kindest/node is 350 MB compressed; 2 Mbit/s must still get through."""


def pull_all(progress: Progress, registry: str = "") -> Made:
    """Pull every official image, then make our own; what is already here from the same place is left alone.

    Args:
        progress: one step per part, two at a time, from two threads.
        registry: HOST:PORT to ask instead of the engine's own registry; the images get their plain names all the same.

    Raises:
        Unavailable: the registry does not answer, or lacks an image.
    """
    golang.prepare(progress)
    return make_all(parts(registry), progress, SystemClock(), nodes.clean_work)


def parts(registry: str = "") -> list[Part]:
    """Every part of a set-up that pulls: official images, the kind program (it is not an image), and our own images."""
    kind = [part for part in programs() if part.name == "go-kind"]
    return [*kind, *(_part(image, registry) for image in IMAGES if image.pulled_from), *own_parts()]


def _part(image: Image, registry: str) -> Part:
    make = partial(_pull, image=image, registry=registry)
    settings = (registry, str(image.pulled_from), f"bounded={bounded() and image.part == 'kindest-node'}")
    return Part(
        image.part,
        make,
        containers.present,
        settings=settings,
        expect_s=60,
        stamp=f"pull-{image.part}",
    )


def _pull(bench: Bench, image: Image, registry: str) -> dict[str, Any]:
    source = f"{registry}/{image.pulled_from}" if registry else str(image.pulled_from)
    bench.step.say(f"pulling {source}, log {bench.log}")
    try:
        shell.run(["docker", "pull", "--quiet", source], timeout_s=PULL_S_MAX, log=bench.log)
    except LabError as refused:
        raise Unavailable(f"pull {source}", refused.came_back, "lab images build") from refused
    if registry:
        shell.run(["docker", "tag", source, image.tag], timeout_s=60)
        shell.run(["docker", "image", "rm", source], timeout_s=60)
    if image.part == "kindest-node" and bounded():
        return nodes.loosened(bench, image.tag)
    return containers.made_image(image.tag)
