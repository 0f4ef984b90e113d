"""The pages of `lab serve`: what answers which address. Knows no socket; `lab.adapters.site` does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from lab.core.errors import LabError
from lab.report import diff, page
from lab.report.exports.openmetrics import plain
from lab.report.folder import read
from lab.report.newest import none_running
from lab.report.shelf import FILES, Shelf
from lab.report.sides import side
from lab.report.template import FOLDER, fill

HTML = "text/html; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, type and content of one page."""

    status: int
    kind: str
    body: bytes


class Site:
    """Answers every address of the site from the runs of a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def answer(self, address: str) -> Answer:
        """The page at `/path?query`; 404 with a way back where there is none."""
        parts = urlsplit(address)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        match [unquote(step) for step in parts.path.split("/")[1:]]:
            case [""]:
                return self._index()
            case ["metrics"]:
                newest = self._shelf.newest()
                return Answer(200, METRICS, plain(newest.families() if newest else none_running()))
            case ["dashboard.json"]:
                return Answer(200, "application/json", (FOLDER / "dashboard.json").read_bytes())
            case ["diff"]:
                return self._diff(asked)
            case ["runs", name, file]:
                return self._file(name, file)
            case _:
                return _nothing(f"There is nothing at {parts.path}.")

    def _index(self) -> Answer:
        return Answer(200, HTML, fill("site.html.j2", None, entries=self._shelf.entries(), quote=quote).encode())

    def _file(self, name: str, file: str) -> Answer:
        place = self._shelf.place(name)
        if place is None or file not in FILES:
            return _nothing(f"There is no {file} of a run {name}.")
        if (place / file).is_file():
            return Answer(200, FILES[file], (place / file).read_bytes())
        return self._report(place) if file == "report.html" else _nothing(f"The run {name} has no {file}.")

    def _report(self, place: Path) -> Answer:
        """The page of a run that has none yet, as it goes or as it was left."""
        try:
            return Answer(200, HTML, page.render(*read(place)).encode())
        except LabError as error:
            return _nothing(str(error))

    def _diff(self, asked: Mapping[str, str]) -> Answer:
        places = [self._shelf.place(asked.get(letter, "")) for letter in "ab"]
        try:
            sides = []
            for letter, place in zip("AB", places, strict=True):
                if place is None:
                    return _nothing("Two runs are compared with /diff?a=RUN&b=RUN.")
                sides.append(side(letter, place.name, *read(place)))
        except LabError as error:
            return _nothing(str(error))
        return Answer(200, HTML, diff.render(*sides).encode())


def _nothing(why: str) -> Answer:
    return Answer(404, HTML, fill("nothing.html.j2", None, why=why).encode())
