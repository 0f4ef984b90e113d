"""The commands that README and documentation show: where they stand, and what is said about who runs them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.core.paths import project

SHELLS = ("sh", "bash", "console", "shell")
FENCE = re.compile(r"^( *)```(\w*) *(.*)$")
TITLE = re.compile(r'title="([^"]*)"')
SPAN = re.compile(r"`((?:lab |make |scripts/)[^`]+)`")
BARE = re.compile(r"^(?: {4,}|\t)(?:\$ )?((?:lab|make) [a-z].*)$", re.MULTILINE)
"""Markdown makes a block of such a line, too."""


@dataclass(frozen=True)
class Block:
    """One fenced block: its file, the line it begins at, its language, its title, and its lines."""

    file: Path
    line: int
    language: str
    title: str
    lines: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.file.relative_to(project())}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Without comments and blank lines."""
        return [found for line in self.lines if (found := line.split(" # ")[0].split("  #")[0].strip()) and not found.startswith("#")]


def files() -> list[Path]:
    return [project() / "README.md", *sorted((project() / "docs").rglob("*.md"))]


def blocks(file: Path) -> Iterator[Block]:
    opened: tuple[int, str, str, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None and fence:
            title = TITLE.search(fence[3])
            opened, lines = (number, fence[1], fence[2], title[1] if title else ""), []
        elif opened is not None and line.strip() == "```":
            yield Block(file, opened[0], opened[2], opened[3], tuple(each.removeprefix(opened[1]) for each in lines))
            opened = None
        elif opened is not None:
            lines.append(line)
    assert opened is None, f"{file}: a block is not closed"


def spans(file: Path) -> list[str]:
    """Commands within sentences and tables."""
    return SPAN.findall(_without_blocks(file))


def bare(file: Path) -> list[str]:
    """Commands in blocks that have no fence, and so no place for a title."""
    return BARE.findall(_without_blocks(file))


def _without_blocks(file: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
