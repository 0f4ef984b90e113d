"""What a Go program is made of, as the program itself tells it: `go version -m`. Kept as a label of its image, and so in each run's history."""

import re
from pathlib import Path

from lab.adapters import shell
from lab.core.errors import LabError
from lab.images import containers, golang

LABEL = "cascade-lab.linked"
TOLD = ("consul", "memberlist", "serf", "raft")
"""Modules of hashicorp that decide how a pool behaves; the other hundreds are pinned in images/."""


def label(program: Path) -> dict[str, str]:
    """The label of an image that holds this program."""
    told = shell.run([str(golang.go()), "version", "-m", str(program)], timeout_s=60, env=golang.environment())
    return {LABEL: sentence(told)}


def of_image(tag: str) -> str:
    """What the image of this tag says of its program; a run does not fail for want of it."""
    try:
        return containers.labels(tag).get(LABEL, "not recorded: the image was not built by the lab")
    except LabError:
        return "not recorded: the engine no longer has the image"


def sentence(told: str) -> str:
    """The toolchain and the modules that matter, out of what `go version -m` printed; a replaced module goes by what replaced it.

    Raises:
        ValueError: it tells no toolchain or lacks one of `TOLD`.
    """
    toolchain = re.search(r": (go\S+)", told)
    lines = re.findall(r"^\t(?:mod|dep)\tgithub\.com/hashicorp/(\S+)\t(\S+).*(?:\n\t=>\t\S+\t(\S+))?", told, re.MULTILINE)
    found = {name: instead or version for name, version, instead in lines}
    if toolchain is None or not set(TOLD) <= found.keys():
        raise ValueError(f"go version -m tells {sorted(found)} and no more")
    return ", ".join([*(f"{name} {found[name]}" for name in TOLD), toolchain[1]])
