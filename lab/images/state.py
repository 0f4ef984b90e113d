"""What is there of the images, for `lab images` and the doctor."""

import json
from dataclasses import dataclass
from typing import Literal

from lab.core.paths import cache
from lab.images import containers
from lab.images.table import IMAGES, ON_REQUEST, Image

Source = Literal["built", "pulled", "unknown", ""]


@dataclass(frozen=True, slots=True)
class Status:
    """One row: the image, whether the engine has it, and where it is from ("unknown": under our name, but not by us)."""

    image: Image
    present: bool
    source: Source


def status() -> list[Status]:
    """Every image of the table, in its order."""
    here = containers.image_ids()
    return [Status(image, image.tag in here, _source(image, here.get(image.tag))) for image in (*IMAGES, *ON_REQUEST)]


def made() -> bool:
    """Does the cache say that every image was made, built or pulled? Needs no engine."""
    return all(_stamped(image.part) or _stamped(f"pull-{image.part}") for image in IMAGES)


def _source(image: Image, found: str | None) -> Source:
    if found is None:
        return ""
    ways: tuple[tuple[Source, str], ...] = (("built", image.part), ("pulled", f"pull-{image.part}"))
    return next((way for way, stamp in ways if _stamped(stamp) == found), "unknown")


def _stamped(stamp: str) -> str | None:
    try:
        made = json.loads((cache() / "stamps" / f"{stamp}.json").read_text())["made"]
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None
    return str(made.get("image"))
