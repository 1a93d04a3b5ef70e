"""Curves as a picture (SVG 1.1): how many tills have delivered everything, by the time since the ledger came back.

Few enough lines and shapes for a small writer of our own; light enough that a diff of the file can be read.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

WIDTH: Final = 960
PANEL: Final = 260
LEFT, RIGHT, TOP, BOTTOM = 60, 40, 40, 40
COLOURS: Final = ("#b3261e", "#b26a00", "#1b6e3c")
DASHES: Final = ("2 3", "8 4", "none")
STEPS: Final = 240
GRID: Final = 'stroke="#ddd"'


class Panel(NamedTuple):
    """`curves` by name: for each till the seconds after which it was done; `ideal` is what the work alone takes."""

    title: str
    ideal: float
    curves: dict[str, Sequence[float]]


def drawn(panels: Sequence[Panel], until: float) -> str:
    """All panels one below the other, on one scale of `until` seconds."""
    height = PANEL * len(panels) + 40
    places = (f'<g transform="translate(0 {30 + PANEL * number})">' for number in range(len(panels)))
    groups = [f"{place}{_panel(panel, until)}</g>" for place, panel in zip(places, panels, strict=True)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
    ground = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join((f'{head} font-size="13">', ground, _legend(list(panels[0].curves)), *groups, "</svg>\n"))


def _legend(names: Sequence[str]) -> str:
    entries = []
    for number, name in enumerate(names):
        x = LEFT + number * 250
        entries.append(f'<path d="M{x} 20h30" {_stroke(number)}/><text x="{x + 38}" y="24">{escape(name)}</text>')
    return "".join(entries)


def _panel(panel: Panel, until: float) -> str:
    shapes = [f'<text x="{LEFT}" y="{TOP - 12}" font-weight="bold">{escape(panel.title)}</text>', _axes(until)]
    x = _x(panel.ideal, until)
    shapes.append(f'<path d="M{x} {TOP}V{PANEL - BOTTOM}" stroke="#888" stroke-dasharray="1 3"/>')
    shapes.append(f'<text x="{x + 4}" y="{PANEL - BOTTOM - 6}" fill="#666">the work alone: {panel.ideal:,.0f} s</text>')
    for number, seconds in enumerate(panel.curves.values()):
        shapes.append(f'<path d="{_path(sorted(seconds), until)}" fill="none" {_stroke(number)}/>')
    return "\n".join(shapes)


def _axes(until: float) -> str:
    shapes = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        shapes.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" {GRID}/>')
        shapes.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
    for number in range(7):
        second = until * number / 6
        x = _x(second, until)
        shapes.append(f'<text x="{x}" y="{PANEL - BOTTOM + 18}" text-anchor="middle">{second:,.0f} s</text>')
    return "".join(shapes)


def _path(seconds: Sequence[float], until: float) -> str:
    """A step for each till would be a megabyte: the curve is drawn through so many of them."""
    points, done = [(0.0, 0.0)], len(seconds)
    for step in range(1, STEPS + 1):
        count = max(1, done * step // STEPS)
        if seconds[count - 1] > until:
            break
        points.append((seconds[count - 1], count / done))
    if points[-1][1] == 1.0:
        points.append((until, 1.0))
    return "M" + "L".join(f"{_x(second, until)} {_y(share)}" for second, share in points)


def _x(second: float, until: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * second / until, 1)


def _y(share: float) -> float:
    return round(TOP + (PANEL - TOP - BOTTOM) * (1 - share), 1)


def _stroke(number: int) -> str:
    return f'stroke="{COLOURS[number]}" stroke-width="2" stroke-dasharray="{DASHES[number]}"'
