"""What can be seen in a picture: symbologies, sightings by one engine, and symbols that are certain.

Points are (x, y) in pixels of the picture that was given, y down. A quad runs clockwise from the symbol's own
top left corner; for bar codes its long sides lie across the bars.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Gray: TypeAlias = npt.NDArray[np.uint8]
"""A picture: rows by columns of brightness, 0 is black."""
Floats: TypeAlias = npt.NDArray[np.float32]
Quad: TypeAlias = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

MAX_TEXT: Final = 7089
"""Characters: what a QR code of version 40 holds in digits (ISO/IEC 18004 table 7), more than any other symbol."""


class Symbology(StrEnum):
    """What is printed. UPC-A and UPC-E are told as the EAN-13 that they abbreviate."""

    QR = "qr"
    MICRO_QR = "micro_qr"
    AZTEC = "aztec"
    PDF417 = "pdf417"
    DATAMATRIX = "datamatrix"
    EAN13 = "ean13"
    EAN8 = "ean8"
    CODE128 = "code128"
    CODE39 = "code39"
    CODE93 = "code93"
    CODABAR = "codabar"
    ITF = "itf"


MATRIX: Final = frozenset(
    {Symbology.QR, Symbology.MICRO_QR, Symbology.AZTEC, Symbology.PDF417, Symbology.DATAMATRIX},
)
LINEAR: Final = frozenset(Symbology) - MATRIX


@dataclass(frozen=True, slots=True)
class Sighting:
    """One engine's word on one symbol. Where `valid` is false it was located and could not be read."""

    symbology: Symbology
    text: str
    raw: bytes
    quad: Quad
    valid: bool
    engine: str
    version: int = 0
    """Of a QR code, as far as the engine could tell; 0 where it could not."""
    lines: int = 0
    """Scan lines that gave this text, where the engine counts them."""
    short_form: bool = False
    """Printed as UPC-E, whose check digit is all that guards its six digits."""
    spare: float | None = None
    """Part of the error correction that was not used up, where the engine tells."""

    @property
    def height(self) -> float:
        """Pixels along the bars in which the engine read the same."""
        a, b, c, d = (np.array(corner) for corner in self.quad)
        return float(max(np.hypot(*(d - a)), np.hypot(*(c - b))))

    @property
    def width(self) -> float:
        """Pixels across the bars."""
        a, b, c, d = (np.array(corner) for corner in self.quad)
        return float(max(np.hypot(*(b - a)), np.hypot(*(c - d))))

    @property
    def side(self) -> float:
        """Pixels of a square about as near to the camera; a bar code's height says nothing of that."""
        if self.symbology in MATRIX:
            return float(np.sqrt(self.width * self.height))
        return self.width / 2


@dataclass(frozen=True, slots=True)
class Symbol:
    """A certain read. `effort` is 1 for the first rung of the ladder and one more for each further rung."""

    symbology: Symbology
    text: str
    raw: bytes
    quad: Quad
    rung: str
    effort: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for. Fewer symbologies cost less time; ITF of any other length is a phantom."""

    symbologies: frozenset[Symbology] = frozenset(Symbology)
    itf_lengths: frozenset[int] = frozenset(range(6, 31, 2))

    @property
    def matrix(self) -> frozenset[Symbology]:
        """Those that are squares and rectangles of modules."""
        return self.symbologies & MATRIX

    @property
    def linear(self) -> frozenset[Symbology]:
        """Those that are one row of bars."""
        return self.symbologies & LINEAR


EVERYTHING: Final = Wanted()


def quad_of(corners: npt.ArrayLike) -> Quad:
    """Four corners, in any array of 4 by 2 numbers."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = np.asarray(corners, dtype=float).reshape(4, 2).tolist()
    return (ax, ay), (bx, by), (cx, cy), (dx, dy)
