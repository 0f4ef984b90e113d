"""What goes into the workload's image: a Python that runs where nothing else is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GATHER = Path(__file__).parents[3] / "images" / "workload" / "gather.py"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its root folder")
def test_the_gathered_python_runs_alone_and_has_what_the_sidecars_import(tmp_path):
    subprocess.run([sys.executable, "-I", str(GATHER), str(tmp_path)], check=True)
    python = next(tmp_path.rglob("bin/python3")).relative_to(tmp_path)
    script = "import ctypes, http.server, json, mmap, socket, ssl, sys; print(ssl.OPENSSL_VERSION, sys.version_info[:2])"
    said = subprocess.run(["chroot", str(tmp_path), f"/{python}", "-S", "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith("OpenSSL ")
    assert not list(tmp_path.rglob("site-packages")) + list(tmp_path.rglob("idlelib"))
    assert subprocess.run(["chroot", str(tmp_path), "/bin/sh", "-c", "cat /etc/nsswitch.conf"], capture_output=True, check=True).stdout
