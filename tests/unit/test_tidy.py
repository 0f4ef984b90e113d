"""Sizes that keep the house readable (see the style: file under 400 lines, function under 70)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from lab.core.paths import project

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
PLACES = ("lab", "images", "loadtests", "tests")


def sources() -> Iterator[Path]:
    return (path for place in PLACES for path in sorted((project() / place).rglob("*.py")))


def long_functions(text: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield node.name, lines


def test_no_file_is_too_long_to_read() -> None:
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert len(lines) > 100
    assert {name: count for name, count in lines.items() if count > FILE_LINES_MAX} == {}


def test_no_function_is() -> None:
    assert [(path.name, *found) for path in sources() for found in long_functions(path.read_text(encoding="utf-8"))] == []


def test_a_long_function_would_be_found() -> None:
    text = "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX
    assert list(long_functions(text)) == [("f", FUNCTION_LINES_MAX + 1)]
