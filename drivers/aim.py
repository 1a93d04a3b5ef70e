"""AIM symbology identifiers: the three characters `]cm` that a scanner can put before a code (ISO/IEC 15424)."""

import re
from typing import Final, NamedTuple

from drivers.base import Technology

_IDENTIFIER: Final = re.compile(r"\]([A-Za-z])([0-9A-Za-z])")

_TECHNOLOGIES: Final = {
    "A": Technology.CODE39,
    "C": Technology.CODE128,
    "E": Technology.EAN,
    "I": Technology.ITF,
    "L": Technology.PDF417,
    "Q": Technology.QR,
    "d": Technology.DATAMATRIX,
    "z": Technology.AZTEC,
}
"""By code character; the others are no technology of a loyalty card and read as unknown."""

_GS1: Final = frozenset({"C1", "e0", "e1", "e2", "d2", "d5", "Q3", "Q4", "J1", "z1"})
"""Codes with FNC1 in first position: their text is GS1 element strings (GS1 General Specifications, figure 7.8.1-1;
d5, Q4: the same with extended channel interpretation; z1: Aztec)."""


class Symbol(NamedTuple):
    """A code without its identifier. `named` is False when there was none; `gs1` when it claims element strings."""

    technology: Technology
    text: str
    named: bool
    gs1: bool


def symbol(text: str, otherwise: Technology) -> Symbol:
    """Of any text: `otherwise` is what it is when no identifier says better."""
    found = _IDENTIFIER.match(text)
    if found is None:
        return Symbol(otherwise, text, named=False, gs1=False)
    technology = _TECHNOLOGIES.get(found[1], Technology.UNKNOWN)
    return Symbol(technology, text[found.end() :], named=True, gs1=found[1] + found[2] in _GS1)
