"""All tallies of the lab: what every pod has counted, the evicted ones too."""

from pathlib import Path

from lab.core.paths import TALLY
from lab.core.shipped import STATS_FILE
from lab.core.tally import Tally, parse


def read_all(folder: Path = TALLY) -> dict[str, Tally]:
    """Pod name to tally. A file that is not laid out yet belongs to a pod that has written nothing, and is left out, as what rsyslog counts is."""
    tallies = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if STATS_FILE.match(path.name):
            continue
        try:
            tallies[path.name] = parse(path.read_bytes())
        except (ValueError, FileNotFoundError):
            continue
    return tallies
