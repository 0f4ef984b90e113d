"""The base of all built images: Debian's minimal system out of its package registry, less what no container reads."""

import shutil
from typing import Any

from lab.adapters import shell
from lab.core.paths import cache
from lab.images import containers, versions
from lab.images.parts import Bench

BOOTSTRAP_S_MAX = 1800.0
"""Chosen: 35 s on a fast mirror."""

UNREAD = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/lib/apt/lists", "var/cache/apt", "var/log")
"""Emptied, as Debian's official slim images do; licences stay in the packages' own registry."""

DPKG = "\n".join(f"path-exclude /{place}/*" for place in UNREAD[:4]) + "\n"


def debian(bench: Bench) -> dict[str, Any]:
    """Run debootstrap into a folder (in a mount namespace, so that an interrupt leaves no mount), then import it as an image."""
    root = cache() / "work" / "debian"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    bench.step.say(f"debootstrap, log {bench.log}")
    keyring = "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg"
    argv = ["unshare", "--mount", "debootstrap", "--variant=minbase", keyring, versions.DEBIAN, str(root)]
    shell.run(argv, timeout_s=BOOTSTRAP_S_MAX, log=bench.log)
    for place in UNREAD:
        for leaf in (root / place).iterdir() if (root / place).is_dir() else ():
            shutil.rmtree(leaf) if leaf.is_dir() and not leaf.is_symlink() else leaf.unlink()
    (root / "etc/dpkg/dpkg.cfg.d/cascade-lab").write_text(DPKG)
    (root / "etc/apt/apt.conf.d/cascade-lab").write_text('Acquire::Languages "none";\nAPT::Install-Recommends "false";\n')
    for name in ("etc/resolv.conf", "etc/hostname"):
        (root / name).unlink(missing_ok=True)
    tag = f"debian:{versions.DEBIAN}-slim"
    bench.step.say("importing it as an image")
    pack = ["tar", "--create", "--numeric-owner", "--one-file-system", "--directory", str(root), "."]
    shell.pipe(pack, ["docker", "import", "--change", 'CMD ["bash"]', "-", tag], timeout_s=600, log=bench.log)
    shutil.rmtree(root)
    return containers.made_image(tag)
