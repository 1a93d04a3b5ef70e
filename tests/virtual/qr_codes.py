"""QR codes with any bit stream in them, valid to the last check codeword: what a customer's phone may show."""

import numpy as np
import numpy.typing as npt

from drivers.decoding import galois, qr_layout
from drivers.decoding.qr_layout import Format


def matrix(data: bytes, version: int, wanted: Format) -> npt.NDArray[np.bool_]:
    """Modules, dark is True. `data` are all data codewords of the version and level."""
    rows, columns = qr_layout.data_places(version)
    words = np.zeros(len(rows) // 8, np.uint8)
    at = 0
    for block in qr_layout.blocks(version, wanted.level):
        count = len(block.places) - block.checks
        words[block.places] = encoded(data[at : at + count], block.checks)
        at += count
    dark = qr_layout.function_map(version) == 1
    bits = np.unpackbits(words).astype(bool)
    dark[rows[: len(bits)], columns[: len(bits)]] = bits
    free = np.zeros_like(dark)
    free[rows, columns] = True
    dark ^= free & qr_layout.mask_map(version, wanted.mask)
    word = dict(qr_layout.format_words())[wanted]
    for places in qr_layout.format_places(len(dark)):
        for place, bit in zip(places, word, strict=True):
            dark[place] = bool(bit)
    return dark


def encoded(data: bytes, checks: int) -> list[int]:
    """Data and its check codewords: what erasing all check codewords leads to."""
    places = range(len(data), len(data) + checks)
    return galois.corrected([*data, *[0] * checks], checks, places)[0] if any(data) else [*data, *[0] * checks]


def capacity(version: int, level: int) -> int:
    """Data codewords."""
    return sum(len(block.places) - block.checks for block in qr_layout.blocks(version, level))


def picture(dark: npt.NDArray[np.bool_], pitch: int = 5) -> npt.NDArray[np.uint8]:
    """Black on white with its quiet zone."""
    return np.pad(np.where(dark, 0, 255).astype(np.uint8), 4, constant_values=255).repeat(pitch, 0).repeat(pitch, 1)
