"""Which runs a sweep is made of: every combination of arms and of some fields' values, several times, in an order that keeps time from looking like an effect.

A sweep takes hours, in which a machine warms up and fills. So its runs go round by round, each round holds every combination once, and the order
within a round is drawn anew. The order follows from the seed alone, so that a sweep that was interrupted goes on where it was, and one that
is given more rounds keeps those it has.
"""

import itertools
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lab.core.errors import Refused

TABLE_FILE, CSV_FILE, PAGE_FILE = "table.md", "runs.csv", "sweep.html"
"""What a sweep writes into its folder, in either world."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep's runs have in common; kept with them, so that only the same sweep goes on in a folder. `repeat` may grow.

    Args:
        experiment: name or path.
        changes: fields that are set alike in all runs.
        varied: `FIELD=VALUE,VALUE,...` each.
        seed: of the order, or of the first simulated run.
        world: where they run.
        arms: `NAME: FIELD=VALUE FIELD=VALUE ...` each.
    """

    experiment: str
    changes: tuple[str, ...]
    varied: tuple[str, ...]
    seed: int
    world: str = "kind"
    arms: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """What is varied, as the tables head it."""
        return [*(["arm"] if self.arms else []), *(text.partition("=")[0] for text in self.varied)]


@dataclass(frozen=True, slots=True)
class Arm:
    """What is compared under a name of its own.

    Args:
        name: in tables and folders.
        settings: `FIELD=VALUE` of each field that it sets; none for the experiment as it comes.
    """

    name: str
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination.

    Args:
        varied: `FIELD=VALUE` of each field that is varied.
        arm: None if there are no arms.
    """

    varied: tuple[str, ...]
    arm: Arm | None = None

    @property
    def settings(self) -> tuple[str, ...]:
        """All that it sets."""
        return (*(self.arm.settings if self.arm else ()), *self.varied)

    @property
    def values(self) -> tuple[str, ...]:
        """The name of its arm, then the values alone."""
        return (*((self.arm.name,) if self.arm else ()), *(setting.partition("=")[2] for setting in self.varied))

    @property
    def title(self) -> str:
        """For people."""
        return ", ".join((*((self.arm.name,) if self.arm else ()), *self.varied))

    @property
    def slug(self) -> str:
        """For names of folders."""
        return "+".join(re.sub(r"[^A-Za-z0-9.-]+", "-", value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Planned:
    """One run.

    Args:
        round: from 1.
        cell: what it runs.
    """

    round: int
    cell: Cell

    @property
    def folder(self) -> str:
        """Its name below the sweep's folder."""
        return f"{self.round:02d}-{self.cell.slug}" if self.cell.values else f"{self.round:02d}"


def cells(varied: Sequence[str], arms: Sequence[str] = ()) -> list[Cell]:
    """Every combination of an arm and of the values of each field, in the order in which they are given; one without settings if nothing is.

    Args:
        varied: `FIELD=VALUE,VALUE,...` each.
        arms: `NAME: FIELD=VALUE FIELD=VALUE ...` each, quoted as in a shell; a name alone sets nothing.

    Raises:
        Refused: not of that form, a field is named twice, or two combinations would share a folder.
    """
    compared: list[Arm | None] = [_arm(text) for text in arms] or [None]
    taken = {setting.partition("=")[0] for arm in compared if arm for setting in arm.settings}
    axes: list[list[str]] = []
    for text in varied:
        field, equals, values = text.partition("=")
        listed = [value.strip() for value in values.split(",")]
        if not equals or not field.strip() or not all(listed) or field in taken:
            raise Refused(f"use --vary {text}", "it is not FIELD=VALUE,VALUE with each field once", "--vary consul.version=1.2.2,1.2.3")
        taken.add(field)
        axes.append([f"{field}={value}" for value in listed])
    found = [Cell(settings, arm) for arm in compared for settings in itertools.product(*axes)]
    if len({cell.slug for cell in found}) < len(found):
        raise Refused("tell the runs of the sweep apart", "two combinations have the same values", "name each value once")
    return found


def _arm(text: str) -> Arm:
    name, _, settings = text.partition(":")
    words = _words(settings)
    if not name.strip() or "=" in name or words is None or not all(re.match("[^=]+=", word) for word in words):
        raise Refused(f"use --arm '{text}'", "it is not NAME: FIELD=VALUE FIELD=VALUE", "--arm 'no key: remedies.0.key=unchanged'")
    return Arm(name.strip(), tuple(words))


def _words(settings: str) -> list[str] | None:
    """As a shell takes them apart; None where a quote stays open."""
    try:
        return shlex.split(settings)
    except ValueError:
        return None


def order(found: Sequence[Cell], rounds: int, seed: int) -> Iterator[Planned]:
    """All runs, round by round. The first rounds are the same however many there are."""
    chance = np.random.default_rng(seed)
    for number in range(1, rounds + 1):
        for index in chance.permutation(len(found)):
            yield Planned(number, found[index])
