"""The reading ladder: one picture, rung after rung, cheapest first, until something certain is read.

Each rung is a pure function of a `Look` (the picture, its views, what was sighted so far) that gives sightings.
The clock is an argument: the ladder asks it before each rung and stops when the picture's time is spent.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from drivers.decoding.certainty import certain
from drivers.decoding.look import Look
from drivers.decoding.rungs import LADDER, Rung
from drivers.decoding.symbol import EVERYTHING, MATRIX, Gray, Sighting, Symbol, Wanted, quad_of
from drivers.decoding.views import bounded

BUDGET_S: Final = 0.065
"""Seconds of one core for one picture; a rung that has begun is finished."""
FAR: Final = 0.09
"""Part of the picture's side (the root of its area) below which a symbol may lie behind the card, so that the ladder
goes on to look for a nearer one."""
AS_NEAR: Final = {True: 0.7, False: 0.87}
"""Part of the largest symbol's side that a matrix symbol, or a bar code, must have to be told as well."""

LOWEST: Final = 0.35
"""Part of the tallest symbol's height below which another is cut off at the edge, or a chance read of few lines."""


class Looked(NamedTuple):
    """`symbols` are certain and nearest to the camera, largest first; `unread` is a QR code that was only located."""

    symbols: tuple[Symbol, ...]
    unread: bool


def read(
    picture: Gray,
    wanted: Wanted = EVERYTHING,
    *,
    rungs: Sequence[Rung] = LADDER,
    clock: Callable[[], float] | None = None,
) -> tuple[Symbol, ...]:
    """The symbols in a grey picture of 8 bits and any size; none for most pictures.

    `clock` gives seconds; without it every rung may be climbed.
    """
    return looked(picture, wanted, rungs, clock).symbols


def looked(
    picture: Gray,
    wanted: Wanted = EVERYTHING,
    rungs: Sequence[Rung] = LADDER,
    clock: Callable[[], float] | None = None,
) -> Looked:
    """As `read`, with what was located and stayed unread."""
    if picture.ndim != 2 or not picture.size:
        return Looked((), unread=False)
    small, scale = bounded(picture)
    look = Look(small, wanted)
    deadline = clock() + BUDGET_S if clock else 0.0
    believed: dict[Sighting, tuple[str, int]] = {}
    for effort, rung in enumerate(rungs, start=1):
        if clock and clock() > deadline:
            break
        for sighting in climbed(look, rung):
            believed.setdefault(sighting, (rung.name, effort))
        if any(s.side >= FAR * small.size**0.5 for s in believed):
            break
    symbols = tuple(_symbol(s, *believed[s], scale) for s in foremost(list(believed)))
    return Looked(symbols, unread=any(s.engine == "zxing" and s.version and not s.valid for s in look.sightings))


def climbed(look: Look, rung: Rung) -> list[Sighting]:
    """What is certain after one more rung."""
    new = rung.climb(look)
    look.sightings += new
    return [s for s in new if certain(s, look.sightings, look.wanted)]


def foremost(believed: Sequence[Sighting]) -> list[Sighting]:
    """The nearest symbols, each text once, largest first: one card is held up, what is small lies behind it."""
    tallest = max((s.height for s in believed), default=0.0)
    ordered = sorted((s for s in believed if s.height >= LOWEST * tallest), key=lambda s: -s.side)
    told: dict[tuple[str, str], Sighting] = {}
    for sighting in ordered:
        if sighting.side >= AS_NEAR[sighting.symbology in MATRIX] * ordered[0].side:
            told.setdefault((sighting.symbology, sighting.text), sighting)
    return list(told.values())


def _symbol(sighting: Sighting, rung: str, effort: int, scale: float) -> Symbol:
    quad = quad_of([(x / scale, y / scale) for x, y in sighting.quad])
    return Symbol(sighting.symbology, sighting.text, sighting.raw, quad, rung, effort)
