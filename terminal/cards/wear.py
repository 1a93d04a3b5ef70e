"""How hard a card was to read, on a scale from 0 (as new) to 100 (at its end), and how hard it has become. Pure.

A read of a code costs 15 for each further rung of the decoding ladder and each frame in vain: measured on 144 rendered
clips of worn cards (docs/decisions/0025). A chip costs 35 for each further attempt within one tap; a presentation that
failed before costs 40. These two are our own judgement: nobody has published the attempts of worn chips.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from drivers.base import CardRead, Technology

WORST: Final = 100
RUNG: Final = 15
ATTEMPT: Final = 35
FAILURE: Final = 40

SIGNS: Final = frozenset({"card_gone", "mute", "damaged", "unreadable", "code_unreadable"})
"""Reasons of a failed presentation that a worn card gives."""

CHIPS: Final = frozenset(
    {
        Technology.NTAG,
        Technology.ULTRALIGHT,
        Technology.MIFARE_CLASSIC,
        Technology.DESFIRE,
        Technology.TYPE_4,
        Technology.FELICA,
        Technology.ISO7816,
    }
)
CODES: Final = frozenset(
    {
        Technology.QR,
        Technology.AZTEC,
        Technology.PDF417,
        Technology.DATAMATRIX,
        Technology.EAN,
        Technology.CODE128,
        Technology.CODE39,
        Technology.ITF,
    }
)

SHARE: Final = 0.3
"""What one read weighs against all before it: half of what is told is of the last two reads."""
SOON: Final = 40.0
ENOUGH: Final = 3
"""Reads before anything is said of a card: one bad tap is a moving hand."""


@dataclass(frozen=True)
class Worn:
    """A card by one technology at this till: its smoothed `level` (0 to 100) over so many `reads`."""

    level: float = 0.0
    reads: int = 0

    @property
    def replace_soon(self) -> bool:
        """Whether the customer should get a new card before this one fails."""
        return self.reads >= ENOUGH and self.level >= SOON

    def read_again(self, score: int) -> "Worn":
        """After one more read."""
        level = score if not self.reads else self.level + SHARE * (score - self.level)
        return Worn(min(float(WORST), max(0.0, level)), self.reads + 1)


def score(technology: Technology, effort: int | None, failures: Iterable[str] = ()) -> int | None:
    """Of one read; `failures` are the reasons of those before it. None where the reader tells nothing.

    Phones, keyed numbers and stripes have no score: a phone is no card, and their readers tell nothing.
    """
    if technology not in CHIPS | CODES:
        return None
    failed = sum(reason in SIGNS for reason in failures)
    if effort is None and not failed:
        return None
    each = ATTEMPT if technology in CHIPS else RUNG
    return min(WORST, each * (max(effort or 1, 1) - 1) + FAILURE * failed)


def scores(read: CardRead, struggles: dict[Technology, list[str]]) -> dict[Technology, int]:
    """What this presentation says of the card: by what was read in the end, and by what could not be."""
    unknown = struggles.get(Technology.UNKNOWN, [])
    found = {read.technology: score(read.technology, read.effort, [*struggles.get(read.technology, []), *unknown])}
    for technology, failures in struggles.items():
        if technology is not read.technology:
            found[technology] = score(technology, None, failures)
    return {technology: points for technology, points in found.items() if points is not None}
