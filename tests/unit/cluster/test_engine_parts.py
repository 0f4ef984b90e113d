import os
import socket
import threading

import pytest

from lab.adapters import debian
from lab.cluster import engine, firewall
from lab.core.errors import Refused
from tests.fakes import FakeProgress

RULES = """\
-P FORWARD DROP
-N DOCKER
-N DOCKER-USER
-N MINE
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -s 10.9.8.0/24 -j MINE
-A POSTROUTING -s 198.18.1.0/24 ! -o br-1 -m comment --comment "of the lab" -j MASQUERADE
-A DOCKER -d 198.18.1.2/32 -p tcp -j ACCEPT
""".splitlines()


def test_docker_s_rules_go_before_its_chains_and_others_stay():
    assert firewall.undo(RULES) == [
        ["-D", "FORWARD", "-j", "DOCKER-USER"],
        ["-D", "FORWARD", "-o", "docker0", "-j", "DOCKER"],
        ["-D", "POSTROUTING", "-s", "198.18.1.0/24", "!", "-o", "br-1", "-m", "comment", "--comment", "of the lab", "-j", "MASQUERADE"],
        ["-F", "DOCKER"],
        ["-F", "DOCKER-USER"],
        ["-X", "DOCKER"],
        ["-X", "DOCKER-USER"],
    ]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "RUN", tmp_path)
    return tmp_path


def test_a_pid_that_another_program_has_got_since_is_not_our_engine(run):
    (run / "dockerd.pid").write_text(str(os.getpid()))
    assert engine.our_pid() is None


@pytest.mark.parametrize("text", ["", "no number", "4194305"])
def test_a_useless_pid_file_means_no_engine_of_ours(run, text):
    (run / "dockerd.pid").write_text(text)
    assert engine.our_pid() is None


@pytest.fixture
def silent_socket(tmp_path):
    place = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(place))
        line.listen()
        yield place, line


def test_an_engine_is_found_by_its_answer(silent_socket, monkeypatch, run):
    place, line = silent_socket
    monkeypatch.setenv("DOCKER_HOST", f"unix://{place}")

    def answer():
        caller, _ = line.accept()
        with caller:
            caller.recv(1000)
            caller.sendall(b"HTTP/1.0 200 OK\r\n\r\nOK")

    threading.Thread(target=answer, daemon=True).start()
    assert engine.find() == engine.Engine(f"unix://{place}", ours=False)


def test_a_socket_that_nobody_serves_is_no_engine(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    assert engine.find() is None


def test_children_are_told_where_the_engine_is():
    assert engine.Engine("unix:///x", ours=True).env() == {"DOCKER_HOST": "unix:///x"}


def test_packages_are_named_once_and_with_the_keys_that_debootstrap_needs():
    assert debian.packages(["docker", "dockerd", "debootstrap"]) == ["debian-archive-keyring", "debootstrap", "docker.io"]


def test_who_may_not_install_gets_the_command(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setitem(debian.BUILD_TOOLS, "no-such-program", "no-such-package")
    with pytest.raises(Refused, match="sudo apt-get install --yes --no-install-recommends no-such-package"):
        debian.ensure(["no-such-program"], FakeProgress())


def test_a_dead_containers_cable_is_told_from_one_that_was_here_and_from_one_on_a_bridge(tmp_path, monkeypatch):
    for name in ("veth0ld", "vethdead", "veththeirs", "eth0"):
        (tmp_path / name).mkdir()
    (tmp_path / "veththeirs" / "master").mkdir()
    monkeypatch.setattr(firewall, "NET", tmp_path)
    assert firewall.loose(["veth0ld"]) == ["vethdead"]
