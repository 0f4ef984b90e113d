"""What Debian and Ubuntu hosts can be given: the programs that the lab needs, and the packages that bring them."""

import os
from collections.abc import Iterable

from lab.adapters import shell
from lab.core.errors import Refused
from lab.core.progress import Progress

ENGINE_TOOLS = {
    "docker": "docker.io",
    "dockerd": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
}
"""For the containers themselves: program to package."""

ENGINE_PARTS = frozenset({"dockerd", "containerd", "runc"})
"""Of these: what need not be found here where an engine answers."""

BUILD_TOOLS = {"debootstrap": "debootstrap", "mvn": "maven"}
"""For building the images out of package registries; pulled images need neither."""

INSTALL_S_MAX = 900.0
"""Chosen: the engine takes 15 s on a fast mirror; a slow one must get through."""


def missing_tools(programs: Iterable[str] = (*ENGINE_TOOLS, *BUILD_TOOLS)) -> list[str]:
    """The programs that this host lacks, of those the lab needs."""
    return [name for name in programs if not shell.found(name)]


def install_command(programs: Iterable[str]) -> str:
    """What a person would type to get them."""
    return "apt-get install --yes --no-install-recommends " + " ".join(packages(programs))


def packages(programs: Iterable[str]) -> list[str]:
    """The packages that bring these programs, each once. debootstrap checks signatures with Debian's keys, which Ubuntu lacks."""
    known = {**ENGINE_TOOLS, **BUILD_TOOLS}
    names = [known[name] for name in programs]
    if "debootstrap" in names:
        names.append("debian-archive-keyring")
    return sorted(set(names))


def ensure(programs: Iterable[str], progress: Progress) -> list[str]:
    """Install what is missing, after saying so; returns the packages.

    Raises:
        Refused: we may not install here; nothing was changed, and the message has the command.
    """
    lacking = missing_tools(programs)
    if not lacking:
        return []
    if os.geteuid() != 0 or not shell.found("apt-get"):
        why = "that takes root" if shell.found("apt-get") else "this is not Debian or Ubuntu: install them with the system's own tools"
        raise Refused(f"install {', '.join(lacking)}", why, f"sudo {install_command(lacking)}")
    wanted = packages(lacking)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with progress.step(f"Installing {', '.join(wanted)} with apt-get", INSTALL_S_MAX) as step:
        step.say("reading the package lists")
        shell.attempt(
            ["apt-get", "update", "--quiet"], timeout_s=INSTALL_S_MAX, env=quiet
        )  # one broken source need not matter: the install tells
        step.say(" ".join(wanted))
        shell.run(install_command(lacking).split(), timeout_s=INSTALL_S_MAX, env=quiet)
    return wanted
