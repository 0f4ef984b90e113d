"""A picture of a run as lines of a given width and height: what stands where, and what gives way first where there is little room."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from lab.live.model import Light, OpenFault, Picture
from lab.live.strips import Glyphs, Measure, Piece, Scale, joined, node_strip, ruler, sparkline
from lab.report.words import GAP, number, short_node

Line = list[Piece]

WIDE = 64
"""From so many columns on, figures stand beside the rows; below, they stand in the rows' labels. Chosen: 9 + 29 columns of words leave 26 of time."""
LABEL, VALUE = 9, 28
"""`28 alive, 40 failed, 22 left` fits."""
NARROW_LABEL = 14
CELL = 20
"""Columns for one link: mark, number, name, moment."""
NODES_LEAST = 2
SHORT = {
    0: "Kafka away",
    1: "log flood",
    2: "starved",
    3: "NotReady",
    4: "evicted",
    5: "gossip",
    6: "Consul",
    7: "Vault",
    8: "balancer",
    9: "deploys",
    10: "no calm",
}
"""The links in a word or two; their whole titles are in the verdict."""
MEASURES = {
    "p99": Measure(1.0, 10_000.0, logarithmic=True),
    "members": Measure(0.0, 1.0, least=True),
    "backlog": Measure(0.0, 100_000.0),
}
"""p99 in ms, from a fast answer to the probes' time-out, half a power of ten a level. Backlog at least to 100 kB, chosen: 500 lines in one
pod are the lowest step of a flood, and the few lines of a steady pod then stay at the bottom."""
LEGEND = (
    ("ready", "node Ready"),
    ("not_ready", "node not Ready: its kubelet said so"),
    ("unknown", "node not Ready: its kubelet is silent"),
    ("lit", "link has fired, with its second on the run clock"),
    ("dark", "link has not fired so far"),
    ("ahead", "time to come"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What to draw on.

    Args:
        width, height: columns and lines that may be used.
        glyphs: characters of the terminal.
        keys: what the last line says; "" for no such line.
        help: the keys explained, instead of the picture; empty for the picture.
    """

    width: int
    height: int
    glyphs: Glyphs
    keys: str = ""
    help: Sequence[tuple[str, str]] = ()


def frame(picture: Picture, page: Page) -> list[Line]:
    """The lines, none wider than `page.width`, not more than `page.height` of them."""
    if page.help:
        return _fitted(_help(page), page)
    head, series, chain = _head(picture, page), _series(picture, page), _chain(picture, page)
    told = [*_pods(picture, page), *_faults(picture, page)]
    taken = len(head) + len(series) + len(chain) + len(told) + bool(page.keys)
    nodes = _nodes(picture, page, max(page.height - taken, NODES_LEAST))
    room = page.height - bool(page.keys)
    while len(head) + len(nodes) + len(series) + len(told) + len(chain) > room and (series or nodes or told or chain):
        next(part for part in (series, nodes, told, chain) if part).pop()
    return _fitted([*head, *nodes, *series, *told, *chain, *([[(page.keys, "dim")]] if page.keys else [])], page)


def seconds(value: float) -> str:
    """`47 s`, `3 min 05 s`."""
    whole = round(value)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"


def words(line: Line) -> str:
    """A line without its styles."""
    return "".join(text for text, _ in line).rstrip()


def figures(picture: Picture) -> dict[str, str]:
    """The figures beside the sparklines, by row."""
    value = picture.values
    steady = "" if picture.p99_steady_ms is None else f" (steady {number(picture.p99_steady_ms, 'ms')})"
    members = [(value.get((f"members_{state}", "pool")), state) for state in ("alive", "failed", "left")]
    backlog = value.get(("log_backlog_bytes_max", "pod-max"))
    return {
        "p99": _plain("?" if picture.p99_ms is None else number(picture.p99_ms, "ms") + steady),
        "members": ", ".join(f"{count:.0f} {state}" for count, state in members if count is not None and (count or state == "alive"))
        or "?",
        "backlog": _plain("?" if backlog is None else f"{number(backlog, 'B')} in fullest pod"),
    }


def pods(picture: Picture) -> str:
    """Pods by state."""
    names = (("pods_running", "running"), ("pods_pending", "pending"), ("pods_terminating", "terminating"), ("evictions_total", "evicted"))
    known = [(picture.values.get((name, "lab")), word) for name, word in names]
    return ", ".join(f"{count:.0f} {word}" for count, word in known if count is not None and (count or word == "running")) or "?"


def fault(one: OpenFault, at_s: float) -> str:
    """An open fault, and by when it is healed."""
    if one.heal_at_s is None or one.deadline_s is None:
        return f"{one.name} {one.change}"
    left_s = one.heal_at_s - at_s
    when = f"heals in {seconds(left_s)}" if left_s > 0 else f"heal due {seconds(-left_s)} ago"
    return f"{one.name} {one.change}, {when} (watchdog at {one.deadline_s:.0f} s)"


def _head(picture: Picture, page: Page) -> list[Line]:
    title = (picture.name or "waiting for the run") + (" (SIMULATED)" if picture.simulated else "")
    if picture.ended:
        where = picture.ended
    else:
        where = f"{picture.phase} {seconds(picture.phase_s)}" + (
            "" if picture.phase_allowed_s is None else f" of {seconds(picture.phase_allowed_s)}"
        )
    left = "" if picture.left_s is None else f"{seconds(picture.left_s)} left"
    dash = f" {page.glyphs.dash} "
    style = "bold" if not picture.ended else "bold yellow"
    if page.width >= WIDE:
        return [[(title, style), (dash + dash.join(part for part in (where, left, f"at {picture.at_s:.0f} s") if part), "")]]
    return [[(title, style), (f"{dash}at {picture.at_s:.0f} s", "")], [(dash.join(part for part in (where, left) if part), "")]]


def _scale(picture: Picture, page: Page) -> Scale:
    columns = page.width - (LABEL + VALUE + 1 if page.width >= WIDE else NARROW_LABEL)
    return Scale(picture.begin_s, picture.end_s, picture.at_s, max(columns, 1))


def _row(label: str, strip: Sequence[Piece], value: str, page: Page) -> Line:
    if page.width >= WIDE:
        return [(label[: LABEL - 1].ljust(LABEL), "dim"), *strip, (f" {value}", "")]
    return [(label[: NARROW_LABEL - 1].ljust(NARROW_LABEL), "dim"), *strip]


def _nodes(picture: Picture, page: Page, room: int) -> list[Line]:
    """A row per node; where there are more than rows, the ones that were longest not Ready, and how many more there are."""
    scale = _scale(picture, page)
    names = sorted(picture.nodes, key=lambda name: ("control" not in name, len(name), name))
    lines = [_row("", [(ruler(picture.phases, scale, page.glyphs), "dim")], "", page)]
    rest = ""
    if len(names) > room - 1:
        shown = max(room - 2, 0)
        worst = sorted(names, key=lambda name: -_away_s(picture, name))[:shown]
        left_out = [name for name in names if name not in worst]
        down = sum(picture.nodes[name][-1][1] != "True" for name in left_out)
        rest = f"{len(left_out)} {'more ' if shown else ''}nodes, {down} not Ready"
        names = [name for name in names if name in worst]
    for name in names:
        last_s, ready = picture.nodes[name][-1]
        value = "" if ready == "True" else f"not Ready {seconds(picture.at_s - last_s)}"
        lines.append(_row(short_node(name), node_strip(picture.nodes[name], scale, page.glyphs), value, page))
    if rest:
        lines.append([(rest, "dim")])
    return lines


def _away_s(picture: Picture, name: str) -> float:
    told = picture.nodes[name]
    ends = [*(at_s for at_s, _ in told[1:]), picture.at_s]
    return sum(end_s - at_s for (at_s, ready), end_s in zip(told, ends, strict=True) if ready != "True")


def _series(picture: Picture, page: Page) -> list[Line]:
    scale, beside = _scale(picture, page), figures(picture)
    lines = []
    for name, row in picture.rows.items():
        strip = sparkline(row, scale, page.glyphs, MEASURES[name])
        label = name if page.width >= WIDE else f"{name[:7]} {beside[name].split(' ', 1)[0] if name == 'members' else _short(beside[name])}"
        lines.append(_row(label, strip, beside[name], page))
    return lines


def _short(figure: str) -> str:
    """Only the figure and its unit."""
    return "".join(figure.split(" ")[:2]) if figure != "?" else figure


def _pods(picture: Picture, page: Page) -> list[Line]:
    """In one line, or in two where one is too short."""
    width = LABEL if page.width >= WIDE else 6
    rows = textwrap.wrap(pods(picture), max(page.width - width, 1)) or [""]
    return [[(("pods" if number == 0 else "").ljust(width), "dim"), (row, "")] for number, row in enumerate(rows[:2])]


def _faults(picture: Picture, page: Page) -> list[Line]:
    told = [(fault(one, picture.at_s), "yellow") for one in picture.faults] or [("none open", "")]
    width = LABEL if page.width >= WIDE else 6
    if page.width >= WIDE:
        return [[("faults".ljust(width) if number == 0 else " " * width, "dim"), one] for number, one in enumerate(told)]
    lines: list[Line] = []
    for text, style in told:
        first, _, rest = text.partition(", ")
        lines.append([("fault".ljust(width), "dim"), (first, style)])
        if rest:
            lines.append([(" " * width, ""), (rest, style)])
    return lines


def _chain(picture: Picture, page: Page) -> list[Line]:
    """The links in the order of cause, as many in a line as there is room for."""
    if picture.lights is None:
        return [[("chain".ljust(LABEL), "dim"), ("not judged yet", "dim")]]
    per_line = max((page.width + 1) // CELL, 1)
    cells = [_cell(light, picture, page.glyphs) for light in picture.lights]
    return [joined([piece for cell in cells[start : start + per_line] for piece in cell]) for start in range(0, len(cells), per_line)]


def _cell(light: Light, picture: Picture, glyphs: Glyphs) -> Line:
    name = SHORT.get(light.link, light.title)
    if light.fired_at_s is None:
        style = "" if light.link in picture.expected else "dim"
        return [(f"{glyphs.dark} {light.link} {name}"[: CELL - 1].ljust(CELL), style)]
    when = f" {light.fired_at_s:.0f}s"
    text = f"{glyphs.lit} {light.link} {name}"[: CELL - 1 - len(when)] + when
    return [(text.ljust(CELL), "bold red" if light.recovered_at_s is None else "yellow")]


def _help(page: Page) -> list[Line]:
    lines: list[Line] = [
        [("keys", "bold")],
        *([(key.ljust(8), ""), (told, "")] for key, told in page.help),
        [("", "")],
        [("signs", "bold")],
    ]
    lines += [[(getattr(page.glyphs, name).ljust(8), ""), (told, "")] for name, told in LEGEND]
    lines += [
        [
            (f"{page.glyphs.levels[0]}{page.glyphs.levels[-1]}".ljust(8), ""),
            ("least to greatest; p99: 1 ms to 10 s, half a power of ten a level", ""),
        ]
    ]
    return [*lines, *([[(page.keys, "dim")]] if page.keys else [])]


def _fitted(lines: Sequence[Line], page: Page) -> list[Line]:
    return [_cut(line, page.width) for line in lines[: page.height]]


def _cut(line: Line, width: int) -> Line:
    found: Line = []
    left = width
    for text, style in line:
        found.append((text[:left], style))
        left -= len(text[:left])
    while found and not found[-1][0].rstrip():
        found.pop()
    return [*found[:-1], (found[-1][0].rstrip(), found[-1][1])] if found else []


def _plain(text: str) -> str:
    return text.replace(GAP, " ")
