"""Choose how to get the images: what is there already, else pull where a registry answers, else build."""

from typing import Literal

from lab.adapters import registry as registries
from lab.core.progress import Progress
from lab.images import golang
from lab.images.build import build_all
from lab.images.build import parts as build_parts
from lab.images.pull import parts as pull_parts
from lab.images.pull import pull_all
from lab.images.schedule import lacking
from lab.images.table import by_part

Mode = Literal["auto", "pull", "build"]
Used = Literal["pull", "build"]

ASK_S_MAX = 5.0
"""Chosen: a registry in reach answers in well under one second; a packet filter that drops answers never does."""


def ensure(progress: Progress, mode: Mode = "auto", registry: str = "") -> Used:
    """See to it that every image is there; returns how.

    Args:
        progress: one step per part that had to be made.
        mode: "pull" or "build" to insist; "auto" keeps what is complete, else pulls if a registry answers, else builds.
        registry: HOST:PORT instead of the engine's own registry.
    """
    used = choose(progress, registry) if mode == "auto" else mode
    if used == "pull":
        pull_all(progress, registry)
    else:
        build_all(progress)
    return used


def choose(progress: Progress, registry: str = "") -> Used:
    """What "auto" means here and now; a complete set is never replaced because a registry came into reach."""
    golang.prepare(progress)
    if not lacking(build_parts()):
        return "build"
    if not lacking(pull_parts(registry)):
        return "pull"
    name = str(by_part("python").pulled_from)
    with progress.step("Asking the container registry", ASK_S_MAX) as step:
        found = registries.answers(f"{registry}/{name}" if registry else name, ASK_S_MAX)
        step.say("it answers: images are pulled" if found else "no answer: images are built from package registries")
    return "pull" if found else "build"
