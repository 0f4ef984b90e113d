"""Where fitted parameters are kept: as they come with the lab, and as this machine's user fitted them last."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.core.errors import Refused
from lab.sim.chain.parameters import Costs
from lab.sim.fit.equations import Estimate, applied

COMMITTED = Path(__file__).resolve().parents[1] / "chain" / "calibration.json"


@dataclass(frozen=True, slots=True)
class Source:
    """A run that went into the fit: name of its folder, digest of its history."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """Parameters, and where they are from.

    Args:
        parameters: by name.
        runs: that went into the fit.
        made_with: versions of what it was made with.
    """

    parameters: Mapping[str, Estimate]
    runs: Sequence[Source]
    made_with: Mapping[str, str]

    def costs(self) -> Costs:
        """The simulator's costs with the fitted ones put in."""
        return applied(self.parameters)

    def used(self, sha256: str) -> bool:
        """Did a run with this history go into the fit?"""
        return any(run.sha256 == sha256 for run in self.runs)

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), indent=1) + "\n"


def load(path: Path) -> Calibration:
    """Read what `to_json` wrote.

    Raises:
        Refused: it is not one.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        parameters = {name: Estimate(**fields) for name, fields in raw["parameters"].items()}
        found = Calibration(parameters, [Source(**run) for run in raw["runs"]], raw["made_with"])
        found.costs()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Refused(f"use the calibration {path}", str(error), "fit again: lab calibrate --sim RUN...") from error
    return found


def newest(cache: Path) -> tuple[Calibration, Path]:
    """What this machine's user fitted, else what comes with the lab; and where it is.

    Raises:
        Refused: the file is there and holds no calibration.
    """
    own = cache / "simulator-calibration.json"
    path = own if own.exists() else COMMITTED
    return load(path), path
