"""What dockerd does to the host's network and does not undo when it stops: chains, a policy, a bridge, IP forwarding."""

import shlex
from pathlib import Path
from typing import Any

from lab.adapters import shell

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
NET = Path("/sys/class/net")
TABLES = ("nat", "filter", "raw", "mangle")
WORDS = ("DOCKER", "docker0", "198.18.", "198.19.")
"""A rule with one of these is Docker's or the lab's: the addresses are in a range that nobody else uses."""


def state() -> dict[str, Any]:
    """What to put back later: IP forwarding, the policy of the forward chain, and whether Docker had been here before."""
    rules = _rules("iptables", "filter")
    policy = next((line.split()[2] for line in rules if line.startswith("-P FORWARD")), "ACCEPT")
    docker_before = any("DOCKER" in line for line in rules)
    return {"ip_forward": FORWARD.read_text().strip(), "forward_policy": policy, "docker_before": docker_before, "veths": veths()}


def veths() -> list[str]:
    """The host's ends of containers' network cables."""
    return sorted(place.name for place in NET.glob("veth*"))


def loose(known: list[str]) -> list[str]:
    """Cables that have come since and hang on no bridge: their containers are dead, and the kernel would take them away within a minute.

    Those of another engine hang on its bridge; those that were here before stay.
    """
    return [name for name in veths() if name not in known and not (NET / name / "master").exists()]


def restore(before: dict[str, Any]) -> None:
    """Best effort: remove Docker's rules, chains and bridge, and put policy and forwarding back as they were."""
    for name in loose(before.get("veths", [])):
        shell.attempt(["ip", "link", "delete", name], timeout_s=10)
    if before.get("docker_before"):
        return  # another engine's chains were there; they are its business
    for program in ("iptables", "ip6tables"):
        for table in TABLES if shell.found(program) else ():
            for argv in undo(_rules(program, table)):
                shell.attempt([program, "-w", "-t", table, *argv], timeout_s=10)
    if "forward_policy" in before and shell.found("iptables"):
        shell.attempt(["iptables", "-w", "-P", "FORWARD", before["forward_policy"]], timeout_s=10)
    shell.attempt(["ip", "link", "delete", "docker0"], timeout_s=10)
    if before.get("ip_forward") == "0":
        FORWARD.write_text("0\n")


def undo(rules: list[str]) -> list[list[str]]:
    """The iptables arguments that remove Docker's part of one table: first the rules, then the emptied chains.

    Args:
        rules: what `iptables -S` prints.
    """
    chains = [line.split()[1] for line in rules if line.startswith("-N ") and line.split()[1].startswith("DOCKER")]
    jumps = [line for line in rules if line.startswith("-A ") and line.split()[1] not in chains and any(word in line for word in WORDS)]
    return [["-D", *shlex.split(line)[1:]] for line in jumps] + [["-F", chain] for chain in chains] + [["-X", chain] for chain in chains]


def _rules(program: str, table: str) -> list[str]:
    if not shell.found(program):
        return []
    ran = shell.attempt([program, "-w", "-t", table, "-S"], timeout_s=10)
    return ran.out.splitlines() if ran.code == 0 else []
