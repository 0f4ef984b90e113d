"""Node images: kind's base from Debian, Kubernetes on it, and the images that a node needs already in its own store.

Images are imported without unpacking. Unpacking at this point would spare the node some CPU at its start, but cannot be kept: a node's
/var is a volume, and containerd's overlay layers cannot be made on top of the overlay that an image is built on. The core node unpacks its
own while it boots (images/node-core).
"""

import shutil
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from lab.adapters import shell
from lab.adapters.clock import SystemClock
from lab.core.errors import LabError, Unavailable
from lab.core.paths import cache, project
from lab.images import containers, golang, versions
from lab.images.parts import Bench
from lab.images.table import by_part

VERSION = f"v{versions.KUBERNETES}"
KEEP_ENTRYPOINT = ("--change", 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]', "--change", "CMD []")
IMPORT_S_MAX = 600.0
"""Chosen: 14 to 20 s for 1 GB on 2 cores."""

CONTAINERD_S_MAX = 60.0
CONTROL = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
"""What only the control plane runs; taken out of the other nodes' stores, for every byte of a store is copied when a node starts."""

STOP_CONTAINERD = "pkill -x containerd; while pgrep -x containerd >/dev/null; do sleep 0.1; done; rm -f /var/log/bake.log"
LOOSEN = r"""
set -eu
sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml
find /etc/systemd/system -maxdepth 1 -name '*.service' -type f -exec sed -i -E '/^(Limit[A-Z]+=infinity|OOMScoreAdjust=)/d' {} +
"""
"""For hosts that withhold CAP_SYS_RESOURCE: nothing in a node may ask for a lower OOM score or higher limits than it was given."""

QUIET = r"sed -i '/^\[proxy_plugins\]/,/containerd-fuse-overlayfs.sock/d' /etc/containerd/config.toml"
"""Only rootless engines have that snapshotter; elsewhere containerd asks for its socket 20 times a second, 2 % of a core for each idle node."""

TIGHT = r"grep -qs 'restrict_oom_score_adj = false' /etc/containerd/config.toml || grep -qsE '^(Limit[A-Z]+=infinity|OOMScoreAdjust=)' /etc/systemd/system/*.service"


def node_base(bench: Bench) -> dict[str, Any]:
    """Debian with systemd and containerd, and kind's files out of kind's own module."""
    kind = golang.module_folder(bench, f"sigs.k8s.io/kind@v{versions.KIND}")
    return containers.build(bench, "node-base", by_part("node-base").tag, {"kind": kind / "images" / "base" / "files"})


def kindest_node(bench: Bench) -> dict[str, Any]:
    """The node image as kind's users know it: node-base with Kubernetes' programs and the images that kubeadm asks for."""
    wanted = kubeadm_images()
    for name, tag in wanted.items():
        bench.step.say(f"image {tag}, log {bench.log}")
        _program_image(bench, name, tag)
    with containers.container(by_part("node-base").tag) as box:
        for name in ("kubeadm", "kubelet", "kubectl"):
            shell.run(["docker", "cp", str(golang.binary(name)), f"{box}:/usr/bin/{name}"], timeout_s=120)
        containers.inside(box, ["sh", "-c", f"chown root:root /usr/bin/kube* && printf {VERSION} > /kind/version"])
        pause = wanted["pause"].replace("/", r"\/")
        containers.inside(box, ["sed", "-i", f's/sandbox_image = .*/sandbox_image = "{pause}"/', "/etc/containerd/config.toml"])
        containers.inside(box, ["sh", "-c", LOOSEN])
        containers.inside(box, ["sh", "-c", QUIET])
        fill(bench, box, list(wanted.values()))
        made = commit(box, by_part("kindest-node").tag)
    shell.attempt(["docker", "image", "rm", *wanted.values()], timeout_s=120)  # the node has its own copies
    return made


def loosened(bench: Bench, tag: str) -> dict[str, Any]:
    """Make a pulled node image fit for a host that withholds capabilities, under the same tag; nothing changes if it fits already."""
    pulled = containers.image_id(tag) or ""
    with containers.container(tag) as box:
        if shell.attempt(["docker", "exec", box, "sh", "-c", TIGHT], timeout_s=60).code != 0:
            return containers.made_image(tag, pulled=pulled)
        bench.step.say("taking out what this host withholds")
        containers.inside(box, ["sh", "-c", LOOSEN])
        return {**commit(box, tag), "pulled": pulled}


def bake(bench: Bench, part: str, images: Sequence[str]) -> dict[str, Any]:
    """A node image with more images in its store and the control plane's taken out, and the units of images/PART, if there are any."""
    with containers.container(by_part("kindest-node").tag) as box:
        containers.inside(box, ["sh", "-c", QUIET])
        for unit in sorted((project() / "images" / part).glob("*.service")):
            shell.run(["docker", "cp", str(unit), f"{box}:/etc/systemd/system/{unit.name}"], timeout_s=60)
            containers.inside(box, ["systemctl", "enable", unit.name])
        fill(bench, box, images, drop=CONTROL)
        return commit(box, by_part(part).tag)


def fill(bench: Bench, box: str, tags: Sequence[str], drop: Sequence[str] = ()) -> None:
    """Run containerd in a container, import the engine's images into its store, and stop it cleanly.

    Args:
        bench: where progress and output go.
        box: the container.
        tags: images of the engine.
        drop: last words of the names of images to remove first.
    """
    ctr = ["docker", "exec", box, "ctr", "--namespace", "k8s.io", "images"]
    shell.run(["docker", "exec", "--detach", box, "sh", "-c", "exec containerd >/var/log/bake.log 2>&1"], timeout_s=30)
    _wait_for_containerd(box)
    _remove(ctr, refs_of(shell.run([*ctr, "list"], timeout_s=60), drop))
    bench.step.say(f"importing {len(tags)} images, log {bench.log}")
    importer = ["docker", "exec", "--interactive", *ctr[2:], "import", "--all-platforms", "--no-unpack", "--digests", "-"]
    shell.pipe(["docker", "save", *tags], importer, timeout_s=IMPORT_S_MAX, log=bench.log)
    held = shell.run([*ctr, "list", "--quiet"], timeout_s=60).split()
    _remove(ctr, [name for name in held if name.startswith("import-")])  # the archive's index: it would keep dropped images alive
    shell.run(["docker", "exec", box, "sh", "-c", STOP_CONTAINERD], timeout_s=60)


def refs_of(listing: str, names: Sequence[str]) -> list[str]:
    """Every reference to the images of these names: containerd keeps an image while one of its names, digests included, is left.

    Args:
        listing: what `ctr images list` prints: reference, type, digest, ...
        names: last words of image names, such as `etcd`.
    """
    rows = [line.split()[:3] for line in listing.splitlines()[1:] if line.strip()]
    digests = {digest for ref, _, digest in rows if ref.split("@")[0].rsplit(":", 1)[0].rsplit("/", 1)[-1] in names}
    return [ref for ref, _, digest in rows if digest in digests]


def _remove(ctr: Sequence[str], refs: Sequence[str]) -> None:
    if refs:
        shell.run([*ctr, "remove", "--sync", *refs], timeout_s=120)


def commit(box: str, tag: str) -> dict[str, Any]:
    """Keep a container as an image that starts as kind's nodes do. Nothing runs in it but a sleep, so there is no need to freeze it."""
    shell.run(["docker", "commit", "--pause=false", *KEEP_ENTRYPOINT, box, tag], timeout_s=600)
    return containers.made_image(tag)


def kubeadm_images() -> dict[str, str]:
    """Program to image name, as this Kubernetes' own kubeadm asks for them."""
    listed = shell.run([str(golang.binary("kubeadm")), "config", "images", "list", f"--kubernetes-version={VERSION}"], timeout_s=60)
    return {tag.rsplit(":", 1)[0].rsplit("/", 1)[-1]: tag for tag in listed.split()}


def _program_image(bench: Bench, name: str, tag: str) -> None:
    """An image with one static program, or for kube-proxy with iptables beside it."""
    program = golang.binary(name)
    if name == "kube-proxy":
        containers.build(bench, "kube-proxy", tag, {"program": program})
        return
    place = "/coredns" if name == "coredns" else "/pause" if name == "pause" else f"/usr/local/bin/{name}"
    tar = cache() / "work" / f"{name}.tar"
    tar.parent.mkdir(parents=True, exist_ok=True)
    try:
        _tar_program(tar, program, place)
        path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        shell.run(
            ["docker", "import", "--change", path, "--change", f'ENTRYPOINT ["{place}"]', str(tar), tag], timeout_s=120, log=bench.log
        )
    finally:
        tar.unlink(missing_ok=True)


def _tar_program(tar: Path, program: Path, place: str) -> None:
    """A file system with a program, a /tmp, and the users' table that some programs look into."""
    with tarfile.open(tar, "w") as packed:
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        packed.addfile(folder)
        users = tarfile.TarInfo("etc/passwd")
        text = b"root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"
        users.size, users.mode = len(text), 0o644
        packed.addfile(users, BytesIO(text))
        packed.add(program, place.lstrip("/"), filter=_owned_by_root)


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755
    return member


def _wait_for_containerd(box: str) -> None:
    clock = SystemClock()
    end_s = clock.now_s() + CONTAINERD_S_MAX
    while clock.now_s() < end_s:
        ran = shell.attempt(["docker", "exec", box, "ctr", "version"], timeout_s=20)
        if ran.code == 0:
            return
        clock.sleep(0.3)
    raise Unavailable("start containerd in a node image", ran.err.strip()[-500:], f"docker logs {box}")


def assert_holds(tag: str, images: Sequence[str]) -> None:
    """Raise unless a node image's store lists these images; used by tests and after a bake."""
    with containers.container(tag) as box:
        shell.run(["docker", "exec", "--detach", box, "containerd"], timeout_s=30)
        _wait_for_containerd(box)
        held = containers.inside(box, ["ctr", "--namespace", "k8s.io", "images", "list", "--quiet"]).split()
    lacking = [image for image in images if not any(name.endswith(f"/{image}") for name in held)]
    if lacking:
        raise LabError(f"find {', '.join(lacking)} in {tag}", f"it holds {', '.join(held)}", "run `lab images build`")


def clean_work() -> None:
    """Remove what interrupted parts left: work folders and bake containers."""
    shutil.rmtree(cache() / "work", ignore_errors=True)
    left = shell.run(["docker", "ps", "--all", "--quiet", "--filter", f"name=^{containers.BAKE}"], timeout_s=60).split()
    for box in left:
        containers.remove(box)
