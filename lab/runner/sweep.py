"""Which runs a sweep is made of: every combination of some fields' values, several times, in an order that keeps time from looking like an effect.

A sweep takes hours, in which a machine warms up and fills. So its runs go round by round, each round holds every combination once, and the order
within a round is drawn anew. The order follows from the seed alone, so that a sweep that was interrupted goes on where it was, and one that
is given more rounds keeps those it has.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lab.core.errors import Refused


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination: `FIELD=VALUE` of each field that is varied."""

    settings: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The values alone."""
        return tuple(setting.partition("=")[2] for setting in self.settings)

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
        return f"{self.round:02d}-{self.cell.slug}" if self.cell.settings else f"{self.round:02d}"


def cells(varied: Sequence[str]) -> list[Cell]:
    """Every combination of `FIELD=VALUE,VALUE,...`, in the order in which they are given; one without settings if nothing is varied.

    Raises:
        Refused: not of that form, a field is named twice, or two combinations would share a folder.
    """
    axes: dict[str, list[str]] = {}
    for text in varied:
        field, equals, values = text.partition("=")
        listed = [value.strip() for value in values.split(",")]
        if not equals or not field.strip() or not all(listed) or field in axes:
            raise Refused(f"use --vary {text}", "it is not FIELD=VALUE,VALUE with each field once", "--vary consul.version=1.2.2,1.2.3")
        axes[field] = [f"{field}={value}" for value in listed]
    found = [Cell(settings) for settings in itertools.product(*axes.values())]
    if len({cell.slug for cell in found}) < len(found):
        raise Refused("tell the runs of the sweep apart", "two combinations have the same values", "name each value once")
    return found


def order(found: Sequence[Cell], rounds: int, seed: int) -> Iterator[Planned]:
    """All runs, round by round. The first rounds are the same however many there are."""
    chance = np.random.default_rng(seed)
    for number in range(1, rounds + 1):
        for index in chance.permutation(len(found)):
            yield Planned(number, found[index])
