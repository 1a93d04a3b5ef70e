"""The reading ladder: one picture, rung after rung, cheapest first, until something certain is read.

Each rung is a pure function of a `Look` (the picture, its views, what was sighted so far) that gives sightings.
The clock is an argument: the ladder asks it before each rung and stops when the picture's time is spent.
"""

from collections.abc import Callable, Sequence
from typing import Final

from drivers.decoding.certainty import certain
from drivers.decoding.look import Look
from drivers.decoding.rungs import LADDER, Rung
from drivers.decoding.symbol import EVERYTHING, Gray, Sighting, Symbol, Wanted, quad_of
from drivers.decoding.views import MIN_SIDE, bounded

BUDGET_S: Final = 0.08
"""Seconds of one core for one picture; a rung that has begun is finished."""
FAR: Final = 0.01
"""Part of the picture below which a symbol may lie behind the card: the ladder goes on to look for a nearer one."""
AS_NEAR: Final = 0.5
"""Part of the largest symbol's area that another must have to be told as well."""


def read(
    picture: Gray,
    wanted: Wanted = EVERYTHING,
    *,
    rungs: Sequence[Rung] = LADDER,
    clock: Callable[[], float] | None = None,
) -> tuple[Symbol, ...]:
    """The symbols that are certain and nearest to the camera, largest first; none for most pictures.

    `picture` is grey, 8 bits, of any size. `clock` gives seconds; without it every rung may be climbed.
    """
    if picture.ndim != 2 or max(picture.shape) < MIN_SIDE or not picture.size:
        return ()
    small, scale = bounded(picture)
    look = Look(small, wanted)
    deadline = clock() + BUDGET_S if clock else 0.0
    believed: dict[Sighting, tuple[str, int]] = {}
    for effort, rung in enumerate(rungs, start=1):
        if clock and clock() > deadline:
            break
        for sighting in climbed(look, rung):
            believed.setdefault(sighting, (rung.name, effort))
        if any(s.area >= FAR * small.size for s in believed):
            break
    return tuple(_symbol(s, *believed[s], scale) for s in foremost(list(believed)))


def climbed(look: Look, rung: Rung) -> list[Sighting]:
    """What is certain after one more rung."""
    new = rung.climb(look)
    look.sightings += new
    return [s for s in new if certain(s, look.sightings, look.wanted)]


def foremost(believed: Sequence[Sighting]) -> list[Sighting]:
    """The nearest symbols, each text once, largest first: one card is held up, what is small lies behind it."""
    ordered = sorted(believed, key=lambda s: -s.area)
    told: dict[tuple[str, str], Sighting] = {}
    for sighting in ordered:
        if sighting.area >= AS_NEAR * ordered[0].area:
            told.setdefault((sighting.symbology, sighting.text), sighting)
    return list(told.values())


def _symbol(sighting: Sighting, rung: str, effort: int, scale: float) -> Symbol:
    quad = quad_of([(x / scale, y / scale) for x, y in sighting.quad])
    return Symbol(sighting.symbology, sighting.text, sighting.raw, quad, rung, effort)
