"""Kafka's jars: fetched by Maven from its registry, each checked against images/kafka/jars.lock."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

from lab.adapters import shell
from lab.core.errors import LabError
from lab.core.paths import cache, project
from lab.images.parts import Bench, files_made

FETCH_S_MAX = 900.0
"""Chosen: 45 MB of jars and Maven's own plugins take 30 s; a slow mirror must get through."""

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def jars(bench: Bench) -> dict[str, Any]:
    """Fetch the jars into the cache and check them; a part that counts as made only with every checksum right."""
    place = cache() / "jars"
    bench.step.say(f"Maven, log {bench.log}")
    fetch(place, bench.log)
    check(place, lock())
    return files_made(*sorted(place.glob("*.jar")))


def fetch(place: Path, log: Path) -> None:
    """Have Maven copy every jar of pom.xml's dependency tree to a folder, with a repository of its own in the cache."""
    shutil.rmtree(place, ignore_errors=True)
    room = cache() / "maven"
    argv = [
        "mvn",
        "--batch-mode",
        "--no-transfer-progress",
        f"-Dmaven.repo.local={room}",
        "--file",
        str(project() / "images" / "kafka" / "pom.xml"),
    ]
    shell.run([*argv, PLUGIN, f"-DoutputDirectory={place}", "-DincludeScope=runtime"], timeout_s=FETCH_S_MAX, log=log)


def lock() -> dict[str, str]:
    """The lock file: jar name to SHA-256."""
    lines = (project() / "images" / "kafka" / "jars.lock").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines if line and not line.startswith("#"))}


def digests(place: Path) -> dict[str, str]:
    """The SHA-256 of every jar in a folder."""
    return {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted(place.glob("*.jar"))}


def check(place: Path, locked: dict[str, str]) -> None:
    """Raise unless the folder holds exactly the locked jars."""
    here = digests(place)
    wrong = sorted(name for name in here.keys() | locked.keys() if here.get(name) != locked.get(name))
    if wrong:
        shutil.rmtree(place)
        raise LabError(
            "check Kafka's jars against images/kafka/jars.lock", f"missing, new or changed: {', '.join(wrong)}", "see images/kafka/pom.xml"
        )
