"""The page of `lab pool`: one row an arm, and what the model cannot say."""

import functools
from collections.abc import Sequence
from pathlib import Path

import jinja2

from lab.sim.study import Finding, cells, limits, lines

FOLDER = Path(__file__).parent


def render_page(agents: int, found: Sequence[Finding]) -> str:
    """The page. Same input, same bytes."""
    opening, heads, *_ = lines(agents, found)
    css = (FOLDER / "page.css").read_text(encoding="utf-8")
    rows = [cells(each) for each in found]
    return _template().render(css=css, agents=f"{agents:,}", opening=opening, heads=heads.split(" | "), rows=rows, limits=limits(found))


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("pool.html.j2")
