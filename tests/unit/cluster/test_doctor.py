"""The doctor finds each shortage before anything starts."""

import socket
from dataclasses import replace

import pytest

from lab.cluster.doctor import GIB, Host, capabilities, examine, need_ports
from lab.core.errors import Refused

WELL = Host(
    root=True,
    debian=True,
    cores=4,
    memory=32 * GIB,
    disk_free=100 * GIB,
    cgroup="v2",
    capabilities_bound=frozenset(range(41)),
    inotify_instances=8192,
    open_files=1048576,
    engine="28.2.2",
    lab_is_up=False,
    ports_taken=(),
    tools_missing=(),
    images_made=False,
)


def test_a_well_host_has_nothing_to_mend() -> None:
    assert {finding.level for finding in examine(WELL)} == {"ok"}


@pytest.mark.parametrize(
    ("change", "subject", "level", "says"),
    [
        ({"cores": 1}, "processor", "missing", "1 core"),
        ({"memory": 4 * GIB}, "memory", "missing", "4 GiB"),
        ({"disk_free": 1 * GIB}, "disk", "missing", "1 GiB free"),
        ({"disk_free": 20 * GIB}, "disk", "missing", "20 GiB free"),
        ({"disk_free": 20 * GIB, "images_made": True}, "disk", "ok", "20 GiB free"),
        ({"disk_free": 4 * GIB, "images_made": True}, "disk", "missing", "4 GiB free"),
        ({"engine": ""}, "engine", "warn", "no Docker"),
        ({"engine": "installed"}, "engine", "warn", "not running"),
        ({"engine": "installed", "root": False}, "engine", "missing", "not running"),
        ({"tools_missing": ("debootstrap",)}, "tools", "warn", "debootstrap"),
        ({"tools_missing": ("debootstrap",), "root": False}, "tools", "warn", "debootstrap"),
        ({"tools_missing": ("debootstrap",), "root": False, "images_made": True}, "tools", "ok", "all that are needed"),
        ({"tools_missing": ("dockerd",), "root": False}, "tools", "ok", "all that are needed"),
        ({"tools_missing": ("ip", "mvn"), "root": False}, "tools", "missing", "ip mvn"),
        ({"tools_missing": ("dockerd",), "root": False, "engine": "installed"}, "tools", "missing", "dockerd"),
        ({"cgroup": "none"}, "cgroups", "missing", "no cpu controller"),
        ({"cgroup": "v1"}, "cgroups", "ok", "1.34 or below"),
        ({"capabilities_bound": frozenset(range(41)) - {24}}, "capabilities", "warn", "[24]"),
        ({"inotify_instances": 128}, "inotify", "warn", "128"),
        ({"inotify_instances": 128, "root": False}, "inotify", "missing", "128"),
        ({"open_files": 1024}, "open files", "missing", "1024"),
        ({"ports_taken": (18500,)}, "ports", "missing", "18500"),
    ],
)
def test_each_shortage_is_named_with_what_to_run(change: dict, subject: str, level: str, says: str) -> None:
    finding = next(f for f in examine(replace(WELL, **change)) if f.subject == subject)
    assert finding.level == level
    assert says in finding.saw
    assert finding.level == "ok" or finding.fix


def test_capabilities_are_read_from_the_mask() -> None:
    assert capabilities("0000000000000003") == {0, 1}
    assert 24 not in capabilities("000001fffeffffff")


def test_what_to_run_names_the_packages_that_bring_the_programs() -> None:
    finding = next(f for f in examine(replace(WELL, root=False, engine="", tools_missing=("dockerd", "ip", "mvn"))) if f.subject == "tools")
    assert finding.fix == "sudo apt-get install --yes --no-install-recommends docker.io iproute2 maven"


def test_a_port_that_somebody_has_is_refused_by_number() -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        port = somebody.getsockname()[1]
        with pytest.raises(Refused, match="make the second cluster") as refused:
            need_ports([port], "make the second cluster")
    assert refused.value.came_back == f"taken on 127.0.0.1: {port}"
    need_ports([], "make the second cluster")
