"""Build Go programs out of the module registry with pinned wrapper modules: static, stripped, the same bytes everywhere."""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from functools import cache as once
from pathlib import Path

from lab.adapters import shell
from lab.core.errors import LabError, Unavailable
from lab.core.paths import cache, project
from lab.core.progress import Progress
from lab.images.parts import Bench
from lab.images.versions import GO_MINOR_MIN, GO_WHEEL

BUILD_S_MAX = 3600.0
"""Chosen: Kubernetes takes 6 to 7 min on 2 cores; one slow core and a slow network must still get through."""

WHEEL_S_MAX = 900.0
"""Chosen: 60 MB; 0.6 Mbit/s must get through."""


def prepare(progress: Progress) -> None:
    """See to it that there is a Go toolchain, with a step to watch where the wheel has to be fetched."""
    host = shell.found("go")
    if wheel_go().exists() or (host and _minor(host) >= GO_MINOR_MIN):
        return
    with progress.step(f"Installing a Go toolchain ({GO_WHEEL}) into the cache", WHEEL_S_MAX):
        go()


def build(bench: Bench, recipe: str, packages: Sequence[str], names: Sequence[str], *, flags: Sequence[str] = ()) -> list[Path]:
    """Compile main packages from the module in images/RECIPE into the cache's bin folder.

    Args:
        bench: where progress and output go.
        recipe: folder below images/ with go.mod and go.sum.
        packages: import paths of the main packages.
        names: what `go build` calls them, and what they are to be called, as `is` or `is=shall`.
        flags: more flags for `go build`.
    """
    bench.step.say(f"fetching modules, log {bench.log}")
    room = cache() / "work" / bench.log.stem
    shutil.rmtree(room, ignore_errors=True)
    shutil.copytree(project() / "images" / recipe, room / "module")
    (room / "out").mkdir()
    bench.step.say(f"compiling, log {bench.log}")
    argv = [str(go()), "build", "-v", "-o", f"{room / 'out'}/", *flags, *packages]
    shell.run(argv, timeout_s=BUILD_S_MAX, log=bench.log, env=environment(), cwd=room / "module")
    made = [_move(room / "out" / name.split("=")[0], binary(name.split("=")[-1])) for name in names]
    shutil.rmtree(room, ignore_errors=True)
    return made


def install(bench: Bench, module: str, name: str) -> Path:
    """`go install` a program whose own go.mod pins everything; MODULE is path@version."""
    room = cache() / "work" / bench.log.stem
    argv = [str(go()), "install", "-v", "-ldflags=-s -w", module]
    shell.run(argv, timeout_s=BUILD_S_MAX, log=bench.log, env={**environment(), "GOBIN": str(room)})
    return _move(room / name, binary(name))


def module_folder(bench: Bench, module: str) -> Path:
    """Where the module cache keeps the files of path@version, fetched when missing."""
    listed = shell.run([str(go()), "mod", "download", "-json", module], timeout_s=600, env=environment())
    bench.log.open("a").write(listed)
    found = re.search(r'"Dir": "(.*)"', listed)
    if not found:
        raise LabError(f"find the files of {module}", listed, "run `lab images build --clean`")
    return Path(found[1])


def binary(name: str) -> Path:
    """Where a built program is kept."""
    return cache() / "bin" / name


def environment() -> dict[str, str]:
    """Variables for every go command: static code, the cache's own module and build folders, no toolchain fetched behind our
    back. What the user has set with `go env -w` (a proxy, say) holds for the rest.
    """
    root = cache() / "go"
    return {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false -mod=mod -trimpath",
        "GOTOOLCHAIN": "local",
        "GOMODCACHE": str(root / "mod"),
        "GOCACHE": str(root / "build"),
        "GOBIN": str(root / "bin"),
        "GOWORK": "off",
        "GO111MODULE": "on",
    }


@once
def go() -> Path:
    """A Go toolchain that is new enough: the host's, else the pinned wheel's, installed into the cache."""
    host = shell.found("go")
    if host and _minor(host) >= GO_MINOR_MIN:
        return host
    wheel = wheel_go()
    if not wheel.exists():
        venv = wheel.parents[1] / "venv"
        shell.run([sys.executable, "-m", "venv", str(venv)], timeout_s=120)
        shell.run([str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", GO_WHEEL], timeout_s=WHEEL_S_MAX)
        wheel.parent.mkdir(parents=True, exist_ok=True)
        wheel.unlink(missing_ok=True)
        wheel.symlink_to(_inside(venv))
    return wheel


def wheel_go() -> Path:
    """Where the wheel's go is, once it is installed."""
    return cache() / "tools" / "go" / "bin" / "go"


def toolchain() -> str:
    """The toolchain's version, for stamps: `go1.26.3`."""
    return shell.run([str(go()), "env", "GOVERSION"], timeout_s=60, env=environment()).strip()


def _inside(venv: Path) -> Path:
    places = [venv / "bin" / "go", *venv.glob("lib/python*/site-packages/**/bin/go")]
    for place in places:
        if place.exists():
            return place
    raise Unavailable(f"find go in {GO_WHEEL}", f"no bin/go below {venv}", f"install Go 1.{GO_MINOR_MIN} or newer and try again")


def _minor(program: Path) -> int:
    said = shell.attempt([str(program), "env", "GOVERSION"], timeout_s=60, env={"GOTOOLCHAIN": "local"}).out
    found = re.match(r"go1\.(\d+)", said)
    return int(found[1]) if found else 0


def _move(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.move(source, draft)
    draft.replace(target)
    return target
