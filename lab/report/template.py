"""Fills a page's template: styles and scripts are put into it, so that it opens anywhere and asks no network."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from lab.report import words

FOLDER = Path(__file__).parent
STYLES = ("vendor/uplot.min.css", "page.css", "parts.css", "small.css")
SCRIPTS = ("vendor/uplot.min.js", "charts.js", "controls.js", "numbers.js", "log.js")


def fill(name: str, told: dict[str, Any] | None, **context: Any) -> str:
    """The page `name` with what its script draws (`told`; None: a page without charts). Same input, same bytes."""
    scripts: Sequence[str] = SCRIPTS if told is not None else ()
    return (
        _environment()
        .get_template(name)
        .render(
            told=json.dumps(told, separators=(",", ":")).replace("<", "\\u003c"),
            css="".join(map(_text, STYLES)),
            scripts=list(map(_text, scripts)),
            **{word: getattr(words, word) for word in ("number", "seconds", "counted")},
            **context,
        )
    )


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
