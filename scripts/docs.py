"""MkDocs hook: what the code knows best is written into the pages when they are built, so that it is never stale.

`<!-- lab:commands -->` on a page becomes what `lab.cli.reference` says for it.
"""

import re
from typing import Any

from lab.cli.reference import part

MARK = re.compile(r"^<!-- lab:(\w+) ?(\S*) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs calls this for each page, before it is made into HTML."""
    return MARK.sub(lambda found: part(found[1], found[2]), markdown)
