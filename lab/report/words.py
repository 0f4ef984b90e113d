"""How numbers and names are written for people: short, with their unit, the same everywhere on the page."""

from collections.abc import Sequence

GAP = "\u00a0"
"""Between a figure and its unit: they are never parted at the end of a line."""

_BYTES = ("B", "kB", "MB", "GB", "TB")


def number(value: float | None, unit: str = "") -> str:
    """`value` to three significant figures and its unit; a dash where there is none."""
    if value is None:
        return "-"
    match unit:
        case "ms":
            return _milliseconds(value)
        case "B":
            return _bytes(value)
        case "share":
            return f"{100 * value:.0f}{GAP}%"
        case "nodes" | "pods" | "members" | "links" | "deploys" | "backends" if value == 1:
            return f"1{GAP}{unit[:-1]}"
        case _:
            return f"{_short(value)}{GAP}{unit}".rstrip(GAP)


def spread(low: float, high: float, unit: str) -> str:
    """`2 ms to 33 ms`, or one figure where both are written alike."""
    first, last = number(low, unit), number(high, unit)
    return first if first == last else f"{first} to {last}"


def seconds(value: float | None) -> str:
    """A moment or a duration on the run clock, to a tenth of a second."""
    return "-" if value is None else f"{value:.1f}{GAP}s"


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def counted(count: int, noun: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def short_node(node: str) -> str:
    """A node's name without the cluster's: `worker2`; `control` for the control plane, whose name is too long for a phone."""
    return node.removeprefix("cascade-lab-").removesuffix("-plane")


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _milliseconds(value: float) -> str:
    return f"{value / 1000:.3g}{GAP}s" if abs(value) >= 1000 else f"{value:.3g}{GAP}ms"


def _bytes(value: float) -> str:
    for unit in _BYTES:
        if abs(value) < 1000 or unit == _BYTES[-1]:
            break
        value /= 1000
    return f"{value:.3g}{GAP}{unit}"
