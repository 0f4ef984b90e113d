"""The container engine: the one that runs here already, else one of our own that leaves nothing when it stops.

Ours is Debian's dockerd, started in its own session: images below the cache (slow to make, kept), everything else below /run.
"""

import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.adapters import debian, shell
from lab.adapters.capabilities import bounded
from lab.adapters.clock import SystemClock
from lab.cluster import firewall
from lab.core.clock import Clock
from lab.core.errors import Refused, Unavailable
from lab.core.paths import cache, project
from lab.core.progress import Progress

SOCKET = Path("/var/run/docker.sock")
"""Docker's own place: kind, the Docker SDK and people's shells find an engine there without being told."""

RUN = Path("/run/cascade-lab-engine")
"""Our engine's pid, sockets and notes; gone after a reboot, as the engine is."""

BRIDGE_ADDRESS = "198.18.0.1/24"
"""RFC 2544's benchmarking range, like all the lab's addresses: it is nobody's real network."""

NETWORK_POOL = "base=198.18.128.0/17,size=24"
"""Where networks without a stated range come from; no address of the lab's own plan lies in it."""

READY_S_MAX = 60.0
"""Chosen: dockerd answers after 1 to 3 s; a busy disk may take much longer on the first start."""

STOP_S_MAX = 40.0
"""Chosen: dockerd itself gives containers 15 s to leave, then kills them."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine: its address, and whether the lab started it."""

    host: str
    ours: bool

    def env(self) -> dict[str, str]:
        """Variables for children that talk to it: docker, kind."""
        return {"DOCKER_HOST": self.host}


def find() -> Engine | None:
    """The engine that answers, or None. DOCKER_HOST is asked first, and alone when it is set."""
    given = os.environ.get("DOCKER_HOST")
    if given and not given.startswith("unix://"):
        ran = shell.attempt(["docker", "version"], timeout_s=10) if shell.found("docker") else None
        return Engine(given, ours=False) if ran and ran.code == 0 else None
    place = Path(given.removeprefix("unix://")) if given else SOCKET
    return Engine(f"unix://{place}", ours=our_pid() is not None) if _answers(place) else None


def ensure(progress: Progress, clock: Clock | None = None) -> Engine:
    """A running engine: found, or started as our own. Installs it first where it may, after saying so.

    Raises:
        Refused: there is none and this user may not install or start one.
        Unavailable: it was started and does not answer.
    """
    running = find()
    if running:
        debian.ensure(["docker"], progress)
        _refuse_unfit(running)
        return running
    debian.ensure(debian.ENGINE_TOOLS, progress)
    running = find()  # a host with systemd starts it on installation
    return running or _start(progress, clock or SystemClock())


def stop(progress: Progress, clock: Clock | None = None) -> bool:
    """Stop our engine and take away what it leaves: mounts, bridge, firewall rules, sockets. False if there was none of ours.

    The images stay in the cache. An engine that we did not start is never touched.
    """
    pid = our_pid()
    if pid is None and not RUN.exists():
        return False
    with progress.step("Stopping the lab's own container engine", STOP_S_MAX) as step:
        if pid is not None:
            step.say(f"dockerd, pid {pid}")
            _end(pid, clock or SystemClock())
        _clean()
    return pid is not None


def left_behind() -> bool:
    """Did an engine of ours end without being stopped (a reboot, SIGKILL)? Only an engine can then remove what it held."""
    return our_pid() is None and (RUN.exists() or any((cache() / "engine" / "containers").glob("*")))


def our_pid() -> int | None:
    """The pid of the dockerd that we started, if it lives; a number that another program has got since does not count."""
    try:
        pid = int((RUN / "dockerd.pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if str(RUN / "dockerd.pid").encode() in words else None


def _refuse_unfit(running: Engine) -> None:
    """An engine that is not ours can start no node on a host that withholds capabilities, unless it was given a runtime for that."""
    if running.ours or not bounded():
        return
    said = shell.run(["docker", "info", "--format", "{{.DefaultRuntime}}"], timeout_s=20, env=running.env()).strip()
    if said == "runc":
        raise Refused(
            f"use the container engine at {running.host}",
            "this host withholds capabilities that privileged containers ask for, and the engine's default runtime runc stops at that",
            "stop it, and the lab starts one of its own; or give it the runtime scripts/boundcaps as its default",
        )


def _start(progress: Progress, clock: Clock) -> Engine:
    if os.geteuid() != 0:
        raise Unavailable(
            "reach a container engine", f"none answers at {SOCKET}, and starting one takes root", "sudo systemctl start docker"
        )
    log = cache() / "logs" / "engine.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    RUN.mkdir(mode=0o700, parents=True, exist_ok=True)
    (RUN / "dockerd.pid").unlink(missing_ok=True)  # dockerd refuses to start if another program has got that number since
    if not (RUN / "before.json").exists():  # after a killed engine, what it found is what counts
        (RUN / "before.json").write_text(json.dumps(firewall.state()))
    with progress.step("Starting a container engine of the lab's own", READY_S_MAX) as step:
        step.say(f"log {log}")
        pid = shell.spawn(_command(), log=log)
        end_s = clock.now_s() + READY_S_MAX
        while clock.now_s() < end_s:
            if _answers(SOCKET):
                return Engine(f"unix://{SOCKET}", ours=True)
            if not Path(f"/proc/{pid}/exe").exists():
                break
            clock.sleep(0.2)
    said = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise Unavailable("start the container engine", said, f"read {log}")


def _command() -> list[str]:
    argv = ["dockerd", "--host", f"unix://{SOCKET}", "--data-root", str(cache() / "engine"), "--exec-root", str(RUN / "exec")]
    argv += ["--pidfile", str(RUN / "dockerd.pid"), "--bip", BRIDGE_ADDRESS, "--default-address-pool", NETWORK_POOL]
    argv += ["--log-opt", "max-size=16m", "--log-opt", "max-file=2"]
    return argv + (["--add-runtime", f"boundcaps={_shim()}", "--default-runtime", "boundcaps"] if bounded() else [])


def _shim() -> Path:
    """Install scripts/boundcaps with this Python as its interpreter: a shim of a version manager in PATH would cost every exec 100 ms."""
    text = (project() / "scripts" / "boundcaps").read_text().split("\n", 1)[1]
    place = cache() / "bin" / "boundcaps"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!{Path(sys.executable).resolve()} -IS\n{text}")
    place.chmod(0o755)
    return place


def _answers(place: Path, timeout_s: float = 3.0) -> bool:
    """Does an engine answer Docker's ping on this socket?"""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(timeout_s)
        try:
            line.connect(str(place))
            line.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            return b" 200 " in line.recv(64)
        except OSError:
            return False


def _end(pid: int, clock: Clock) -> None:
    """SIGTERM, then SIGKILL to dockerd and the containerd that it started."""
    theirs = RUN / "exec" / "containerd" / "containerd.pid"
    pids = [pid, *([int(theirs.read_text())] if theirs.exists() else [])]
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for each in pids if sign == signal.SIGKILL else [pid]:
            _kill(each, sign)
        end_s = clock.now_s() + STOP_S_MAX
        while clock.now_s() < end_s and any(_alive(each) for each in pids):
            clock.sleep(0.1)
        if not any(_alive(each) for each in pids):
            return
    raise Unavailable(
        f"end the container engine, pid {pid}", f"it survives SIGKILL for {STOP_S_MAX:.0f} s", f"ps -o pid,stat,wchan,args -p {pid}"
    )


def _kill(pid: int, sign: signal.Signals) -> None:
    if _alive(pid):
        os.kill(pid, sign)


def _alive(pid: int) -> bool:
    """True for a process that still runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def _clean() -> None:
    """Take away what dockerd leaves when it goes."""
    below = [str(RUN), str(cache() / "engine")]
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((place for place in mounts if any(place == root or place.startswith(f"{root}/") for root in below)), reverse=True):
        shell.attempt(["umount", "--lazy", mount], timeout_s=10)
    firewall.restore(json.loads((RUN / "before.json").read_text()) if (RUN / "before.json").exists() else {})
    SOCKET.unlink(missing_ok=True)
    shell.attempt(["rm", "-rf", str(RUN)], timeout_s=30)
